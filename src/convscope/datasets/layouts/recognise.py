"""Detect the layout of DATA and read it."""

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from convscope.datasets.dataset import Dataset
from convscope.datasets.layouts.builtin import BUILTINS
from convscope.datasets.layouts.layout import ReadSettings, Recognised, Source
from convscope.datasets.layouts.registry import LAYOUTS
from convscope.datasets.layouts.table_columns import Columns
from convscope.datasets.targets.registry import TARGET_KINDS
from convscope.errors import DataError

_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2", ".7z", ".rar")
_POSSIBLE = f"a folder with one subfolder per class, a CSV or Parquet file, or one of {', '.join(BUILTINS)}"


def open_data(
    source: str | Path, *, columns: Columns | None = None, target_kind: str | None = None, ignore: int | None = None
) -> Dataset:
    """Read a dataset from a folder, a table or a built-in name.

    A built-in name takes precedence over a folder of the same name, for which write ``./digits``. A folder with images
    and masks of the same names is read as masks; one with VOC XML, COCO JSON or YOLO text files as boxes; any other as
    classes.

    Args:
        source: see `read_folder`, `read_table`, `read_masks`, `read_voc`, `read_coco` and `read_yolo`; built-in are
            digits and shapes.
        columns: names of the columns of a table.
        target_kind: one of `TARGET_KINDS`; None: detected.
        ignore: the mask value of unlabelled pixels.

    Raises:
        DataError: the source does not exist, or contains no usable data.
    """
    found = recognise(source, target_kind)
    if found is None:
        raise DataError(f"{source}: {_not_recognised(expanded(source))}")
    dataset = LAYOUTS[found.layout].read(expanded(source), ReadSettings(columns, target_kind, ignore))
    return _as_target_kind(dataset, target_kind)


def recognise(source: Source, target_kind: str | None = None) -> Recognised | None:
    """The layout that recognises a source with the highest confidence; None if none does.

    Args:
        source: a built-in name, a file or a folder.
        target_kind: one of `TARGET_KINDS` if requested.
    """
    source = expanded(source)
    by_confidence = sorted(LAYOUTS.values(), key=lambda layout: -layout.confidence)
    found = (layout.recognise(source, target_kind) for layout in by_confidence)
    return next((one for one in found if one is not None), None)


def expanded(source: Source) -> Source:
    """A built-in name unchanged; any other source as a path with ~ expanded."""
    return source if isinstance(source, str) and source in BUILTINS else Path(source).expanduser()


def _not_recognised(source: Source) -> str:
    path = Path(source)
    if not path.exists():
        return f"no such file or folder; {_suggest_source(path)}"
    if path.suffix.lower() in _ARCHIVES:
        return "an archive; unpack it and give the folder"
    return f"not a kind of file that lists images; give {_POSSIBLE}"


def _as_target_kind(found: Dataset, target_kind: str | None) -> Dataset:
    """The dataset with the requested kind of target; classes can be read as labels, one per image.

    Raises:
        DataError: its targets cannot be converted.
    """
    if target_kind in (None, found.target_kind):
        return found
    targets = TARGET_KINDS[target_kind].convert(found.kind, found.targets, len(found.classes)) if target_kind else None
    if target_kind and targets is not None:
        return replace(found, target_kind=target_kind, targets=targets)
    raise DataError(
        f"{found.source}: holds {found.target_kind}, not {target_kind}; give data that do, or choose another task"
    )


def _suggest_source(path: Path) -> str:
    """Suggest a similar built-in name, or a similar name in the deepest existing folder of the path."""
    missing = path
    while not missing.parent.exists():
        missing = missing.parent
    near = {entry.name: str(missing.parent / entry.name) for entry in missing.parent.iterdir()}
    if missing == path and len(path.parts) == 1:
        near.update({name: name for name in BUILTINS})
    by_case = {name.lower(): name for name in near}
    close = get_close_matches(missing.name.lower(), by_case, n=1, cutoff=0.6)
    return f"did you mean {near[by_case[close[0]]]}?" if close else f"give {_POSSIBLE}"
