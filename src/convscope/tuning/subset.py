"""A share of the training images, for searches that have no time for all of them."""

from dataclasses import replace

import numpy as np

from convscope.runs.loaders import PreparedData


def with_share(prepared: PreparedData, share: float, seed: int) -> PreparedData:
    """Return the data with a share of the training images; the classes keep their proportions.

    The images of validation stay as they are; those of test are left out, since a search does not use them.

    Args:
        prepared: all images.
        share: of the training images, from 0 to 1.
        seed: of the choice.
    """
    rows = prepared.rows("train")
    targets = prepared.dataset.targets[rows]
    order = np.random.default_rng(seed).permutation(len(rows))
    if targets.ndim == 1:
        order = order[np.argsort(targets[order], kind="stable")]
    count = max(1, round(share * len(rows)))
    chosen = rows[order[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]]
    kept = np.sort(np.concatenate([chosen, prepared.rows("validation")]))
    return replace(
        prepared,
        dataset=prepared.dataset.subset(kept),
        store_index=prepared.store_index[kept],
        split=prepared.split[kept],
    )
