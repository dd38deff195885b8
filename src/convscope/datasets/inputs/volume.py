"""Volumes: (C, D, H, W) voxels as bytes, at one size, normalised per channel."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convscope.datasets.augment.pipeline import normalised
from convscope.datasets.augment.policies import named_policy
from convscope.datasets.augment.volume import VOLUME_POLICIES, VolumeAugment, VolumePolicy
from convscope.datasets.dataset import Dataset
from convscope.datasets.duplicates import Duplicates, equal_only
from convscope.datasets.inputs.dicom_series import one_per_series
from convscope.datasets.inputs.kind import DecodedInput, InputData, InputPreprocessing
from convscope.datasets.inputs.settings import InputSettings
from convscope.datasets.inputs.values import FULL_WHITE
from convscope.datasets.inputs.volume_drawing import draw_slices
from convscope.datasets.inputs.volume_files import Volume, read_volume
from convscope.datasets.inputs.volume_reading import Ends, VolumeReading, fitted, with_reading
from convscope.datasets.statistics import channel_statistics
from convscope.errors import DataError

LONGEST_SIDE = 32
"""Voxels of each side of the network's input at most, unless data.size is set."""


class VolumePreprocessing(InputPreprocessing, frozen=True, extra="forbid"):
    """Preprocessing of volumes: to bytes from `black` to `white`, to `size`, (value / 255 - mean) / std.

    With `spacing`, in millimetres (depth, height, width), a volume is resampled to it and its middle is used, with 0
    around smaller ones; else it is resized as a whole. With `each`, its own 0.5 and 99.5 percentiles become 0 and 255.
    """

    kind: Literal["volume"] = "volume"
    size: tuple[int, int, int]
    white: tuple[float, ...] = (FULL_WHITE,)
    black: tuple[float, ...] = (0.0,)
    spacing: tuple[float, float, float] | None = None
    each: bool = False

    nouns: ClassVar[tuple[str, str]] = ("volume", "volumes")
    sides: ClassVar[tuple[str, ...]] = ("depth", "height", "width")
    mirrors: ClassVar[bool] = False
    widest: ClassVar[int] = 16
    forks: ClassVar[bool] = False
    ranged: ClassVar[bool] = True
    sheets: ClassVar[bool] = True

    @classmethod
    def from_data(cls, data: InputData, size: tuple[int, ...], stored: NDArray[Any], rows: NDArray[np.int64]) -> Self:
        """Mean and deviation of each channel over the training volumes."""
        mean, std = channel_statistics(stored, rows)
        return cls(
            size=(size[0], size[1], size[2]),
            channels=data.channels,
            mean=tuple(mean.tolist()),
            std=tuple(std.tolist()),
            white=data.white,
            black=data.black,
            spacing=data.reading.spacing,
            each=data.reading.each,
        )

    @classmethod
    def decode_row(cls, data: InputData, row: int, size: tuple[int, ...]) -> NDArray[np.uint8]:
        """The volume of a file or of an array in memory, (C, *size)."""
        stored = data.images[row]
        volume = Volume(stored, None) if isinstance(stored, np.ndarray) else read_volume(stored)
        return fitted(volume, size, data.reading, Ends(data.black, data.white))

    @classmethod
    def with_settings(cls, data: Dataset, settings: InputSettings) -> Dataset:
        """At the spacing and with the scaling of the settings."""
        settings.only(data.source, cls.nouns[1], "spacing", "scaling")
        return with_reading(data, settings)

    @property
    def settings(self) -> InputSettings:
        """The kind, the spacing and the scaling."""
        return InputSettings(kind=self.kind, spacing=self.spacing, scaling="each" if self.each else "data")

    def read_as(self, data: Dataset) -> Dataset:
        """With these channels, range of values, and spacing."""
        reading = VolumeReading(self.spacing, self.each)
        return replace(data, channels=self.channels, white=self.white, black=self.black, reading=reading)

    @classmethod
    def usual_size(cls, data: Dataset) -> tuple[tuple[int, ...], str]:
        """The median of each side, at most `LONGEST_SIDE`."""
        median = np.median(data.sizes, axis=0).astype(int)
        same = bool((data.sizes == data.sizes[0]).all())
        shown = " x ".join(map(str, median.tolist()))
        why = f"volumes of {shown} voxels{'' if same else ', the median'}"
        return tuple(np.minimum(median, LONGEST_SIDE).tolist()), why

    @classmethod
    def cut_note(cls, data: Dataset, size: tuple[int, ...]) -> str:
        """Volumes that are resampled to a spacing are cut to their middle if they are larger than `size`."""
        larger = int((data.sizes > np.array(size)).any(1).sum()) if data.reading.spacing is not None else 0
        if not larger:
            return ""
        cut = "1 volume is" if larger == 1 else f"{larger:,} volumes are"
        return f"{cut} cut to the middle; set data.size to {data.sizes.max(0).tolist()} to keep all of it"

    @classmethod
    def find_duplicates(cls, stored: NDArray[Any], rows: NDArray[np.int64]) -> Duplicates:
        """Volumes with equal voxels at the input's size."""
        return equal_only(stored, rows)

    @classmethod
    def policy(cls, name: str, changes: Mapping[str, float]) -> VolumePolicy:
        """One of `VOLUME_POLICIES` with changes."""
        return VolumePolicy.model_validate({**named_policy(name, VOLUME_POLICIES).model_dump(), **changes})

    @classmethod
    def augmentation(cls, policy: Any, mirror: bool) -> VolumeAugment:  # noqa: ARG003
        """See `augment.volume`."""
        return VolumeAugment(named_policy(policy, VOLUME_POLICIES))

    @classmethod
    def one_per_example(cls, files: Iterable[Any]) -> Iterable[Any]:
        """Without the further slices of a DICOM series."""
        return one_per_series(files)

    def decode(self, file: Path | bytes | NDArray[Any], any_size: bool = False) -> DecodedInput:  # noqa: ARG002
        """The volume of a file or of its bytes; `any_size` is not supported."""
        if isinstance(file, np.ndarray):
            raise DataError("volume: read from files only; write the voxels to a .npy file")
        name = str(file) if isinstance(file, Path) else self.nouns[0]
        volume = read_volume(file)
        if len(volume.values) != self.channels:
            raise DataError(
                f"{name}: has {len(volume.values)} channels, not {self.channels}; give volumes like those of training"
            )
        whole = volume.values.shape[1:]
        try:
            values = fitted(volume, self.size, VolumeReading(self.spacing, self.each), Ends(self.black, self.white))
        except DataError as error:
            raise DataError(f"{name}: {error}") from error
        return DecodedInput(values, whole, (0.0, 0.0, 0.0, *map(float, whole[::-1])))

    @staticmethod
    def normalise(
        x: Tensor, mean: Tensor, std: Tensor, layout: torch.memory_format = torch.contiguous_format
    ) -> Tensor:  # fmt: skip
        """(B, C, D, H, W) uint8, or floats in [0, 1], to (value - mean) / std."""
        return normalised(x, mean, std, layout)

    @staticmethod
    def draw(values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) the middle slices across depth, height and width."""
        return draw_slices(values)
