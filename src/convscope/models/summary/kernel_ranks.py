"""How close the trained kernels of a network are to separable: a column times a row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from convscope.models.summary.convolution_steps import kernel_ranks

MAX_KERNELS = 20_000
"""Kernels per layer that are decomposed, spread evenly; a decomposition of 3x3 takes some microseconds."""
TOLERANCE = 0.05
"""Singular values below this fraction of the largest count as zero: trained kernels are never exactly low-rank."""


@dataclass(frozen=True)
class KernelRanks:
    """The kernels of one layer.

    `ranks` maps each rank to its share of the kernels; a kernel of rank 1 is separable. `loss` is the mean relative
    error (Frobenius norm) if each kernel is replaced by the nearest column times row, with `pair_weights` instead of
    `weights` numbers each.
    """

    layer: str
    size: tuple[int, int]
    kernels: int
    ranks: dict[int, float]
    loss: float

    @property
    def weights(self) -> int:
        """Numbers in a kernel."""
        return self.size[0] * self.size[1]

    @property
    def pair_weights(self) -> int:
        """Numbers in a column and a row."""
        return sum(self.size)


def ranks_of_kernels(state: Mapping[str, Tensor]) -> Iterator[KernelRanks]:
    """Yield the ranks of every layer of a state dict with two-dimensional kernels of more than one row and column."""
    for name, tensor in state.items():
        if name.endswith("weight") and tensor.dim() == 4 and min(tensor.shape[2:]) > 1:
            yield layer_ranks(name.removesuffix(".weight"), tensor)


def layer_ranks(layer: str, weight: Tensor) -> KernelRanks:
    """Return the ranks of the kernels of a weight (K, C, h, w)."""
    kernels = weight.detach().cpu().double().flatten(0, 1).numpy()
    chosen = kernels[np.unique(np.linspace(0, len(kernels) - 1, min(len(kernels), MAX_KERNELS)).astype(int))]
    ranks, counts = np.unique(kernel_ranks(chosen, TOLERANCE), return_counts=True)
    squares = np.square(np.linalg.svd(chosen, compute_uv=False))
    total = squares.sum(-1)
    lost = np.sqrt(np.divide(squares[:, 1:].sum(-1), total, out=np.zeros_like(total), where=total > 0))
    height, width = weight.shape[2:]
    shares = {int(rank): float(count) / len(chosen) for rank, count in zip(ranks, counts, strict=True)}
    return KernelRanks(layer, (height, width), len(kernels), shares, float(lost.mean()))


def ranks_table(layers: tuple[KernelRanks, ...]) -> list[tuple[str, ...]]:
    """Return the ranks as rows of text, header first."""
    rows: list[tuple[str, ...]] = [
        ("layer", "kernels", "separable (rank 1)", "mean rank", "error as column x row", "weights each")
    ]
    for one in layers:
        mean = sum(rank * share for rank, share in one.ranks.items())
        rows.append((
            one.layer, f"{one.kernels:,} of {one.size[0]}x{one.size[1]}", f"{100 * one.ranks.get(1, 0.0):.0f} %",
            f"{mean:.1f}", f"{100 * one.loss:.0f} %", f"{one.weights} -> {one.pair_weights}",
        ))  # fmt: skip
    return rows


def to_json(layers: tuple[KernelRanks, ...]) -> list[dict[str, Any]]:
    """Return plain data."""
    return [
        {
            "layer": one.layer, "size": list(one.size), "kernels": one.kernels,
            "ranks": {str(rank): share for rank, share in one.ranks.items()}, "loss": one.loss,
        }
        for one in layers
    ]  # fmt: skip
