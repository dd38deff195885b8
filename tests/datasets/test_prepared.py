"""Features of frozen layers: all of them, or as many as the time allows."""

import numpy as np
import pytest
import torch

from convscope.datasets import compute_features
from convscope.datasets.batches import Batches, BatchSettings

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 4), dtype=np.uint8)
BATCHES = Batches(PIXELS, np.arange(20), np.arange(20), BatchSettings(batch=8, mean=(0.5,) * 3, std=(0.2,) * 3))


def brightness(x):
    return x.mean((2, 3))


def features_until(stop, views=2):
    """Features for which `stop` (view, done) ends the computation."""
    return compute_features([BATCHES] * views, brightness, f"until {stop}", lambda *done: done == stop)


@pytest.mark.parametrize(
    ("stop", "views", "images"), [((9, 9), 2, 20), ((0, 8), 1, 8), ((0, 16), 1, 16), ((0, 20), 1, 20), ((1, 8), 1, 20)]
)
def test_complete_views_are_kept_or_the_first_images_of_the_first(stop, views, images):
    found = features_until(stop)
    assert found.x.shape == (views, images, 3)
    assert found.y.tolist() == list(range(images))
    assert found.images == views * images
    expected = torch.cat([brightness(x) for x, _ in BATCHES(0)])
    assert torch.equal(found.x[0], expected[:images])


def test_batches_can_be_restricted_to_some_images_in_another_order():
    rows = torch.tensor([5, 0, 19])
    part = BATCHES.restricted(rows)
    (x, y), whole = next(iter(part(0))), torch.cat([x for x, _ in BATCHES(0)])
    assert y.tolist() == [5, 0, 19]
    assert torch.equal(x, whole[rows])
    assert len(part) == 1
    assert part.restricted(torch.tensor([2])).targets.tolist() == [19]
    assert len(BATCHES.targets) == 20, "the others are unchanged"
