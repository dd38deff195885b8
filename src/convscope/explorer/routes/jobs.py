"""Routes of jobs: methods with their settings, jobs, and pictures of results."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from convscope.analysis.method import IMAGE_RANK
from convscope.analysis.registry import METHODS
from convscope.explorer.backend import NotFoundError
from convscope.explorer.session import Session

MEDIA_TYPES = {".png": "image/png", ".gif": "image/gif"}


class JobRequest(BaseModel, extra="forbid"):
    """A method by its name, with its settings."""

    method: str
    settings: dict[str, Any] = {}


def method_routes() -> APIRouter:
    """Return the router of the methods' declarations."""
    router = APIRouter(prefix="/api/methods")

    @router.get("")
    def listed() -> dict[str, Any]:
        return {"methods": [method.to_json() for method in METHODS.values() if method.rank == IMAGE_RANK]}

    return router


def routes(session: Session) -> APIRouter:
    """Return the router of a session."""
    router, jobs = APIRouter(prefix="/api/jobs"), session.jobs

    @router.post("")
    def submit(request: JobRequest) -> Response:
        job = jobs.submit(request.method, request.settings)
        return JSONResponse(jobs.record(job), 200 if job.state == "done" else 202)

    @router.get("")
    def listed() -> dict[str, Any]:
        return {"jobs": [jobs.record(job) for job in jobs.all()]}

    @router.get("/{number}")
    def get(number: int) -> dict[str, Any]:
        return jobs.record(jobs.get(number))

    @router.delete("/{number}")
    def cancel(number: int) -> dict[str, Any]:
        return jobs.record(jobs.cancel(number))

    @router.get("/{number}/pictures/{file}")
    def picture(number: int, file: str) -> Response:
        found = jobs.get(number).files().get(file)
        if found is None or not found.exists():
            raise NotFoundError(f"picture {file[:60]}: no such picture, or it was deleted; submit the job again")
        headers = {"Cache-Control": "private, max-age=3600"}
        return Response(found.read_bytes(), media_type=MEDIA_TYPES[found.suffix], headers=headers)

    return router
