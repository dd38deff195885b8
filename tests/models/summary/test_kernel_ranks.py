"""Ranks of trained kernels, against kernels made of a known number of columns and rows."""

import torch

from convscope.models.summary.kernel_ranks import layer_ranks, ranks_of_kernels, ranks_table


def test_kernels_of_rank_one_lose_nothing_as_a_column_times_a_row() -> None:
    weight = torch.rand(4, 3, 5, 1) * torch.rand(4, 3, 1, 5)
    found = layer_ranks("conv", weight)
    assert found.ranks == {1: 1.0}
    assert found.loss < 1e-6
    assert (found.kernels, found.size, found.weights, found.pair_weights) == (12, (5, 5), 25, 10)


def test_the_error_of_the_nearest_column_times_row_is_that_of_the_singular_values() -> None:
    """The identity has three equal singular values, so two thirds of the squares are lost; a zero kernel loses none."""
    found = layer_ranks("conv", torch.stack([torch.eye(3), torch.zeros(3, 3)])[None])
    assert found.ranks == {0: 0.5, 3: 0.5}
    assert found.loss == ((2 / 3) ** 0.5) / 2


def test_only_kernels_with_rows_and_columns_are_reported() -> None:
    state = {
        "a.weight": torch.rand(2, 2, 3, 3), "b.weight": torch.rand(2, 2, 1, 1), "c.weight": torch.rand(2, 2, 1, 7),
        "d.weight": torch.rand(5, 5), "e.weight": torch.rand(4), "a.bias": torch.rand(2),
    }  # fmt: skip
    layers = tuple(ranks_of_kernels(state))
    assert [one.layer for one in layers] == ["a"]
    assert ranks_table(layers)[1][:2] == ("a", "4 of 3x3")
