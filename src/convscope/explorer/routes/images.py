"""The run's images: lists, the confusion matrix and its cells, pictures, marks."""

import hashlib
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from convscope.errors import ConfigError
from convscope.explorer.backend import (
    ORDERS,
    NotFoundError,
    as_png,
    checked_split,
    original_image,
    shown_pixels,
    sprite,
    thumbnail,
)  # fmt: skip
from convscope.explorer.session import Session

First = Annotated[int, Query(alias="from", ge=0)]
Count = Annotated[int, Query(ge=1, le=500)]
Side = Annotated[int, Query(ge=8, le=512)]


def routes(session: Session) -> APIRouter:
    """The router of one session."""
    router, sets = APIRouter(prefix="/api"), session.image_sets

    @router.get("/images")
    def listed(
        split: str = "validation", of: Annotated[int | None, Query(alias="class")] = None, mistakes: bool = False,
        search: Annotated[str, Query(max_length=200)] = "", order: str = "name", first: First = 0, count: Count = 60,
    ) -> dict[str, Any]:  # fmt: skip
        if order not in ORDERS:
            raise ConfigError(f"order: no {order[:40]}; choose one of {', '.join(ORDERS)}")
        chosen = sets.found(checked_split(split), of, mistakes, search)
        return sets.listed(split, chosen, order, first, count)

    @router.get("/confusion")
    def confusion(split: str = "validation", epoch: int | None = None) -> dict[str, Any]:
        return sets.confusion(checked_split(split), epoch)

    @router.get("/confusion/cell")
    def cell(
        truth: int, answer: int, split: str = "validation", first: First = 0, count: Count = 60
    ) -> dict[str, Any]:  # fmt: skip
        return sets.listed(split, sets.cell(checked_split(split), truth, answer), "surest", first, count)

    @router.get("/images/{image}/thumbnail.png")
    def small(request: Request, image: str, side: Side = 64) -> Response:
        return _picture(request, thumbnail(_pixels(session, image), side))

    @router.get("/images/{image}/picture.png")
    def exact(request: Request, image: str) -> Response:
        return _picture(request, shown_pixels(_pixels(session, image)))

    @router.get("/images/{image}/original.png")
    def whole(request: Request, image: str) -> Response:
        found = original_image(session.run, sets.image(image).names[0])
        return _picture(request, np.asarray(found))

    @router.get("/sprite.png")
    def many(
        request: Request, ids: Annotated[str, Query(max_length=20_000)], split: str = "validation", side: Side = 24
    ) -> Response:
        images = session.run.images(checked_split(split))
        return _picture(request, sprite(images, _numbers(ids), side))

    return router


def correction_routes(session: Session) -> APIRouter:
    """The router of marks."""
    router, sets, marks = APIRouter(prefix="/api"), session.image_sets, session.corrections

    @router.get("/marks")
    def all_marks() -> dict[str, Any]:
        names: dict[str, tuple[str, int]] = {}
        for split in ("train", "validation"):
            names |= {name: (split, place) for place, name in enumerate(session.run.images(split).names)}
        found = [sets.record(*names[name]) for name in marks.all() if name in names]
        table = str(marks.table.absolute()) if marks.table.exists() else None
        command = f"convscope train {marks.table}" if table else None
        return {"marks": found, "file": table, "command": command}

    @router.put("/marks/{image}")
    def mark(image: str, said: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        kept = marks.set(sets.image(image).names[0], said)
        session.broadcaster.publish("marks", {"count": len(marks.all())})
        return {"id": image, "mark": kept}

    @router.delete("/marks/{image}")
    def unmark(image: str) -> dict[str, Any]:
        marks.remove(sets.image(image).names[0])
        session.broadcaster.publish("marks", {"count": len(marks.all())})
        return {"id": image, "mark": None}

    @router.get("/marks.csv")
    def table() -> Response:
        if not marks.table.exists():
            raise NotFoundError("marks: nothing is marked yet; mark an image first")
        name = {"Content-Disposition": 'attachment; filename="data.csv"'}
        return Response(marks.table.read_bytes(), media_type="text/csv", headers=name)

    return router


def _pixels(session: Session, image: str) -> Any:
    found = session.inputs.images(image) if image.startswith("own-") else session.image_sets.image(image)
    return found.pixels()[0]


def _picture(request: Request, pixels: np.ndarray) -> Response:
    content = as_png(pixels)
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="image/png", headers=headers)


def _numbers(text: str) -> list[int]:
    if not all(word.isdigit() and len(word) < 10 for word in text.split(",")):
        raise ConfigError("ids: not a list of numbers; write it like 0,3,8")
    return [int(word) for word in text.split(",")]
