"""Bootstrap intervals, compared with closed-form ones."""

import math

import numpy as np
import pytest
import torch

from convscope.tasks.multilabel import Multilabel
from convscope.tasks.proportions import wilson
from convscope.tasks.resampled import bootstrap_interval
from convscope.tasks.segment import Segment


def test_the_interval_of_a_proportion_is_close_to_wilsons() -> None:
    hits = np.arange(400) < 320
    found, known = bootstrap_interval(lambda rows: float(hits[rows].mean()), 400), wilson(320, 400)
    assert found.value == 0.8
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=0.01)
    assert bootstrap_interval(lambda rows: float(hits[rows].mean()), 400) == found


def test_the_interval_of_no_images_is_nan() -> None:
    for found in (bootstrap_interval(lambda _: 1.0, 0), bootstrap_interval(lambda _: math.nan, 5)):
        assert math.isnan(found.low)
        assert math.isnan(found.high)


def test_a_meter_of_masks_returns_its_interval_also_when_restored() -> None:
    generator = torch.Generator().manual_seed(0)
    task = Segment(("ground", "thing"))
    meter = task.meter()
    for _ in range(5):
        truth = torch.randint(2, (8, 12, 12), generator=generator)
        noise = torch.rand(8, 1, 1, generator=generator)  # some images have more errors than others
        wrong = torch.rand(8, 12, 12, generator=generator) < noise
        meter.add(torch.nn.functional.one_hot(truth ^ wrong.long(), 2).movedim(-1, 1).float(), truth.byte())
    found = task.interval(meter)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(meter.scores()["miou"])
    assert task.interval(task.meter(meter.arrays())) == found


def test_multilabel_scores_have_an_interval_of_the_mean_average_precision() -> None:
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(2, (60, 3), generator=generator).float()
    task = Multilabel(("a", "b", "c"))
    meter = task.meter()
    meter.add(target + torch.randn(60, 3, generator=generator), target)
    found = task.interval(meter)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(meter.scores()["map"])
