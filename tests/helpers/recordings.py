"""Recordings that tests write."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def tone(hertz: float, seconds: float = 0.3, rate: int = 8000, seed: int = 0) -> NDArray[np.float64]:
    """(T,) a sine with a little noise."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    return 0.5 * np.sin(2 * np.pi * (hertz * time + random.random())) + 0.005 * random.standard_normal(len(time))


def write_recording(path: Path, samples: NDArray[np.float64], rate: int = 8000, subtype: str | None = None) -> Path:
    """Write (T,) or (T, C) samples in the format of the extension; return the path."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def spoken(folder: Path, count: int = 20, speakers: tuple[str, ...] = ("ann", "bob")) -> Path:
    """A folder of low (class 0) and high tones (class 1), named CLASS_SPEAKER_NUMBER.wav; some are shorter."""
    for number in range(count):
        label, speaker = number % 2, speakers[number // 2 % len(speakers)]
        seconds = 0.2 if number % 5 else 0.15
        samples = tone((300, 1500)[label] + 7 * number, seconds, seed=number)
        write_recording(folder / f"{label}_{speaker}_{number}.wav", samples)
    return folder
