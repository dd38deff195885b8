"""Sound as samples: a recording at one rate and length, scaled to one peak."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from convscope.datasets.augment.sound import (
    FULL_SCALE,
    SOUND_POLICIES,
    SoundPolicy,
    WaveAugment,
    sound_policy,
    unit_samples,
)
from convscope.datasets.dataset import Dataset
from convscope.datasets.duplicates import Duplicates
from convscope.datasets.inputs.kind import DecodedInput, InputData, InputPreprocessing
from convscope.datasets.inputs.series_drawing import draw_lines
from convscope.datasets.inputs.settings import InputSettings
from convscope.datasets.inputs.sound import longer_note
from convscope.datasets.inputs.sound_files import at_samples, read_sound
from convscope.datasets.inputs.sound_reading import DEFAULT_RATE, SOUND_SETTINGS, usual_length, with_reading
from convscope.datasets.series_duplicates import duplicate_series
from convscope.errors import DataError

DRAWN = 2000  # samples that a drawing shows


class WavePreprocessing(InputPreprocessing, frozen=True, extra="forbid"):
    """Preprocessing of recordings as samples: to one rate, the middle, scaled to a peak of 1, (value - mean) / std.

    Samples are stored with 16 bits. Shorter recordings have 0 on both sides.
    """

    kind: Literal["sound_wave"] = "sound_wave"
    size: tuple[int]
    """Samples."""
    rate: int = Field(DEFAULT_RATE, gt=0)

    nouns: ClassVar[tuple[str, str]] = ("recording", "recordings")
    sides: ClassVar[tuple[str, ...]] = ("samples",)
    mirrors: ClassVar[bool] = False
    widest: ClassVar[int] = 32
    own_settings: ClassVar[frozenset[str]] = SOUND_SETTINGS
    storage: ClassVar[np.dtype[Any]] = np.dtype(np.int16)

    @classmethod
    def from_data(cls, data: InputData, size: tuple[int, ...], stored: NDArray[Any], rows: NDArray[np.int64]) -> Self:
        """A mean of 0, and the deviation of each channel over the training recordings."""
        power, count = np.zeros(data.channels), 0
        for row in np.sort(rows):
            values = stored[row].astype(np.float64) / FULL_SCALE
            power, count = power + (values**2).sum(1), count + values.shape[1]
        std = np.sqrt(power / max(1, count))
        std = np.where(std > 0, std, 1.0)
        return cls(
            size=(size[0],),
            channels=data.channels,
            mean=(0.0,) * data.channels,
            std=tuple(std.tolist()),
            rate=data.reading.rate,
        )

    @classmethod
    def decode_row(cls, data: InputData, row: int, size: tuple[int, ...]) -> NDArray[np.int16]:
        """The samples of a file, (C, L)."""
        return at_samples(stored_samples(data.images[row], data.reading.rate, data.channels), size[0])

    @classmethod
    def find_duplicates(cls, stored: NDArray[Any], rows: NDArray[np.int64]) -> Duplicates:
        """Equal recordings, and those that differ only by their level and noise of 1 %."""
        return duplicate_series(stored, rows)

    @classmethod
    def with_settings(cls, data: Dataset, settings: InputSettings) -> Dataset:
        """At the rate and in the form of the settings."""
        return with_reading(super().with_settings(data, settings), settings)

    @property
    def settings(self) -> InputSettings:
        """The rate, as samples."""
        return InputSettings(form="wave", rate=self.rate)

    @classmethod
    def usual_size(cls, data: Dataset) -> tuple[tuple[int, ...], str]:
        """The samples of nearly all recordings."""
        seconds, why = usual_length(data.sizes[:, 0] / data.reading.rate)
        return (max(1, round(seconds * data.reading.rate)),), why

    @classmethod
    def cut_note(cls, data: Dataset, size: tuple[int, ...]) -> str:
        """A note on longer recordings."""
        longer = int((data.sizes[:, 0] > size[0]).sum())
        return longer_note(longer, size[0] / data.reading.rate, f"[{int(data.sizes.max())}]") if longer else ""

    @classmethod
    def policy(cls, name: str, changes: Mapping[str, float]) -> SoundPolicy:
        """One of `SOUND_POLICIES` with changes."""
        return SoundPolicy.model_validate({**SOUND_POLICIES[name].model_dump(), **changes})

    @classmethod
    def augmentation(cls, policy: Any, mirror: bool) -> WaveAugment:  # noqa: ARG003
        """See `augment.sound`."""
        return WaveAugment(sound_policy(policy))

    def decode(self, file: Path | bytes | NDArray[Any], any_size: bool = False) -> DecodedInput:
        """The samples of a file or of its bytes; `any_size` keeps their number."""
        if isinstance(file, np.ndarray):
            raise DataError("recording: read from files only; write the samples to a .wav file")
        whole = stored_samples(file, self.rate, self.channels)
        length = whole.shape[1] if any_size else self.size[0]
        start = (whole.shape[1] - length) / 2
        return DecodedInput(at_samples(whole, length), (whole.shape[1],), (start, start + length))

    @staticmethod
    def normalise(
        x: Tensor, mean: Tensor, std: Tensor, layout: torch.memory_format = torch.contiguous_format
    ) -> Tensor:  # fmt: skip
        """(B, C, L) int16, or floats in [-1, 1], to (value - mean) / std."""
        return ((unit_samples(x) - mean) / std).contiguous(memory_format=layout)

    @staticmethod
    def draw(values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) the channels as lines over time."""
        return draw_lines(values[:, :: max(1, values.shape[1] // DRAWN)])


def stored_samples(source: Path | bytes, rate: int, channels: int) -> NDArray[np.int16]:
    """(C, T) the samples of a file, scaled to one peak, as int16.

    Raises:
        DataError: as for `read_sound`.
    """
    samples = read_sound(source, rate, channels)
    peak = max(float(np.abs(samples).max()), 1e-9)
    scaled: NDArray[np.int16] = np.rint(samples / peak * (FULL_SCALE - 1)).astype(np.int16)
    return scaled
