"""Examples that fit neither in memory nor on disk: decoded on access, every epoch."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.dataset import Dataset
from convscope.datasets.inputs.opening import quiet_pillow
from convscope.datasets.inputs.registry import INPUT_KINDS
from convscope.errors import DataError


class LazyStore:
    """Replaces an array (N, C, ...) of a kind of input for access to rows by number, slice or index array.

    Threads decode, because Pillow releases the GIL; processes would have to transfer the pixels.

    Args:
        dataset: N images or other examples.
        size: (H, W), see `fit`; or the sides of another kind of input.
        threads: number of decoding threads.
    """

    def __init__(self, dataset: Dataset, size: tuple[int, ...], threads: int) -> None:
        self.dataset, self.size, self.threads = dataset, size, threads
        self.dtype, self.ndim = INPUT_KINDS[dataset.input_kind].storage, 2 + len(size)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, ...)."""
        return len(self.dataset), self.dataset.channels, *self.size

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """The values of one row (C, ...) or of several (M, C, ...); 0 for those that cannot be decoded."""
        chosen = np.arange(len(self))[key]
        if chosen.ndim == 0:
            return self._row(int(chosen))
        found = np.zeros((len(chosen), *self.shape[1:]), self.dtype)
        with quiet_pillow(), ThreadPoolExecutor(self.threads, "convscope-decode") as pool:
            for index, pixels in enumerate(pool.map(self._row, chosen.tolist())):
                found[index] = pixels
        return found

    def _row(self, row: int) -> NDArray[Any]:
        try:
            return decode_image(self.dataset, row, self.size)
        except DataError:
            return np.zeros(self.shape[1:], self.dtype)


def decode_image(dataset: Dataset, row: int, size: tuple[int, ...]) -> NDArray[Any]:
    """One example of a dataset, (C, ...) at `size`.

    Raises:
        DataError: it cannot be decoded; the message does not contain its name.
    """
    path = dataset.images[row]
    try:
        return INPUT_KINDS[dataset.input_kind].decode_row(dataset, row, size)
    except DataError as error:
        raise DataError(str(error).removeprefix(f"{path}: ")) from error
