"""Images that fit neither in memory nor on the disk: decoded when they are asked for, in every epoch anew."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.data.dataset import Dataset
from convscope.data.inputs.image import ImageSpec, decode, fit, quiet_pillow
from convscope.errors import DataError


class LazyStore:
    """Stands where an array (N, C, H, W) of bytes would, as far as rows are asked of it: by number, slice or index.

    Threads decode, since Pillow lets go of Python's lock meanwhile: processes would have to hand the pixels over.

    Args:
        dataset: N images.
        size: (H, W), see `fit`.
        threads: that decode.
    """

    dtype, ndim = np.dtype(np.uint8), 4

    def __init__(self, dataset: Dataset, size: tuple[int, int], threads: int) -> None:
        self.dataset, self.size, self.threads = dataset, size, threads

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, C, H, W)."""
        return len(self.dataset), self.dataset.channels, *self.size

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        """The pixels of one row (C, H, W) or of several (M, C, H, W); what cannot be decoded is black."""
        chosen = np.arange(len(self))[key]
        if chosen.ndim == 0:
            return self._row(int(chosen))
        found = np.zeros((len(chosen), *self.shape[1:]), np.uint8)
        with quiet_pillow(), ThreadPoolExecutor(self.threads, "convscope-decode") as pool:
            for place, pixels in enumerate(pool.map(self._row, chosen.tolist())):
                found[place] = pixels
        return found

    def _row(self, row: int) -> NDArray[np.uint8]:
        try:
            return decode_image(self.dataset, row, self.size)
        except DataError:
            return np.zeros(self.shape[1:], np.uint8)


def decode_image(dataset: Dataset, row: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """One image of a data set, (C, H, W) at `size`.

    Raises:
        DataError: why it cannot be decoded, without its name.
    """
    if not isinstance(dataset.images, tuple):
        pixels = dataset.images[row]
        return fit(pixels, pixels.shape[:2], size).transpose(2, 0, 1)
    path = dataset.images[row]
    try:
        return decode(path, ImageSpec(size, dataset.channels, dataset.white)).pixels
    except DataError as error:
        raise DataError(str(error).removeprefix(f"{path}: ")) from error
