"""Masks that do not lie on the objects are found with what is wrong, and right ones are not."""

import numpy as np
import pytest
from PIL import Image

import convscope as cs

MOVES = {
    "mirrored left to right": lambda mask: mask[:, ::-1],
    "mirrored top to bottom": lambda mask: mask[::-1],
    "stored with x and y exchanged": lambda mask: mask.T,
    "shifted right by 12 %": lambda mask: np.roll(mask, 8, 1),
}


def write(folder, move=lambda mask: mask):
    """Thirty images of 64 pixels with a bright rectangle on noise, and their masks."""
    generator = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for i in range(30):
        top, left = generator.integers(2, 30, 2)
        mask = np.zeros((64, 64), np.uint8)
        mask[top : top + 12, left : left + 24] = 1
        pixels = generator.integers(0, 60, (64, 64), dtype=np.uint8) + 150 * mask
        Image.fromarray(pixels).save(folder / "images" / f"{i:02}.png")
        Image.fromarray(np.ascontiguousarray(move(mask))).save(folder / "masks" / f"{i:02}.png")
    return folder


def kinds(folder):
    return {one.kind: one for one in cs.diagnose(folder, settings={"task": "segment"}).findings}


def test_masks_on_their_objects_have_no_finding(tmp_path):
    assert "misplaced_masks" not in kinds(write(tmp_path / "data"))


@pytest.mark.parametrize("wrong", MOVES)
def test_masks_beside_their_objects_are_found(tmp_path, wrong):
    finding = kinds(write(tmp_path / "data", MOVES[wrong]))["misplaced_masks"]
    assert finding.where == "masks"
    assert finding.message.startswith(f"the masks seem {wrong}: changed back, their outlines lie on stronger edges in ")
    assert len(finding.images) == 12
