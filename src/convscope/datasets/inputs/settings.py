"""The user's settings of inputs that are not images; each kind of input uses those that concern it."""

from typing import Literal

from pydantic import BaseModel, Field

from convscope.datasets.inputs.mel import BANDS


class InputSettings(BaseModel, frozen=True, extra="forbid"):
    """How files become the network's input, for other files than images.

    Of recordings, `form` is "mel", a log-mel spectrogram, or "wave", the samples; `rate` is in samples per second, 0:
    the most frequent rate of the files, at most 22,050; `bands` are those of the spectrogram.

    Of texts, `tokens` are "words" or "bytes"; `vocabulary` is the largest number of them that the network knows, and
    `fewest` how often one must occur in the training texts.
    """

    form: Literal["mel", "wave"] = "mel"
    rate: int = Field(0, ge=0, le=192_000)
    bands: int = Field(BANDS, ge=8, le=512)
    tokens: Literal["words", "bytes"] = "words"
    vocabulary: int = Field(20_000, ge=1, le=1_000_000)
    fewest: int = Field(2, ge=1)
