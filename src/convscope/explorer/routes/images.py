"""Routes of the run's images: lists, the confusion matrix and its cells, pictures, label corrections."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from convscope.errors import ConfigError
from convscope.explorer.backend import (
    ORDERS,
    NotFoundError,
    checked_split,
    original_image,
    shown_pixels,
    sprite,
    thumbnail,
)  # fmt: skip
from convscope.explorer.routes.png_response import png_response
from convscope.explorer.session import Session

First = Annotated[int, Query(alias="from", ge=0)]
Count = Annotated[int, Query(ge=1, le=500)]
Side = Annotated[int, Query(ge=8, le=512)]


def routes(session: Session) -> APIRouter:
    """Return the router of a session."""
    router, sets = APIRouter(prefix="/api"), session.image_sets

    @router.get("/images")
    def list_images(
        split: str = "validation", class_index: Annotated[int | None, Query(alias="class")] = None,
        mistakes: bool = False,
        search: Annotated[str, Query(max_length=200)] = "", order: str = "name", first: First = 0, count: Count = 60,
    ) -> dict[str, Any]:  # fmt: skip
        if order not in ORDERS:
            raise ConfigError(f"order: no {order[:40]}; choose one of {', '.join(ORDERS)}")
        chosen = sets.search(checked_split(split), class_index, mistakes, search)
        return sets.page(split, chosen, order, first, count)

    @router.get("/confusion")
    def confusion(split: str = "validation", epoch: int | None = None) -> dict[str, Any]:
        return sets.confusion(checked_split(split), epoch)

    @router.get("/confusion/cell")
    def cell(
        truth: int, predicted: int, split: str = "validation", first: First = 0, count: Count = 60
    ) -> dict[str, Any]:  # fmt: skip
        return sets.page(split, sets.cell(checked_split(split), truth, predicted), "most_confident", first, count)

    @router.get("/images/{image}/thumbnail.png")
    def thumbnail_png(request: Request, image: str, side: Side = 64, answer: bool = False) -> Response:
        if answer:
            return png_response(request, session.answers.thumbnail(image, side))
        return png_response(request, thumbnail(_pixels(session, image), side, session.run.shown_channels()))

    @router.get("/images/{image}/picture.png")
    def input_png(request: Request, image: str) -> Response:
        return png_response(request, shown_pixels(_pixels(session, image), session.run.shown_channels()))

    @router.get("/images/{image}/original.png")
    def original_png(request: Request, image: str) -> Response:
        found = original_image(session.run, sets.image(image).names[0])
        return png_response(request, np.asarray(found))

    @router.get("/sprite.png")
    def sprite_png(
        request: Request, ids: Annotated[str, Query(max_length=20_000)], split: str = "validation", side: Side = 24
    ) -> Response:
        images = session.run.images(checked_split(split))
        return png_response(request, sprite(images, _numbers(ids), side, session.run.shown_channels()))

    return router


def correction_routes(session: Session) -> APIRouter:
    """Return the router of label corrections."""
    router, sets, corrections = APIRouter(prefix="/api"), session.image_sets, session.corrections

    @router.get("/corrections")
    def all_corrections() -> dict[str, Any]:
        names: dict[str, tuple[str, int]] = {}
        for split in ("train", "validation"):
            names |= {name: (split, index) for index, name in enumerate(session.run.images(split).names)}
        found = [sets.record(*names[name]) for name in corrections.all() if name in names]
        table = str(corrections.table.absolute()) if corrections.table.exists() else None
        command = f"convscope train {corrections.table}" if table else None
        return {"corrections": found, "file": table, "command": command}

    @router.put("/corrections/{image}")
    def correct(image: str, correction: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        saved = corrections.set(sets.image(image).names[0], correction)
        session.broadcaster.publish("corrections", {"count": len(corrections.all())})
        return {"id": image, "correction": saved}

    @router.delete("/corrections/{image}")
    def uncorrect(image: str) -> dict[str, Any]:
        corrections.remove(sets.image(image).names[0])
        session.broadcaster.publish("corrections", {"count": len(corrections.all())})
        return {"id": image, "correction": None}

    @router.get("/corrections.csv")
    def corrections_csv() -> Response:
        if not corrections.table.exists():
            raise NotFoundError("corrections: none yet; correct a label or exclude an image first")
        name = {"Content-Disposition": 'attachment; filename="data.csv"'}
        return Response(corrections.table.read_bytes(), media_type="text/csv", headers=name)

    return router


def _pixels(session: Session, image: str) -> Any:
    found = session.inputs.images(image) if image.startswith("own-") else session.image_sets.image(image)
    return found.pixels()[0]


def _numbers(text: str) -> list[int]:
    if not all(word.isdigit() and len(word) < 10 for word in text.split(",")):
        raise ConfigError("ids: not a list of numbers; write it as 0,3,8")
    return [int(word) for word in text.split(",")]
