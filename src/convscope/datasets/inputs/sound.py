"""Sound as a picture: the log-mel spectrogram of a recording, the highest band on top."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from convscope.datasets.augment.pipeline import normalised
from convscope.datasets.augment.sound import SOUND_POLICIES, SoundPolicy, SpectrogramAugment, sound_policy
from convscope.datasets.dataset import Dataset
from convscope.datasets.duplicates import Duplicates
from convscope.datasets.inputs.kind import DecodedInput, InputData, InputPreprocessing
from convscope.datasets.inputs.mel import BANDS, HOPS, RANGE, columns_of, decibels, mel_power
from convscope.datasets.inputs.settings import InputSettings
from convscope.datasets.inputs.sound_files import at_samples, read_sound
from convscope.datasets.inputs.sound_reading import DEFAULT_RATE, SOUND_SETTINGS, usual_length, with_reading
from convscope.datasets.series_duplicates import duplicate_spectra
from convscope.datasets.statistics import channel_statistics
from convscope.errors import DataError


class SoundPreprocessing(InputPreprocessing, frozen=True, extra="forbid"):
    """Preprocessing of recordings: to one rate, to a log-mel spectrogram of the middle, (value / 255 - mean) / std.

    A spectrogram holds the 80 decibels below its loudest value, as 0 to 255; shorter recordings have 0 on both sides.
    """

    kind: Literal["sound"] = "sound"
    size: tuple[int, int]
    """Bands and columns of 10 ms."""
    rate: int = Field(DEFAULT_RATE, gt=0)

    nouns: ClassVar[tuple[str, str]] = ("recording", "recordings")
    sides: ClassVar[tuple[str, ...]] = ("bands", "columns")
    mirrors: ClassVar[bool] = False
    widest: ClassVar[int] = 32
    own_settings: ClassVar[frozenset[str]] = SOUND_SETTINGS
    forks: ClassVar[bool] = False

    @classmethod
    def from_data(cls, data: InputData, size: tuple[int, ...], stored: NDArray[Any], rows: NDArray[np.int64]) -> Self:
        """Mean and deviation of each channel over the spectrograms of the training recordings."""
        mean, std = channel_statistics(stored, rows)
        return cls(
            size=(size[0], size[1]),
            channels=data.channels,
            mean=tuple(mean.tolist()),
            std=tuple(std.tolist()),
            rate=data.reading.rate,
        )

    @classmethod
    def decode_row(cls, data: InputData, row: int, size: tuple[int, ...]) -> NDArray[np.uint8]:
        """The spectrogram of a file, (C, bands, columns)."""
        return at_samples(spectrogram(data.images[row], data.reading.rate, data.channels, size[0]), size[1])

    @classmethod
    def find_duplicates(cls, stored: NDArray[Any], rows: NDArray[np.int64]) -> Duplicates:
        """Equal spectrograms, and nearly equal ones, whatever their level."""
        return duplicate_spectra(stored, rows)

    @classmethod
    def with_settings(cls, data: Dataset, settings: InputSettings) -> Dataset:
        """At the rate and in the form of the settings."""
        return with_reading(super().with_settings(data, settings), settings)

    @property
    def settings(self) -> InputSettings:
        """The rate and the bands."""
        return InputSettings(rate=self.rate, bands=self.size[0])

    @classmethod
    def usual_size(cls, data: Dataset) -> tuple[tuple[int, ...], str]:
        """All bands, and the columns of nearly all recordings."""
        columns, why = usual_length(data.sizes[:, 1] / HOPS)
        return (int(data.sizes[0, 0]), max(1, round(columns * HOPS))), why

    @classmethod
    def cut_note(cls, data: Dataset, size: tuple[int, ...]) -> str:
        """A note on longer recordings."""
        longer = int((data.sizes[:, 1] > size[1]).sum())
        return longer_note(longer, size[1] / HOPS, f"[{size[0]}, {int(data.sizes[:, 1].max())}]") if longer else ""

    @classmethod
    def policy(cls, name: str, changes: Mapping[str, float]) -> SoundPolicy:
        """One of `SOUND_POLICIES` with changes."""
        return SoundPolicy.model_validate({**SOUND_POLICIES[name].model_dump(), **changes})

    @classmethod
    def augmentation(cls, policy: Any, mirror: bool) -> SpectrogramAugment:  # noqa: ARG003
        """See `augment.sound`."""
        return SpectrogramAugment(sound_policy(policy))

    def decode(self, file: Path | bytes | NDArray[Any], any_size: bool = False) -> DecodedInput:
        """The spectrogram of a file or of its bytes; `any_size` keeps its length."""
        if isinstance(file, np.ndarray):
            raise DataError("recording: read from files only; write the samples to a .wav file")
        whole = spectrogram(file, self.rate, self.channels, self.size[0])
        columns = whole.shape[2] if any_size else self.size[1]
        start = (whole.shape[2] - columns) / 2
        visible = (start, 0.0, start + columns, float(self.size[0]))
        return DecodedInput(at_samples(whole, columns), (self.size[0], whole.shape[2]), visible)

    @staticmethod
    def normalise(
        x: Tensor, mean: Tensor, std: Tensor, layout: torch.memory_format = torch.contiguous_format
    ) -> Tensor:  # fmt: skip
        """(B, C, bands, columns) uint8, or floats in [0, 1], to (value - mean) / std."""
        return normalised(x, mean, std, layout)

    @staticmethod
    def draw(values: NDArray[Any]) -> NDArray[np.uint8]:
        """(bands, columns, 3) the first channel in grey, loud values light."""
        return np.ascontiguousarray(values[[0, 0, 0]].transpose(1, 2, 0))


def spectrogram(
    source: Path | bytes, rate: int, channels: int = 1, bands: int = BANDS
) -> NDArray[np.uint8]:  # fmt: skip
    """(C, bands, columns) the log-mel spectrogram of a file, the highest band first; 255 is its loudest value.

    Raises:
        DataError: as for `read_sound`.
    """
    samples = read_sound(source, rate, channels)
    level = decibels(mel_power(torch.from_numpy(samples), rate, bands))
    values: NDArray[np.uint8] = ((level + RANGE) * (255 / RANGE)).round().to(torch.uint8).flip(1).numpy()
    assert values.shape[2] == columns_of(samples.shape[1], rate)
    return values


def longer_note(longer: int, seconds: float, all_of_it: str) -> str:
    """A note on recordings that are cut."""
    one = "1 recording is" if longer == 1 else f"{longer:,} recordings are"
    return f"{one} cut to the {seconds:.2f} s in the middle; set data.size to {all_of_it} to keep all"
