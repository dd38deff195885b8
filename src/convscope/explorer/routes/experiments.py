"""Routes of experiments: a kernel's weights, and the network's answer with a change."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from convscope.explorer.backend import Change
from convscope.explorer.session import Session


def routes(session: Session) -> APIRouter:
    """Return the router of a session."""
    router, experiments = APIRouter(prefix="/api"), session.experiments

    @router.get("/kernel")
    def kernel(layer: Annotated[str, Query(max_length=300)], channel: int = 0, source: int = 0) -> dict[str, Any]:
        return experiments.kernel(layer, channel, source)

    @router.post("/experiments/{image}")
    def compute(image: str, change: Change) -> dict[str, Any]:
        return experiments.compute(image, change)

    return router
