"""Whether positions matter: a convolutional network and an MLP on the data as they are, and with positions shuffled.

If the columns of the data can be swapped without harm, convolutions have no advantage: neighbours mean nothing there.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.api.baseline_sentences import LOCALITY, shuffled_name
from convscope.runs.loaders import PreparedData
from convscope.runs.recipe import SCRATCH

NETWORKS: dict[str, dict[str, Any]] = {"cnn": {"transfer.checkpoint": SCRATCH}, "mlp": {"model.name": "mlp"}}


def locality_recipes(prepared: PreparedData, out: Path, seed: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (name, source, settings) of the four trainings; the shuffled data are written below `out`.

    Images are used at the size of `prepared` and without augmentation, since shifts of shuffled images mean nothing.
    """
    folder = out / f"{LOCALITY}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    size = tuple(prepared.store.pixels.shape[2:])
    for shuffled in (False, True):
        path = folder / f"{'shuffled' if shuffled else 'as_they_are'}.npz"
        np.savez(path, **_arrays(prepared, _permutation(size, seed) if shuffled else None))
        for name, network in NETWORKS.items():
            common = {"augment.policy": "none", "data.size": size, "seed": seed}
            yield shuffled_name(name, shuffled), str(path), {**network, **common}


def _permutation(size: Sequence[int], seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(int(np.prod(size)))


def _arrays(prepared: PreparedData, order: NDArray[np.int64] | None) -> dict[str, NDArray[Any]]:
    """Return the training and validation images and their labels, all with their positions in this order."""
    arrays: dict[str, NDArray[Any]] = {"classes": np.array(prepared.dataset.classes)}
    for split, short in (("train", "train"), ("validation", "val")):
        rows = prepared.rows(split)
        values = prepared.store.pixels[prepared.store_index[rows]]
        if order is not None:
            flat = values.reshape(*values.shape[:2], -1)
            values = flat[:, :, order].reshape(values.shape)
        arrays[f"x_{short}"] = np.moveaxis(values, 1, -1) if values.dtype == np.uint8 else values
        arrays[f"y_{short}"] = prepared.dataset.targets[rows]
    return arrays
