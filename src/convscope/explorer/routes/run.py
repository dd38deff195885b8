"""Routes of the run: summary, learning curves, network, recorded probe maps, and live events."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from convscope.explorer.backend import curves, drawing_style, network_tree, run_summary
from convscope.explorer.binary import encoded
from convscope.explorer.session import Session

Name = Annotated[str, Query(max_length=300)]


def routes(session: Session) -> APIRouter:
    """Return the router of a session."""
    router, live_run = APIRouter(prefix="/api"), session.run

    @router.get("/run")
    def run() -> dict[str, Any]:
        return run_summary(live_run)

    @router.get("/drawing")
    def drawing() -> dict[str, Any]:
        return {"draw": drawing_style(live_run)}

    @router.get("/curves")
    def curve() -> dict[str, Any]:
        return curves(live_run)

    @router.get("/network")
    def network() -> dict[str, Any]:
        with live_run.lock:
            return network_tree(live_run.loaded_model())

    @router.get("/probes")
    def probe() -> dict[str, Any]:
        return session.epochs.probes()

    @router.get("/probes/maps")
    def probe_maps(layer: Name, probe: int, epoch: int) -> Response:
        maps, scale = session.epochs.maps(layer, probe, epoch)
        return Response(encoded(maps, epoch=epoch, scale=scale), media_type="application/octet-stream")

    @router.get("/events")
    async def events() -> StreamingResponse:
        queue = session.broadcaster.subscribe()
        first = await run_in_threadpool(session.status)
        return StreamingResponse(session.broadcaster.listen(queue, first), media_type="text/event-stream")

    return router
