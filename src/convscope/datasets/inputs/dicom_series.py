"""DICOM files: which slices are one series, in which order, and whether one is missing."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError
from convscope.extras import extra

ENDINGS = (".dcm", ".dicom", ".ima")
_TAGS = (
    "SeriesInstanceUID", "Modality", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "InstanceNumber",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "SharedFunctionalGroupsSequence", "BitsAllocated",
)  # fmt: skip
_EVEN = 0.1
"""Share of the usual distance of slices by which a distance may differ from it."""
_FOLDERS = 4096  # whose slices are remembered


@dataclass(frozen=True, eq=False)
class Slice:
    """The header of one DICOM file."""

    path: Path
    series: str
    header: Any
    """The tags of `_TAGS`."""

    @property
    def frames(self) -> int:
        """Planes in the file."""
        return int(self.header.get("NumberOfFrames") or 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.header.get("Rows") or 0), int(self.header.get("Columns") or 0)

    @property
    def plane(self) -> NDArray[np.float64] | None:
        """(2, 3) unit steps along a row and along a column, to the left, back and head; None if not known."""
        given = self.header.get("ImageOrientationPatient")
        return np.array(given, np.float64).reshape(2, 3) if given is not None and len(given) == 6 else None

    @property
    def position(self) -> NDArray[np.float64] | None:
        """(3,) of the first pixel."""
        given = self.header.get("ImagePositionPatient")
        return np.array(given, np.float64) if given is not None and len(given) == 3 else None


@dataclass(frozen=True, eq=False)
class Series:
    """The slices of one volume in their order, with the steps of its axes."""

    slices: tuple[Slice, ...]
    directions: NDArray[np.float64] | None
    """(3, 3) as `volume_geometry.placement` takes them, of depth, height and width; None if not known."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(D, H, W) as stored."""
        return sum(one.frames for one in self.slices), *self.slices[0].shape


def dicom_module() -> Any:
    """Pydicom, without its warnings on values that do not follow the standard.

    Raises:
        MissingExtraError: pydicom is not installed.
    """
    with extra("volume", "DICOM files"):
        import pydicom
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    return pydicom


def first_slices(paths: Sequence[Path]) -> dict[Path, Path]:
    """Of each DICOM file, the first one, by name, of its series in its folder; damaged files are their own."""
    return {path: _firsts_in(path.parent).get(path, path) for path in paths}


def one_per_series(files: Iterable[Any]) -> Iterator[Any]:
    """The files, of each DICOM series only the first slice; what is no path is left as it is."""
    yielded = set()
    for file in files:
        if not isinstance(file, Path) or file.suffix.lower() not in ENDINGS:
            yield file
            continue
        first = first_slices([file])[file]
        if first not in yielded:
            yielded.add(first)
            yield first


def is_alone(path: Path) -> bool:
    """Whether the series of a slice is the only one in its folder."""
    return len(_series_in(path.parent)) == 1


def series_of(path: Path) -> Series:
    """The series that a DICOM file is part of.

    Raises:
        DataError: it is damaged, or the slices are no volume, as one is missing; the message has no place.
    """
    found = _series_in(path.parent)
    slices = next((series for series in found.values() if any(one.path == path for one in series)), None)
    if slices is None:
        raise DataError("not a DICOM file, or damaged; copy it again or delete it")
    return arranged(slices)


def arranged(slices: Sequence[Slice]) -> Series:
    """The slices of a series in the order of their positions.

    Raises:
        DataError: their sizes differ, one is missing or there twice, or there is only one; the message has no place.
    """
    shapes = sorted({one.shape for one in slices})
    if len(shapes) > 1:
        shown = " and ".join(f"{rows} x {columns}" for rows, columns in shapes[:2])
        raise DataError(f"its slices are {shown}; give slices of one size")
    if any(int(one.header.get("SamplesPerPixel") or 1) > 1 for one in slices):
        raise DataError("its slices are in colour; export them in grey")
    if sum(one.frames for one in slices) == 1:
        raise DataError("is one slice, a 2-D image; give all slices of the series")
    if len(slices) == 1:
        return Series(tuple(slices), _steps_of_frames(slices[0]))
    if any(one.frames > 1 for one in slices):
        raise DataError("its files have several frames each; give one file, or one file per slice")
    return _by_position(slices)


def _by_position(slices: Sequence[Slice]) -> Series:
    plane = slices[0].plane
    positions = [one.position for one in slices]
    if plane is None or any(one is None for one in positions):
        numbers = [int(one.header.get("InstanceNumber") or 0) for one in slices]
        order = np.argsort(numbers, kind="stable")
        _check_even(np.sort(numbers).astype(float), "number")
        return Series(tuple(slices[i] for i in order), None)
    normal = np.cross(plane[0], plane[1])
    along = np.array([one @ normal for one in positions if one is not None])
    order = np.argsort(along, kind="stable")
    distance = _check_even(along[order], "mm")
    return Series(tuple(slices[i] for i in order), _directions(plane, _pixel_spacing(slices[0].header), distance))


def _check_even(along: NDArray[np.float64], unit: str) -> float:
    """The distance of neighbouring slices at sorted positions; DataError if it varies."""
    steps = np.diff(along)
    usual = float(np.median(steps))
    repeated = np.flatnonzero(steps < _EVEN * usual) if usual > 0 else np.arange(len(steps))
    if len(repeated):
        raise DataError(f"two slices are at {along[repeated[0]]:g} {unit}; keep one series in each folder")
    uneven = np.flatnonzero(np.abs(steps - usual) > _EVEN * usual)
    if len(uneven):
        start, end = along[uneven[0]], along[uneven[0] + 1]
        raise DataError(
            f"a slice is missing between {start:g} and {end:g} {unit}: the others are {usual:g} apart; copy the series "
            "again"
        )
    return usual


def _steps_of_frames(one: Slice) -> NDArray[np.float64] | None:
    """The steps of a file of several frames, where its header has them."""
    groups = one.header.get("SharedFunctionalGroupsSequence")
    measures = groups[0].get("PixelMeasuresSequence") if groups else None
    placed = groups[0].get("PlaneOrientationSequence") if groups else None
    sizes = measures[0] if measures else one.header
    between = sizes.get("SpacingBetweenSlices") or sizes.get("SliceThickness")
    spacing = _pixel_spacing(sizes)
    if not between or spacing is None:
        return None
    given = placed[0].get("ImageOrientationPatient") if placed else one.header.get("ImageOrientationPatient")
    plane = np.array(given or (1, 0, 0, 0, 1, 0), np.float64).reshape(2, 3)
    return _directions(plane, spacing, float(between))


def _pixel_spacing(header: Any) -> tuple[float, float] | None:
    given = header.get("PixelSpacing")
    return (float(given[0]), float(given[1])) if given is not None and len(given) == 2 else None


def _directions(
    plane: NDArray[np.float64], spacing: tuple[float, float] | None, distance: float
) -> NDArray[np.float64] | None:  # fmt: skip
    """Columns of depth, height and width; DICOM's axes lead to the left and back, here to the right and front."""
    if spacing is None:
        return None
    row, column = plane
    steps = np.stack([np.cross(row, column) * distance, column * spacing[0], row * spacing[1]], 1)
    return np.asarray(np.array([[-1.0], [-1.0], [1.0]]) * steps, np.float64)


def _series_in(folder: Path) -> dict[str, tuple[Slice, ...]]:
    """The slices of each series in a folder, not below it, sorted by name."""
    try:
        return _read_series(folder, folder.stat().st_mtime_ns)
    except OSError:
        return {}


def _firsts_in(folder: Path) -> dict[Path, Path]:
    try:
        return _read_firsts(folder, folder.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(_FOLDERS)
def _read_firsts(folder: Path, changed: int) -> dict[Path, Path]:
    return {one.path: series[0].path for series in _read_series(folder, changed).values() for one in series}


@lru_cache(_FOLDERS)
def _read_series(folder: Path, _changed: int) -> dict[str, tuple[Slice, ...]]:
    dicom_module()
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
    with ThreadPoolExecutor(usable_cores(), "convscope-headers") as pool:
        read = [one for one in pool.map(_read_slice, paths) if one is not None]
    found: dict[str, list[Slice]] = {}
    for one in read:
        found.setdefault(one.series, []).append(one)
    return {series: tuple(slices) for series, slices in found.items()}


def _read_slice(path: Path) -> Slice | None:
    """The header of a file; None if it is no DICOM file with an image."""
    try:
        header = dicom_module().dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
        if not header.get("Rows"):
            return None
        return Slice(path, str(header.get("SeriesInstanceUID") or path.name), header)
    except Exception:  # damaged headers raise anything: InvalidDicomError, EOFError, struct.error ...
        return None
