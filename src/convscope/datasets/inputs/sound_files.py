"""Sound files: their headers and their samples, at one rate and with one number of channels."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.opening import check_regular, error_text
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError
from convscope.extras import extra

ENDINGS = frozenset((".wav", ".flac", ".ogg", ".mp3"))
"""File extensions (lower case) of recordings."""
SHORTEST = 0.01
"""Seconds of a recording that is used."""
LONGEST = 3600
"""Seconds of a recording that is used; a damaged header can declare any length."""
COMPLETE = 0.9
"""Share of the samples in the header that must be in the file: encoders pad a compressed file."""


@dataclass(frozen=True)
class SoundHeader:
    """The header of one recording."""

    frames: int
    """Samples of each channel."""
    rate: int
    """Samples per second."""
    channels: int
    bits: str
    """How samples are stored, such as PCM_16."""

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.frames / self.rate

    @property
    def mode(self) -> str:
        """Rate, channels and bits as text."""
        shown = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        return f"{self.rate:,} Hz {shown} {self.bits}"


def read_sound_headers(paths: Sequence[Path]) -> list[SoundHeader | str]:
    """The header of each file, or why it cannot be used, in order. Damaged samples are not detected.

    Raises:
        MissingExtraError: soundfile is not installed.
    """
    _soundfile()
    with ThreadPoolExecutor(usable_cores(), "convscope-headers") as pool:
        return list(pool.map(_header_or_reason, paths))


def read_sound(source: Path | bytes, rate: int, channels: int) -> NDArray[np.float32]:
    """(C, T) samples in [-1, 1] at a rate, of any file that libsndfile reads.

    One channel is the mean of those that are not silent. For more, a file has that number of channels, or one, which is
    repeated.

    Args:
        source: a file, or its bytes.
        rate: samples per second of the result; a file of another rate is resampled.
        channels: of the result.

    Raises:
        DataError: the file cannot be read, is silent, or has another number of channels.
        MissingExtraError: soundfile is not installed.
    """
    name = str(source) if isinstance(source, Path) else "recording"
    with _opened(source, name) as file:
        header = _checked_header(file, name)
        try:
            samples = np.asarray(file.read(dtype="float32", always_2d=True), np.float32).T
        except _soundfile().LibsndfileError as error:
            raise DataError(f"{name}: damaged or truncated; copy it again or delete it") from error
    if samples.shape[1] < COMPLETE * header.frames:
        raise DataError(
            f"{name}: truncated: {samples.shape[1]:,} of the {header.frames:,} samples of its header; copy it again"
        )
    if not np.isfinite(samples).all():
        raise DataError(f"{name}: contains nan or infinity; export it again")
    return resampled(_with_channels(samples, channels, name), header.rate, rate)


def resampled(samples: NDArray[np.float32], before: int, after: int) -> NDArray[np.float32]:
    """(C, T) samples at another rate, by a polyphase filter, which removes frequencies above the new half rate."""
    if before == after:
        return samples
    from scipy.signal import resample_poly

    common = gcd(before, after)
    return np.asarray(resample_poly(samples, after // common, before // common, axis=1), np.float32)


def at_samples(samples: NDArray[Any], length: int) -> NDArray[Any]:
    """(..., length) the middle of longer samples; zeros on both sides of shorter ones.

    >>> at_samples(np.arange(1, 6), 3).tolist(), at_samples(np.arange(1, 3), 5).tolist()
    ([2, 3, 4], [0, 1, 2, 0, 0])
    """
    extra_samples = samples.shape[-1] - length
    if extra_samples >= 0:
        start = extra_samples // 2
        return samples[..., start : start + length]
    before = -extra_samples // 2
    pad = [(0, 0)] * (samples.ndim - 1) + [(before, -extra_samples - before)]
    return np.pad(samples, pad)


def _soundfile() -> Any:
    with extra("sound", "recordings"):
        import soundfile
    return soundfile


def _opened(source: Path | bytes, name: str) -> Any:
    soundfile = _soundfile()
    try:
        if isinstance(source, Path):
            check_regular(source)
        return soundfile.SoundFile(source if isinstance(source, Path) else io.BytesIO(source))
    except (OSError, DataError) as error:
        if isinstance(error, DataError):
            raise DataError(str(error).replace("not an image", "not a recording")) from error
        raise DataError(
            f"{name}: {error_text(Path(name), error)}".replace("not an image", "not a recording")
        ) from error
    except soundfile.LibsndfileError as error:
        content = source if isinstance(source, bytes) else b"" if source.stat().st_size == 0 else b"?"
        empty = "the file is empty, 0 bytes; copy it again or delete it"
        unknown = "not a recording in a supported format, or damaged; convert it to WAV, or delete it"
        raise DataError(f"{name}: {unknown if content else empty}") from error


def _checked_header(file: Any, name: str) -> SoundHeader:
    found = SoundHeader(int(file.frames), int(file.samplerate), int(file.channels), str(file.subtype))
    if found.rate <= 0:
        raise DataError(f"{name}: its rate is {found.rate} Hz; export it again")
    if found.frames <= 0:
        raise DataError(f"{name}: holds no samples; record it again or delete it")
    if found.seconds < SHORTEST:
        count = "1 sample" if found.frames == 1 else f"{found.frames:,} samples"
        raise DataError(
            f"{name}: holds {count}, {1000 * found.seconds:.1f} ms; at least {1000 * SHORTEST:.0f} are used"
        )
    if found.seconds > LONGEST:
        raise DataError(f"{name}: lasts {found.seconds:,.0f} s by its header; cut it into parts of at most {LONGEST:,}")
    return found


def _header_or_reason(path: Path) -> SoundHeader | str:
    try:
        with _opened(path, str(path)) as file:
            return _checked_header(file, str(path))
    except DataError as error:
        return str(error).removeprefix(f"{path}: ")


def _with_channels(samples: NDArray[np.float32], channels: int, name: str) -> NDArray[np.float32]:
    sounding = samples.any(axis=1)
    if not sounding.any():
        raise DataError(f"{name}: silent, all samples are 0; record it again or delete it")
    if channels == 1:
        mono: NDArray[np.float32] = samples[sounding].mean(0, keepdims=True)
        if not mono.any():
            raise DataError(f"{name}: its channels cancel each other; export one of them")
        return mono
    if len(samples) not in (1, channels):
        raise DataError(f"{name}: has {len(samples)} channels, not {channels}; export it with 1 or {channels}")
    return np.repeat(samples, channels, 0) if len(samples) == 1 else samples
