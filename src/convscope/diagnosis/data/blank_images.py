"""Images that are blank, or broken in part."""

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding, some_names

FLAT = 2.0  # standard deviation of the pixels, of 255
BROKEN_ROWS = 0.25  # of the rows at the bottom with one value, as a download that was cut off leaves
RARE = 0.05  # of the images: where more are like this, they are how the data look
CHUNK = 1024
SHOWN = 20


def blank_images(view: DataView) -> Finding | None:
    """Find images of one value, and images whose lower part is one grey value while few others' are."""
    blank: list[int] = []
    broken: list[int] = []
    for start in range(0, len(view), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(view)))
        pixels = view.pixels(rows)
        flat = pixels.reshape(len(rows), -1).astype(np.float32).std(1) < FLAT
        blank += rows[flat].tolist()
        broken += rows[~flat & (_grey_rows(pixels) >= BROKEN_ROWS)].tolist()
    broken = broken if len(broken) <= RARE * len(view) else []
    files = tuple(view.names[i] for i in blank + broken)
    if not files:
        return None
    parts = [f"{len(blank):,} blank" * bool(blank), f"{len(broken):,} with a lower part of one grey" * bool(broken)]
    share = len(files) / len(view)
    return Finding(
        "blank_images", min(0.8, 0.35 + 5 * share), f"{some_names(files)}",
        f"{' and '.join(filter(None, parts))} image{'s' if len(files) > 1 else ''} of {len(view):,}",
        share, 0.0, Change(f"remove or replace {'these files' if len(files) > 1 else 'this file'}", files=files),
        images=files[:SHOWN],
    )  # fmt: skip


def _grey_rows(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(B,) the share of rows at the bottom that have the one grey of decoders for missing data, 128."""
    constant = np.asarray((np.abs(pixels.astype(np.int16) - 128) <= 1).all((1, 3)))  # (B, H)
    return np.asarray(np.cumprod(constant[:, ::-1], axis=1).sum(1) / constant.shape[1])
