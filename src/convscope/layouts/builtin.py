"""Built-in datasets: digits, shapes, waves and digits3d."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.array_targets import ArrayTargets
from convscope.datasets.dataset import Dataset
from convscope.datasets.inputs.volume_reading import Ends
from convscope.datasets.series_arrays import SeriesPart, series_dataset
from convscope.datasets.targets.boxes import BOXES
from convscope.datasets.targets.classes import CLASSES
from convscope.datasets.targets.labels import LABELS
from convscope.datasets.targets.masks import MASKS
from convscope.datasets.targets.numbers import NUMBERS
from convscope.datasets.targets.registry import DEFAULT_KIND
from convscope.datasets.volume_arrays import VolumePart, volume_dataset
from convscope.layouts.digits3d import draw_digits
from convscope.layouts.drawn_shapes import NAMES, Shapes, draw_shapes
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.layouts.waves import draw_waves

_Targets = tuple[np.ndarray, tuple[str, ...], dict[str, Any]]


def digits() -> Dataset:
    """1,797 real handwritten digits, 8 x 8 grey, 10 classes.

    The test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998) as scikit-learn
    carries it; its 17 grey levels are scaled to 0 .. 255.
    """
    table = _digits_table()
    pixels = np.rint(table[:, :64].reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
    return _builtin("digits", pixels, table[:, 64].astype(np.int64), tuple("0123456789"))


def _digits_table() -> NDArray[np.float64]:
    """(1797, 65) grey levels and the digit, from scikit-learn's file: importing all of it takes over a second."""
    package = find_spec("sklearn")
    file = Path(package.origin or "").parent / "datasets" / "data" / "digits.csv.gz" if package else Path()
    if file.is_file():
        return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    return np.column_stack(load_digits(return_X_y=True))


def shapes(count: int = 1200, seed: int = 0, target_kind: str = DEFAULT_KIND) -> Dataset:
    """`count` drawn images, 32 x 32 RGB: a disc, square, triangle, star or ring on a textured background.

    Class and box are those of the largest shape; there may be smaller ones. Labels are the kinds of shape that occur,
    the number is the number of shapes, and masks contain the kind of shape of each pixel.
    """
    drawn = draw_shapes(count, seed)
    targets, names, other = _OF_SHAPES[target_kind](drawn)
    return _builtin("shapes", drawn.images, targets, names, target_kind=target_kind, **other)


def _shape_boxes(drawn: Shapes) -> _Targets:
    rows = np.concatenate([drawn.classes[:, None], [boxes[0] for boxes in drawn.boxes]], 1).astype(np.float32)
    return rows, NAMES, {}


def _shape_masks(drawn: Shapes) -> _Targets:
    names = ("ground", *NAMES)
    present = np.array([np.isin(range(len(names)), mask) for mask in drawn.masks]).astype(np.float32)
    return present, names, {"masks": drawn.masks}


_OF_SHAPES: dict[str, Callable[[Shapes], _Targets]] = {
    CLASSES.name: lambda drawn: (drawn.classes, NAMES, {}),
    LABELS.name: lambda drawn: (drawn.labels.astype(np.float32), NAMES, {}),
    NUMBERS.name: lambda drawn: (drawn.counts.astype(np.float32)[:, None], ("shapes",), {}),
    BOXES.name: _shape_boxes,
    MASKS.name: _shape_masks,
}


def _builtin(name: str, pixels: np.ndarray, targets: np.ndarray, classes: tuple[str, ...], **other: Any) -> Dataset:
    count, height, width, channels = pixels.shape
    return Dataset(
        source=name,
        layout=BUILTIN.name,
        images=pixels,
        names=tuple(f"{name}/{i:04d}" for i in range(count)),
        targets=targets,
        classes=classes,
        splits=np.full(count, "", dtype="<U10"),
        groups=None,
        skipped=(),
        sizes=np.tile(np.array([[height, width]], dtype=np.int64), (count, 1)),
        channels=channels,
        modes={"grey" if channels == 1 else "RGB": count},
        **other,
    )


def waves(count: int = 5000, seed: int = 42) -> Dataset:
    """`count` drawn series of 40 values, of the ten classes of MNIST-1D; see `layouts.waves`."""
    values, digits = draw_waves(count, seed)
    targets = ArrayTargets(CLASSES.name, digits, tuple("0123456789"), [""] * count)
    drawn = series_dataset(("waves", BUILTIN.name), [SeriesPart("", list(values))], targets)
    return replace(drawn, names=tuple(f"waves/{i:04d}" for i in range(count)))


def digits3d(seed: int = 42) -> Dataset:
    """1,797 drawn volumes of 12 x 12 x 12 voxels, of ten classes: the pictures of digits as solids in space."""
    table = _digits_table()
    volumes = draw_digits(table[:, :64].reshape(-1, 8, 8) / 16, seed)
    count = len(volumes)
    targets = ArrayTargets(CLASSES.name, table[:, 64].astype(np.int64), tuple("0123456789"), [""] * count)
    drawn = volume_dataset(("digits3d", BUILTIN.name), [VolumePart("", volumes[:, 0])], targets, Ends((0.0,), (255.0,)))
    return replace(drawn, names=tuple(f"digits3d/{i:04d}" for i in range(count)))


BUILTINS = {"digits": digits, "shapes": shapes, "waves": waves, "digits3d": digits3d}


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:  # noqa: ARG001
    named = isinstance(source.given, str) and source.given in BUILTINS
    return Recognised(BUILTIN.name, 1.0, f"{source} is a built-in name") if named else None


def _read(source: Source, settings: ReadSettings) -> Dataset:
    make = BUILTINS[str(source)]
    return make(target_kind=settings.target_kind or DEFAULT_KIND) if make is shapes else make()


BUILTIN = Layout("builtin", f"one of the names {', '.join(BUILTINS)}", _recognise, _read)
