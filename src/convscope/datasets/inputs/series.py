"""Series: (C, L) numbers over time, padded to one length with a mask, normalised per channel."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convscope.datasets.augment.series import SERIES_POLICIES, SeriesAugment, SeriesPolicy, series_augment
from convscope.datasets.dataset import Dataset
from convscope.datasets.duplicates import Duplicates
from convscope.datasets.inputs.kind import DecodedInput, InputData, InputPreprocessing
from convscope.datasets.inputs.series_drawing import draw_lines
from convscope.datasets.inputs.series_files import read_series
from convscope.datasets.series_duplicates import duplicate_series
from convscope.errors import DataError

LONGEST = 8192
"""Values of the network's input; of longer series the beginning is used unless data.size is set."""


class SeriesPreprocessing(InputPreprocessing, frozen=True, extra="forbid"):
    """Preprocessing of series: (value - mean) / std per channel; missing values become 0.

    Values are missing (NaN) in the file or beyond the end of a shorter series. With `mask`, a last channel says where:
    1 for a value and 0 for none. Its mean is 0 and its deviation 1.
    """

    kind: Literal["series"] = "series"
    size: tuple[int]
    mask: bool = False

    nouns: ClassVar[tuple[str, str]] = ("series", "series")
    sides: ClassVar[tuple[str, ...]] = ("length",)
    mirrors: ClassVar[bool] = False
    storage: ClassVar[np.dtype[Any]] = np.dtype(np.float32)

    @classmethod
    def from_data(cls, data: InputData, size: tuple[int, ...], stored: NDArray[Any], rows: NDArray[np.int64]) -> Self:
        """Mean and deviation of each channel over the known values of the training series."""
        train = stored[rows].astype(np.float64)
        known = np.isfinite(train)
        count = np.maximum(known.sum((0, 2)), 1)
        mean = np.where(known, train, 0).sum((0, 2)) / count
        square = np.where(known, (train - mean[:, None]) ** 2, 0).sum((0, 2)) / count
        std = np.where(square > 0, np.sqrt(square), 1.0)
        mask = int(data.channels > train.shape[1])
        return cls(
            size=(size[0],),
            channels=data.channels,
            mean=(*mean.tolist(), *[0.0] * mask),
            std=(*std.tolist(), *[1.0] * mask),
            mask=bool(mask),
        )

    @classmethod
    def store_arrays(cls, data: InputData, size: tuple[int, ...]) -> NDArray[Any]:
        """(N, C, L) float32, the beginning of longer series; NaN beyond the end of shorter ones."""
        assert not isinstance(data.images, tuple)  # the reader has read all files
        return at_length(data.images, size[0])

    @classmethod
    def decode_row(cls, data: InputData, row: int, size: tuple[int, ...]) -> NDArray[np.float32]:
        """(C, L) float32 of a series in memory."""
        series: NDArray[np.float32] = at_length([np.asarray(data.images[row])], size[0])[0]
        return series

    @classmethod
    def usual_size(cls, data: Dataset) -> tuple[tuple[int, ...], str]:
        """The length of the longest series."""
        longest, shortest = int(data.sizes.max()), int(data.sizes.min())
        why = f"series of {shortest:,}{'' if shortest == longest else f' to {longest:,}'} values"
        return (min(longest, LONGEST),), why

    @classmethod
    def cut_note(cls, data: Dataset, size: tuple[int, ...]) -> str:
        """Series that are longer than `size` (L,) are cut at their end."""
        longer = int((data.sizes[:, 0] > size[0]).sum())
        return f"{longer:,} series are cut to their first {size[0]:,} values" if longer else ""

    @classmethod
    def find_duplicates(cls, stored: NDArray[Any], rows: NDArray[np.int64]) -> Duplicates:
        """Equal series, and those that differ only by scale, offset and noise of 1 %."""
        return duplicate_series(stored, rows)

    @classmethod
    def policy(cls, name: str, changes: Mapping[str, float]) -> SeriesPolicy:
        """One of `SERIES_POLICIES` with changes."""
        return SeriesPolicy.model_validate({**SERIES_POLICIES[name].model_dump(), **changes})

    @classmethod
    def augmentation(cls, policy: Any, mirror: bool) -> SeriesAugment:  # noqa: ARG003
        """See `augment.series`."""
        return series_augment(policy)

    def decode(self, file: Path | bytes | NDArray[Any], any_size: bool = False) -> DecodedInput:
        """The only series of a file; `any_size` keeps its length."""
        if not isinstance(file, Path):
            raise DataError("series: read from files only; write the values to a .npy file")
        found = self.decode_all(file, any_size)
        if len(found) > 1:
            raise DataError(f"{file}: holds {len(found):,} series, not one; give a file of one series")
        return found[0][1]

    def decode_all(self, file: Path, any_size: bool = False) -> list[tuple[str, DecodedInput]]:
        """All series of a file; labels in it are ignored."""
        read, decoded = read_series(file), []
        own = self.channels - self.mask
        for number, row in enumerate(read.values):
            if row.shape[0] != own:
                raise DataError(f"{file}: has {row.shape[0]} channels, not {own}; give series like those of training")
            if not np.isfinite(row).any():
                raise DataError(f"{file}: series {number} has no finite value; remove it")
            length = row.shape[1] if any_size else self.size[0]
            name = str(file) if len(read.values) == 1 else f"{file}:{number}"
            values = at_length(row[None], length)[0]
            decoded.append((name, DecodedInput(values, (row.shape[1],), (0.0, float(length)))))
        return decoded

    @staticmethod
    def normalise(
        x: Tensor, mean: Tensor, std: Tensor, layout: torch.memory_format = torch.contiguous_format
    ) -> Tensor:  # fmt: skip
        """(B, C, L) float32; the mask, if `mean` has one more channel than the series, is appended."""
        known = torch.isfinite(x)
        own = x.shape[1]
        result = torch.where(known, (x - mean[:, :own]) / std[:, :own], torch.zeros((), device=x.device))
        if mean.shape[1] > own:
            result = torch.cat([result, known.all(1, keepdim=True).float()], 1)
        return result.contiguous(memory_format=layout)

    @staticmethod
    def draw(values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) the channels as lines over time."""
        return draw_lines(values)


SERIES = SeriesPreprocessing.model_fields["kind"].default


def at_length(series: Sequence[NDArray[Any]] | NDArray[Any], length: int) -> NDArray[np.float32]:
    """(N, C, L) series of one number of channels: the beginning of longer ones, NaN after shorter ones and for inf."""
    result = np.full((len(series), series[0].shape[0], length), np.nan, np.float32)
    for into, row in zip(result, series, strict=True):
        shown = row[:, :length]
        into[:, : shown.shape[1]] = np.where(np.isfinite(shown), shown, np.nan)
    return result
