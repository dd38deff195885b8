"""The user's settings of inputs that are not images; each kind of input uses those that concern it."""

from typing import Literal

from pydantic import BaseModel, Field, field_validator

from convscope.datasets.inputs.mel import BANDS
from convscope.errors import ConfigError


class InputSettings(BaseModel, frozen=True, extra="forbid"):
    """How files become the network's input, for other files than images.

    `kind` is one of `file_kinds.FILE_KINDS`, as which files are read whose extension several kinds have; "": detected.

    Of recordings, `form` is "mel", a log-mel spectrogram, or "wave", the samples; `rate` is in samples per second, 0:
    the most frequent rate of the files, at most 22,050; `bands` are those of the spectrogram.

    Of volumes, `spacing` is the millimetres from voxel to voxel (depth, height, width) that all are resampled to; None:
    they are resized. With the `scaling` "each", every volume is scaled by its own range of values.

    Of texts, `tokens` are "words" or "bytes"; `vocabulary` is the largest number of them that the network knows, and
    `fewest` how often one must occur in the training texts.
    """

    form: Literal["mel", "wave"] = "mel"
    rate: int = Field(0, ge=0, le=192_000)
    bands: int = Field(BANDS, ge=8, le=512)
    spacing: tuple[float, float, float] | None = None
    scaling: Literal["data", "each"] = "data"
    tokens: Literal["words", "bytes"] = "words"
    vocabulary: int = Field(20_000, ge=1, le=1_000_000)
    fewest: int = Field(2, ge=1)
    kind: str = ""

    @field_validator("spacing", mode="before")
    @classmethod
    def _of_each_axis(cls, value: object) -> object:
        return (value,) * 3 if isinstance(value, int | float) else value

    @field_validator("spacing")
    @classmethod
    def _positive(cls, value: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
        if value is not None and not all(0 < one < float("inf") for one in value):
            raise ValueError("write millimetres from voxel to voxel, like [1, 1, 1] or one number for all axes")
        return value

    def only(self, source: str, noun: str, *used: str) -> None:
        """Check that no other settings than those are set.

        Args:
            source: the data.
            noun: what they hold.
            used: the settings of this kind of input.

        Raises:
            ConfigError: another one is set.
        """
        for name, value in self.model_dump(exclude_defaults=True).items():
            if name not in (*used, "kind"):
                raise ConfigError(f"input.{name} is {value!r}, but {source} holds {noun}; remove it")
