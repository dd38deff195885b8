"""Detection of left-right asymmetry by nearest neighbours."""

import numpy as np
import pytest

from convscope.datasets import may_mirror
from convscope.datasets.augment.flip_check import LEAST, handedness
from convscope.layouts import digits, shapes


def pixels_of(dataset):
    return np.ascontiguousarray(np.asarray(dataset.images).transpose(0, 3, 1, 2))


def test_text_is_not_mirrored_and_shapes_are():
    writing, drawn = pixels_of(digits()), pixels_of(shapes(target_kind="classes"))
    assert may_mirror(writing, np.arange(len(writing))) is False
    assert may_mirror(drawn, np.arange(len(drawn))) is True


def test_the_share_equals_that_computed_per_image():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (LEAST, 1, 12, 12), np.uint8)

    def standard(image):
        flat = image.astype(float).ravel() - image.mean()
        return flat / np.linalg.norm(flat)

    nearer = 0
    for i in range(LEAST):
        others = [j for j in range(LEAST) if j != i]
        plain = max(standard(pixels[i]) @ standard(pixels[j]) for j in others)
        nearer += plain > max(standard(pixels[i]) @ standard(pixels[j][..., ::-1]) for j in others)
    assert handedness(pixels, np.arange(LEAST)) == pytest.approx(nearer / LEAST)


def test_constant_images_have_no_handedness_and_few_images_are_undefined():
    assert handedness(np.full((LEAST, 3, 16, 16), 7, np.uint8), np.arange(LEAST)) == 0.5
    assert may_mirror(np.zeros((100, 3, 16, 16), np.uint8), np.arange(LEAST - 1)) is None
