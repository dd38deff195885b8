"""How the recordings of a dataset are read: rate, form and bands; and what their headers say."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.dataset import Dataset
from convscope.datasets.inputs.mel import BANDS, HOPS, columns_of, hop_of
from convscope.datasets.inputs.settings import InputSettings
from convscope.datasets.inputs.sound_files import SoundHeader
from convscope.errors import ConfigError

SOUND, WAVE = "sound", "sound_wave"
"""The kinds of input of the forms "mel" and "wave"."""
SOUND_SETTINGS = frozenset(("form", "rate", "bands"))
"""The fields of `InputSettings` of recordings."""
DEFAULT_RATE = 16_000
LARGEST_RATE = 22_050
"""Samples per second that files of a higher rate are resampled to unless input.rate is set."""
NEARLY_ALL = 0.95
"""Share of the recordings that the network's input shows whole."""
LONGEST_INPUT = 10.0  # seconds, unless data.size is set


@dataclass(frozen=True)
class SoundReading:
    """How files become samples and spectrograms."""

    rate: int
    bands: int = BANDS


def describe_recordings(headers: Sequence[SoundHeader]) -> dict[str, Any]:
    """The fields of a dataset of recordings, read as spectrograms, from their headers."""
    rates = Counter(header.rate for header in headers)
    rate = min(rates.most_common(1)[0][0], LARGEST_RATE)
    seconds = [header.seconds for header in headers]
    reading = SoundReading(rate)
    columns = [columns_of(round(one * rate), rate) for one in seconds]
    return {
        "sizes": np.array([(reading.bands, one) for one in columns], np.int64),
        "channels": 1,
        "modes": dict(sorted(Counter(header.mode for header in headers).items())),
        "input_kind": SOUND,
        "reading": reading,
        "notes": _notes(headers, rates, rate),
    }


def with_reading(data: Dataset, settings: InputSettings) -> Dataset:
    """A dataset of spectrograms at the settings' rate and bands, or of samples if their form is "wave".

    Raises:
        ConfigError: the rate is too low.
    """
    rate = settings.rate or data.reading.rate
    if rate < 10 * HOPS:
        raise ConfigError(f"input.rate is {rate}; give at least {10 * HOPS:,} samples per second")
    notes = data.notes
    if settings.rate:
        notes = (*(note for note in notes if not note.startswith(_RESAMPLED)), f"{_RESAMPLED} {rate:,} Hz, as set")
    found = replace(data, reading=SoundReading(rate, settings.bands), notes=notes)
    if settings.form == "wave":
        return replace(found, input_kind=WAVE, sizes=(data.sizes[:, 1:] - 1).clip(1) * hop_of(rate))
    return replace(found, sizes=np.stack([np.full(len(data), settings.bands), data.sizes[:, 1]], 1))


def usual_length(seconds: NDArray[np.float64]) -> tuple[float, str]:
    """The seconds that the network's input shows, and why."""
    shortest, longest = float(seconds.min()), float(seconds.max())
    chosen = min(float(np.quantile(seconds, NEARLY_ALL)), LONGEST_INPUT)
    return chosen, f"recordings of {shortest:.2f} to {longest:.2f} s, of which {NEARLY_ALL:.0%} are shown whole"


_RESAMPLED = "recordings are resampled to"


def _notes(headers: Sequence[SoundHeader], rates: Counter[int], rate: int) -> list[str]:
    notes = []
    if set(rates) != {rate}:
        found = ", ".join(f"{count:,} of {one:,} Hz" for one, count in sorted(rates.items()))
        notes.append(f"{_RESAMPLED} {rate:,} Hz ({found}); set input.rate to use another rate")
    several = sum(header.channels > 1 for header in headers)
    if several:
        has = "1 recording has" if several == 1 else f"{several:,} recordings have"
        notes.append(
            f"{has} several channels: the mean of those that are not silent is used; set data.channels to their "
            "number to use each"
        )
    return notes
