"""Computations: ask, look, cancel, and the pictures that they gave."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from convscope.explorer.backend import NotFoundError
from convscope.explorer.session import Session


class JobRequest(BaseModel, extra="forbid"):
    """A computation by its name, with its settings."""

    method: str
    settings: dict[str, Any] = {}


def routes(session: Session) -> APIRouter:
    """The router of one session."""
    router, jobs = APIRouter(prefix="/api/jobs"), session.jobs

    @router.post("")
    def ask(said: JobRequest) -> Response:
        job = jobs.submit(said.method, said.settings)
        return JSONResponse(jobs.record(job), 200 if job.state == "done" else 202)

    @router.get("")
    def listed() -> dict[str, Any]:
        return {"jobs": [jobs.record(job) for job in jobs.all()]}

    @router.get("/{number}")
    def one(number: int) -> dict[str, Any]:
        return jobs.record(jobs.get(number))

    @router.delete("/{number}")
    def cancel(number: int) -> dict[str, Any]:
        return jobs.record(jobs.cancel(number))

    @router.get("/{number}/pictures/{name}.png")
    def picture(number: int, name: str) -> Response:
        found = jobs.get(number).pictures().get(name)
        if found is None or not found.exists():
            raise NotFoundError(
                f"picture {name[:60]}: the computation has none of that name, or it was deleted; ask again"
            )
        return Response(found.read_bytes(), media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})

    return router
