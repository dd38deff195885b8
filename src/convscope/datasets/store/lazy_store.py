"""Images that fit neither in memory nor on disk: decoded on access, every epoch."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.dataset import Dataset
from convscope.datasets.inputs.fitting import fit
from convscope.datasets.inputs.image import decode
from convscope.datasets.inputs.opening import quiet_pillow
from convscope.errors import DataError


class LazyStore:
    """Replaces an array (N, C, H, W) of uint8 for access to rows by number, slice or index array.

    Threads decode, because Pillow releases the GIL; processes would have to transfer the pixels.

    Args:
        dataset: N images.
        size: (H, W), see `fit`.
        threads: number of decoding threads.
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
        """The pixels of one row (C, H, W) or of several (M, C, H, W); images that cannot be decoded are black."""
        chosen = np.arange(len(self))[key]
        if chosen.ndim == 0:
            return self._row(int(chosen))
        found = np.zeros((len(chosen), *self.shape[1:]), np.uint8)
        with quiet_pillow(), ThreadPoolExecutor(self.threads, "convscope-decode") as pool:
            for index, pixels in enumerate(pool.map(self._row, chosen.tolist())):
                found[index] = pixels
        return found

    def _row(self, row: int) -> NDArray[np.uint8]:
        try:
            return decode_image(self.dataset, row, self.size)
        except DataError:
            return np.zeros(self.shape[1:], np.uint8)


def decode_image(dataset: Dataset, row: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """One image of a dataset, (C, H, W) at `size`.

    Raises:
        DataError: it cannot be decoded; the message does not contain its name.
    """
    if not isinstance(dataset.images, tuple):
        pixels = dataset.images[row]
        return fit(pixels, pixels.shape[:2], size, dataset.fit).transpose(2, 0, 1)
    path = dataset.images[row]
    try:
        return decode(path, dataset.spec(size)).pixels
    except DataError as error:
        raise DataError(str(error).removeprefix(f"{path}: ")) from error
