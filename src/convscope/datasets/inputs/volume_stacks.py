"""Volumes without a position in a patient: TIFF stacks and NumPy arrays."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.arrays import ENDING, START, open_values
from convscope.datasets.inputs.opening import check_regular
from convscope.datasets.inputs.tiff import ENDINGS as TIFF_ENDINGS
from convscope.datasets.inputs.tiff import MAGIC, tiff_error
from convscope.datasets.inputs.volume_geometry import Spacing
from convscope.errors import DataError

ENDINGS = (*TIFF_ENDINGS, ENDING)
MOST_CHANNELS = 16
"""Of a four-axis array; of more, no axis is taken for channels."""
CUBE = (16, 2)
"""An array of three axes is a volume if the shortest has at least 16 values and the longest at most twice as many."""


def is_volume_shape(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape is a volume rather than an image with channels.

    >>> is_volume_shape((64, 64, 3)), is_volume_shape((28, 28, 28)), is_volume_shape((2, 8, 32, 32))
    (False, True, True)
    """
    if len(shape) == 3:
        return min(shape) >= CUBE[0] and max(shape) <= CUBE[1] * min(shape)
    return len(shape) == 4


def channels_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The order of the axes that makes (C, D, H, W) of an array: of four axes the shorter end is the channels.

    Raises:
        DataError: it has other axes; the message has no place.
    """
    shown = " x ".join(map(str, shape)) or "no axes"
    if len(shape) == 2:
        raise DataError(f"an array of {shown}, a 2-D image, not a volume; save depth x height x width")
    if len(shape) == 3 and min(shape) > 1:
        return 0, 1, 2
    if len(shape) != 4 or not min(shape[0], shape[3]) <= MOST_CHANNELS:
        raise DataError(f"an array of {shown}, not a volume; save depth x height x width, or channels before them")
    return (0, 1, 2, 3) if shape[0] <= shape[3] else (3, 0, 1, 2)


def array_values(source: Path | bytes) -> NDArray[Any]:
    """(C, D, H, W) of a ``.npy`` file, memory-mapped, or of its bytes.

    Raises:
        DataError: it is damaged, or no volume of numbers; of bytes the message has no place.
    """
    values = open_values(source) if isinstance(source, Path) else np.load(io.BytesIO(source), allow_pickle=False)
    if values.dtype.kind not in "buif":
        raise DataError(f"an array of {values.dtype}, not of numbers; save real numbers")
    ordered = values.transpose(channels_first(values.shape))
    return ordered if ordered.ndim == 4 else ordered[None]


def is_stack(content: bytes) -> bool:
    """Whether the first bytes of a file are those of a TIFF."""
    return content[:4] in MAGIC


def is_npy(content: bytes) -> bool:
    """Whether the first bytes of a file are those of a NumPy array."""
    return content[: len(START)] == START


class Stack:
    """An open TIFF whose pages are the slices of a volume; every error inside becomes a DataError."""

    def __init__(self, source: Path | bytes, name: str) -> None:
        self.source, self.name = source, name

    def __enter__(self) -> "Stack":
        import tifffile

        try:
            if isinstance(self.source, Path):
                check_regular(self.source)
            self._file = tifffile.TiffFile(self.source if isinstance(self.source, Path) else io.BytesIO(self.source))
        except DataError:
            raise
        except Exception as error:
            raise tiff_error(self.name, error) from None
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._file.close()
        if isinstance(error, Exception) and not isinstance(error, DataError):
            raise tiff_error(self.name, error) from None

    @property
    def order(self) -> tuple[int, ...]:
        """The order of the axes that makes (C, D, H, W), or (D, H, W), of the stored values."""
        series = self._file.series[0]
        kept = [(axis, side) for axis, side in zip(series.axes, series.shape, strict=True) if side > 1 or axis in "YX"]
        names = "".join(axis for axis, _ in kept)
        channels = [axis for axis in names if axis in "CS"]
        stacks = [axis for axis in names if axis not in "CSYX"]
        if not stacks and channels == ["C"]:
            stacks, channels = channels, []
        if not stacks:
            raise DataError(f"{self.name}: has one page, a 2-D image, not a volume; save its slices as pages")
        if len(stacks) > 1 or len(channels) > 1 or not {"Y", "X"} <= set(names):
            shown = " x ".join(map(str, series.shape))
            raise DataError(f"{self.name}: has the axes {series.axes} ({shown}); save one volume per file, ZYX or ZCYX")
        return tuple(names.index(axis) for axis in (*channels, *stacks, "Y", "X"))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(C, D, H, W)."""
        series = self._file.series[0]
        sides = [side for axis, side in zip(series.axes, series.shape, strict=True) if side > 1 or axis in "YX"]
        ordered = [int(sides[axis]) for axis in self.order]
        channels, depth, height, width = ordered if len(ordered) == 4 else [1, *ordered]
        return channels, depth, height, width

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        return np.dtype(self._file.series[0].dtype)

    @property
    def spacing(self) -> Spacing | None:
        """From voxel to voxel, as ImageJ writes it; None if the file does not say it."""
        about = self._file.imagej_metadata or {}
        tags: Any = self._file.pages[0].tags  # type: ignore[union-attr]
        per_unit = [tags.get(name) for name in ("YResolution", "XResolution")]
        if "spacing" not in about or not all(tag and tag.value[0] for tag in per_unit):
            return None
        height, width = (float(tag.value[1]) / float(tag.value[0]) for tag in per_unit)
        unit = {"micron": 0.001, "um": 0.001, "\\u00B5m": 0.001, "nm": 1e-6, "cm": 10.0}.get(
            str(about.get("unit")), 1.0
        )
        return float(about["spacing"]) * unit, height * unit, width * unit

    def values(self) -> NDArray[Any]:
        """(C, D, H, W)."""
        series = self._file.series[0]
        sides = [side for axis, side in zip(series.axes, series.shape, strict=True) if side > 1 or axis in "YX"]
        return np.asarray(series.asarray()).reshape(sides).transpose(self.order).reshape(self.shape)
