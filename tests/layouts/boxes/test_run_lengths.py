"""Masks in COCO's run lengths."""

from itertools import groupby

import numpy as np
import pytest

from convscope.layouts.boxes.run_lengths import box_of_run_lengths, numbers_of_text


def run_lengths(mask: np.ndarray) -> list[int]:
    """Of a (H, W) mask, down its columns."""
    values = mask.T.ravel().tolist()
    runs = [len(list(run)) for _, run in groupby(values)]
    return [0, *runs] if values[0] else runs


def as_text(runs: list[int]) -> str:
    """`rleToString` of pycocotools."""
    text = ""
    for index, run in enumerate(runs):
        rest = run - runs[index - 2] if index > 2 else run
        while True:
            bits, rest = rest & 31, rest >> 5
            more = rest != (-1 if bits & 16 else 0)
            text += chr(48 + (bits | 32 if more else bits))
            if not more:
                break
    return text


def test_the_box_is_around_the_pixels_of_the_mask_in_both_forms() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        height, width = (int(side) for side in random.integers(1, 40, 2))
        mask = random.random((height, width)) < random.choice([0.02, 0.3, 0.98])
        rows, columns = np.nonzero(mask)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else None
        runs = run_lengths(mask)
        assert numbers_of_text(as_text(runs)) == runs
        for counts in (runs, as_text(runs)):
            assert box_of_run_lengths({"size": [height, width], "counts": counts}) == box


@pytest.mark.parametrize(
    "mask",
    [
        {},
        {"size": [4, 5]},
        {"size": [4, 5], "counts": [5, 2, 2, 2, 8]},
        {"size": [4, 5], "counts": [5, -2, 2, 2, 13]},
        {"size": [4, 5], "counts": [5.5, 2, 2, 2, 8.5]},
        {"size": [4, float("inf")], "counts": [20]},
        {"size": [0, 0], "counts": [0]},
        {"size": [4, 5], "counts": "5220"},
        {"size": [4, 5], "counts": "5220\x7f"},
        {"size": [4, 5], "counts": "o" * 10_000},
        {"size": "4", "counts": 3},
    ],
)
def test_masks_that_are_not_valid_have_no_box(mask: dict[str, object]) -> None:
    assert box_of_run_lengths(mask) is None
