"""The run itself: what it is, its curves, its network, what was kept of its training, and what happens just now."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from convscope.explorer.backend import curves, drawing_style, network_tree, run_summary
from convscope.explorer.binary import encoded
from convscope.explorer.session import Session

Name = Annotated[str, Query(max_length=300)]


def routes(session: Session) -> APIRouter:
    """The router of one session."""
    router, explored = APIRouter(prefix="/api"), session.run

    @router.get("/run")
    def run() -> dict[str, Any]:
        return run_summary(explored)

    @router.get("/drawing")
    def drawn() -> dict[str, Any]:
        return {"draw": drawing_style(explored)}

    @router.get("/curves")
    def curve() -> dict[str, Any]:
        return curves(explored)

    @router.get("/network")
    def landscape() -> dict[str, Any]:
        with explored.lock:
            return network_tree(explored.loaded_model())

    @router.get("/probes")
    def probe() -> dict[str, Any]:
        return session.epochs.probes()

    @router.get("/probes/maps")
    def probe_maps(layer: Name, probe: int, epoch: int) -> Response:
        sent, scale = session.epochs.maps(layer, probe, epoch)
        return Response(encoded(sent, epoch=epoch, scale=scale), media_type="application/octet-stream")

    @router.get("/events")
    async def events() -> StreamingResponse:
        queue = session.broadcaster.subscribe()
        first = await run_in_threadpool(session.status)
        return StreamingResponse(session.broadcaster.listen(queue, first), media_type="text/event-stream")

    return router
