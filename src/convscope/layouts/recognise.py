"""Detect the layout of DATA and read it."""

from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from convscope.datasets.dataset import Dataset
from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.listing import visible_files
from convscope.datasets.objects import is_lost_object, object_notes
from convscope.datasets.store.archive_members import is_archive
from convscope.datasets.store.unpacked import unpack
from convscope.datasets.targets.registry import TARGET_KINDS
from convscope.errors import ConfigError, DataError, did_you_mean
from convscope.layouts.builtin import BUILTIN, BUILTINS
from convscope.layouts.layout import NEAR, ReadSettings, Recognised, Source
from convscope.layouts.registry import LAYOUTS
from convscope.layouts.tables.columns import Columns

_ARCHIVES = (".gz", ".xz", ".bz2", ".7z", ".rar", ".zst")
_POSSIBLE = f"a folder with one subfolder per class, a CSV or Parquet file, or one of {', '.join(BUILTINS)}"


def open_data(
    source: str | Path,
    *,
    columns: Columns | None = None,
    target_kind: str | None = None,
    ignore: int | None = None,
    layout: str | None = None,
    file_kind: str = "",
) -> Dataset:
    """Read a dataset from a folder, a table, an archive of these, arrays or a built-in name.

    A built-in name takes precedence over a folder of the same name, for which write ``./digits``.

    Args:
        source: see `read_folder`, `read_table`, `read_masks`, `read_voc`, `read_coco` and `read_yolo`; built-in are
            digits, shapes, waves and digits3d.
        columns: names of the columns of a table.
        target_kind: one of `TARGET_KINDS`; None: detected.
        ignore: the mask value of unlabelled pixels.
        layout: one of `LAYOUTS`; None: detected.
        file_kind: a name of one of `FILE_KINDS`, as which files are read; "": detected.

    Raises:
        DataError: the source does not exist, can be read in several ways, or contains no usable data.
        ConfigError: there is no such layout.
    """
    settings = ReadSettings(columns, target_kind, ignore, layout, file_kind)
    path = Source(source).path
    return _read_archive(path, settings) if is_archive(path) else _read(Source(source), settings)


def _read(source: Source, settings: ReadSettings) -> Dataset:
    found = _chosen(source, settings)
    dataset = LAYOUTS[found.layout].read(source, settings)
    notes = (*dataset.notes, *object_notes(source.path))
    return _as_target_kind(replace(dataset, because=found.because, notes=notes), settings.target_kind)


def _read_archive(path: Path, settings: ReadSettings) -> Dataset:
    """The data in an archive, read like a folder, or like its only file."""
    unpacked = unpack(path)
    files = list(islice(visible_files(unpacked.folder), 2))
    alone = len(files) == 1 and files[0].suffix.lower() not in ENDINGS
    try:
        dataset = _read(Source(files[0] if alone else unpacked.folder), settings)
    except DataError as error:  # its place in the cache says nothing to users
        raise DataError(str(error).replace(str(unpacked.folder), str(path))) from error
    skipped = sorted((*dataset.skipped, *unpacked.skipped), key=lambda skipped: skipped.name)
    return replace(dataset, source=str(path.absolute()), skipped=tuple(skipped))


def recognise(source: str | Path, settings: ReadSettings = ReadSettings()) -> tuple[Recognised, ...]:  # noqa: B008  (frozen)
    """All layouts that recognise a source, the one with the highest confidence first.

    Args:
        source: a built-in name, a file or a folder.
        settings: the requested layout, kind of target and columns, if any.
    """
    path = Source(source).path
    return _recognised(Source(unpack(path).folder if is_archive(path) else source), settings)


def _recognised(source: Source, settings: ReadSettings) -> tuple[Recognised, ...]:
    found = (layout.recognise(source, settings) for layout in LAYOUTS.values())
    return tuple(sorted((one for one in found if one is not None), key=lambda one: -one.confidence))


def _chosen(source: Source, settings: ReadSettings) -> Recognised:
    """The layout to read a source with.

    Raises:
        DataError: none recognises it, two do with near confidence, or the requested one does not.
        ConfigError: there is no layout of the requested name.
    """
    if settings.layout is not None:
        return _requested(source, settings, settings.layout)
    found = _recognised(source, settings)
    if not found:
        raise DataError(f"{source}: {_not_recognised(source)}")
    near = [one for one in found if found[0].confidence - one.confidence < NEAR]
    if len(near) > 1:
        readings = "; or ".join(f"in the layout {one.layout}, because {one.because}" for one in near)
        flags = " or ".join(f"--layout {one.layout}" for one in near)
        raise DataError(f"{source}: can be read {readings}; choose with {flags}")
    return found[0]


def _requested(source: Source, settings: ReadSettings, name: str) -> Recognised:
    if name not in LAYOUTS:
        raise ConfigError(f"data.layout is {name!r}, which is not a layout{did_you_mean(name, LAYOUTS)}")
    if BUILTIN.recognise(source, settings) is None and not source.path.exists():
        raise DataError(f"{source}: {_not_recognised(source)}")
    fitting = LAYOUTS[name].recognise(source, replace(settings, target_kind=None))
    if fitting is None:
        found = _recognised(source, replace(settings, layout=None))
        detected = f"leave out the layout to read it as {found[0].layout}, because {found[0].because}" if found else ""
        remedy = detected or "choose another layout"
        raise DataError(f"{source}: is not in the layout {name}, which needs {LAYOUTS[name].needs}; {remedy}")
    return fitting


def _not_recognised(source: Source) -> str:
    path = source.path
    if is_lost_object(path):
        return "the copy of an object that was given to train or data, deleted since; give the object again"
    if not path.exists():
        return f"no such file or folder; {_suggest_source(path)}"
    if path.suffix.lower() in _ARCHIVES:
        return "an archive of a kind that is not read in place; unpack it and give the folder"
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
