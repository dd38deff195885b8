"""All masks, at the size of the decoded images, as one array of class indices."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.opening import quiet_pillow
from convscope.datasets.store.resources import available_memory, usable_cores
from convscope.datasets.targets.kind import TargetData
from convscope.datasets.targets.mask_files import IGNORE, fit_mask, read_mask
from convscope.errors import DataError


def build_masks(dataset: TargetData, size: tuple[int, int]) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """(N, H, W) masks, and the reasons for unreadable ones, which are filled with 255.

    Raises:
        DataError: the masks do not fit in half of the free memory.
    """
    shape = (len(dataset), *size)
    if int(np.prod(shape)) > 0.5 * available_memory():
        raise DataError(f"{dataset.source}: masks of {np.prod(shape) / 1e9:.1f} GB; choose a smaller image size")
    found = np.full(shape, IGNORE, np.uint8)
    unreadable: dict[int, str] = {}
    masks = dataset.masks

    def load_mask(row: int) -> None:
        try:
            if isinstance(masks, tuple):
                found[row] = read_mask(masks[row], dataset.palette, size, dataset.fit)
            elif masks is not None:
                found[row] = fit_mask(masks[row], size, dataset.fit)
        except DataError as error:
            unreadable[row] = f"its mask: {error}"

    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-masks") as pool:
        list(pool.map(load_mask, range(len(dataset))))
    return found, unreadable
