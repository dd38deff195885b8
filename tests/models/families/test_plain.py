"""The plain network: every number of it is an option."""

import pytest
import torch
from torch import nn

from convscope.errors import ModelError
from convscope.models import MODELS


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_parameters_are_those_worked_out_by_hand() -> None:
    """Convolutions without bias before a norm of two numbers per filter; then the fully connected layers."""
    assert count(MODELS["plain"](10)) == (27 + 2 * 64 * 9) * 64 + 3 * 2 * 64 + 64 * 10 + 10 == 76_490
    options = {"filters": (4, 8), "depth": 2, "kernel": 5, "widths": (6,), "norm": "none"}
    convolutions = 25 * (1 * 4 + 4 * 4 + 4 * 8 + 8 * 8) + 2 * 4 + 2 * 8
    assert count(MODELS["plain"](3, channels=1, **options)) == convolutions + (8 * 6 + 6) + (6 * 3 + 3)


def test_each_further_number_of_filters_is_a_stage_of_half_the_side() -> None:
    model = MODELS["plain"](3, channels=1, filters=(4, 6, 8, 10)).eval()
    maps = model.features(torch.zeros(1, 1, 32, 32))
    assert [tuple(one.shape[1:]) for one in maps] == [(6, 16, 16), (8, 8, 8), (10, 4, 4)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"filters": (64,)},
            "plain: option filters is (64,); tuple should have at least 2 items after validation, not 1",
        ),
        ({"depth": 0}, "plain: option depth is 0; it should be greater than or equal to 1"),
        ({"kernel": 0}, "plain: option kernel is 0; it should be greater than or equal to 1"),
        ({"layers": 2}, "plain: no option layers; did you mean filters?"),
    ],
)  # fmt: skip
def test_options_that_make_no_network_are_refused(options, message) -> None:
    with pytest.raises(ModelError) as caught:
        MODELS["plain"](3, **options)
    assert str(caught.value) == message
