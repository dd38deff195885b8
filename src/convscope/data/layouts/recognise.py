"""DATA as the user says it -> what was found there."""

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from convscope.data.dataset import Dataset
from convscope.data.layouts.builtin import BUILTINS, shapes
from convscope.data.layouts.class_folders import read_folder
from convscope.data.layouts.coco import coco_files, read_coco
from convscope.data.layouts.csv_columns import Columns
from convscope.data.layouts.mask_folders import looks_like_masks, read_masks
from convscope.data.layouts.table import read_table
from convscope.data.layouts.voc import looks_like_voc, read_voc
from convscope.data.layouts.yolo import looks_like_yolo, read_yolo
from convscope.data.targets.boxes import BOXES
from convscope.data.targets.masks import MASKS
from convscope.data.targets.registry import DEFAULT_KIND, TARGET_KINDS
from convscope.errors import DataError

_TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2", ".7z", ".rar")
_POSSIBLE = f"a folder with one subfolder per class, a CSV or Parquet file, or one of {', '.join(BUILTINS)}"


def open_data(
    source: str | Path, *, columns: Columns | None = None, target_kind: str | None = None, ignore: int | None = None
) -> Dataset:
    """The data set that a folder, a table or a built-in name gives.

    A built-in name wins over a folder of the same name; write ``./digits`` for that. A folder with images and masks of
    the same names is read as masks; one with VOC's XML, COCO's JSON or YOLO's texts as boxes; any other as classes.

    Args:
        source: see `read_folder`, `read_table`, `read_masks`, `read_voc`, `read_coco` and `read_yolo`; built-in are
            digits and shapes.
        columns: for tables, which column holds what.
        target_kind: of targets, one of `TARGET_KINDS`; None: what the data look like.
        ignore: for masks, the value that stands for no class.

    Raises:
        DataError: there is nothing of that name, or what is there cannot be used.
    """
    if isinstance(source, str) and source in BUILTINS:
        return _builtin(source, target_kind)
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path, target_kind, ignore)
    if not path.exists():
        raise DataError(f"{source}: no such file or folder; {_suggest_source(path)}")
    if path.suffix.lower() in _TABLES:
        if target_kind == MASKS.name:
            raise DataError(f"{source}: a table holds no masks; give the folder of images and masks")
        return read_table(path, columns, target_kind)
    if path.suffix.lower() == ".json":
        return _as_target_kind(read_coco(path), target_kind)
    if path.suffix.lower() in _ARCHIVES:
        raise DataError(f"{source}: an archive; unpack it and give the folder")
    raise DataError(f"{source}: not a kind of file that lists images; give {_POSSIBLE}")


def _builtin(name: str, target_kind: str | None) -> Dataset:
    if name == "shapes":
        return shapes(target_kind=target_kind or DEFAULT_KIND)
    return _as_target_kind(BUILTINS[name](), target_kind)


def _folder(path: Path, target_kind: str | None, ignore: int | None) -> Dataset:
    if target_kind == MASKS.name or (target_kind is None and looks_like_masks(path)):
        return read_masks(path, ignore)
    if target_kind in (None, BOXES.name):
        if looks_like_voc(path):
            return read_voc(path)
        if coco_files(path):
            return read_coco(path)
        if looks_like_yolo(path):
            return read_yolo(path)
    return _as_target_kind(read_folder(path, target_kind), target_kind)


def _as_target_kind(found: Dataset, target_kind: str | None) -> Dataset:
    """The data set itself; classes are also taken for labels, one per image.

    Raises:
        DataError: its targets are of another kind.
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
    """What may have been meant: a built-in name, or a neighbour in the deepest folder of the path that exists."""
    missing = path
    while not missing.parent.exists():
        missing = missing.parent
    near = {entry.name: str(missing.parent / entry.name) for entry in missing.parent.iterdir()}
    if missing == path and len(path.parts) == 1:
        near.update({name: name for name in BUILTINS})
    by_case = {name.lower(): name for name in near}
    close = get_close_matches(missing.name.lower(), by_case, n=1, cutoff=0.6)
    return f"did you mean {near[by_case[close[0]]]}?" if close else f"give {_POSSIBLE}"
