"""Tables: CSV or Parquet files that list images and their labels."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from convscope.datasets.builder import DatasetBuilder, ListedFile
from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.layouts import table_kinds
from convscope.datasets.layouts.csv_columns import Columns, TableRow
from convscope.datasets.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.datasets.layouts.path_lookup import PathLookup
from convscope.datasets.targets.classes import CLASSES
from convscope.errors import DataError, did_you_mean

_IMAGE = (
    *("image", "file", "filename", "file_name", "image_file", "image_path", "path", "filepath", "file_path"),
    *("img", "picture", "image_id", "id", "name"),
)
ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".pq")
LABEL = ("label", "class", "category", "target", "species", "class_name", "label_name", "classname", "y")
_SPLIT = ("split", "set", "subset", "partition", "role")
_GROUP = ("group", "group_id", "groups", "patient", "patient_id", "subject", "subject_id")
_TRIED = 20  # rows whose values are looked up on disk to detect the image column
_TOLERATED = 0.01  # share of files with contradicting rows above which the table is rejected


def read_table(path: Path, columns: Columns | None = None, target_kind: str | None = None) -> Dataset:
    """The images of a table, with one class each, several labels, numbers or boxes; see `table_kinds`.

    A CSV file has a header row; its delimiter (comma, semicolon, tab or bar) is detected. An image's path may be
    absolute, or relative to the table, to a folder images/ or to one named like the split; else the only file below the
    table's folder with this name (also without extension) is used. Repeated rows are merged. Files with contradicting
    labels or splits are skipped; if they are more than 1 % of the files, the table is rejected, because it does not
    contain one class per image.

    Args:
        path: the table.
        columns: names of the columns.
        target_kind: the kind of target; None: detected from the columns.

    Raises:
        DataError: the table cannot be read, a column is missing or not detected, no file exists, rows disagree, or
            the classes are invalid, see `check_classes`.
    """
    source = str(path.absolute())
    rows = _read(path, source)
    if not rows:
        raise DataError(f"{source}: no rows; list at least one image per class")
    listing = DatasetBuilder(source, table_kinds.NAME)
    lookup = PathLookup(path.absolute().parent)
    placed, free = _find_columns(rows, columns or Columns(), lookup, source)
    target_kind = target_kind or table_kinds.detect_target_kind(rows, free, placed.label or named(free, LABEL))
    if target_kind in table_kinds.READERS:
        return table_kinds.READERS[target_kind](table_kinds.TableContent(source, rows, placed, free, lookup))
    chosen = _chosen(placed, free, source)
    listing.notes.append(_columns_note(chosen))
    _fill(listing, rows, chosen, lookup)
    if not listing.files:
        raise DataError(f"{source}: {_explain_nothing_found(listing, len(rows), chosen)}")
    return listing.build()


def _fill(listing: DatasetBuilder, rows: list[TableRow], chosen: Columns, lookup: PathLookup) -> None:
    """Add the file of each row to the listing, each file once."""
    found: dict[Path, list[tuple[int, ListedFile]]] = {}
    for number, row in enumerate(rows, start=2):  # row 1 is the header
        word = row.get(chosen.split or "", "").strip()
        value = row[chosen.image or ""].strip()
        label = row[chosen.label or ""].strip()
        file = lookup.find(value, word)
        split = split_of(word) if word else ""
        if split is None:
            raise DataError(
                f"{listing.source}: row {number} has {word!r} in column {chosen.split}; "
                "use train, validation or test, or leave it blank"
            )
        if isinstance(file, str):
            listing.skipped.append(Skipped(value or f"row {number}", file))
        elif not label:
            listing.skipped.append(Skipped(value, "has no label"))
        else:
            group = row.get(chosen.group or "", "").strip()
            found.setdefault(file, []).append((number, ListedFile(file, lookup.name(file), label, split, group)))
    _merge(listing, found)


def _merge(listing: DatasetBuilder, found: dict[Path, list[tuple[int, ListedFile]]]) -> None:
    repeated, contradicting = 0, []
    for entries in found.values():
        first = entries[0][1]
        if any((listed.label, listed.split) != (first.label, first.split) for _, listed in entries):
            contradicting.append(entries)
        else:
            listing.files.append(first)
            repeated += len(entries) - 1
    if repeated:
        listing.notes.append(f"rows that repeat an earlier one are merged: {repeated:,}")
    if len(contradicting) > max(1.0, _TOLERATED * len(found)):
        raise DataError(
            f"{listing.source}: rows disagree about {len(contradicting):,} of {len(found):,} files, such as "
            f"{contradicting[0][0][1].name} ({_contradiction(contradicting[0])}); "
            "a classifier needs one label and one split per image"
        )
    listing.skipped += [
        Skipped(entries[0][1].name, f"rows disagree, {_contradiction(entries)}") for entries in contradicting
    ]


def _contradiction(entries: list[tuple[int, ListedFile]]) -> str:
    first = entries[0][1]
    number, other = next(e for e in entries if (e[1].label, e[1].split) != (first.label, first.split))
    return f"row {entries[0][0]}: {_label_and_split(first)}, row {number}: {_label_and_split(other)}"


def _label_and_split(listed: ListedFile) -> str:
    return f"{listed.label} in {listed.split}" if listed.split else listed.label


def _find_columns(rows: list[TableRow], columns: Columns, lookup: PathLookup, source: str) -> tuple[Columns, list[str]]:
    """The columns of image, split and group, and the remaining ones; of these only the label columns if given."""
    names = list(rows[0])
    for given in (columns.image, *label_columns(columns.label, names), columns.split, columns.group):
        if given is not None and given not in names:
            raise DataError(f"{source}: no column {given}{did_you_mean(given, names)}")
    label_names = label_columns(columns.label, names)
    taken = [given for given in (columns.image, *label_names, columns.split, columns.group) if given]
    split = columns.split or named(names, _SPLIT, taken)
    group = columns.group or named(names, _GROUP, taken)
    free = [name for name in names if name not in (*taken, split, group)]
    image = columns.image or _image_column(rows, free, lookup)
    if image is None:
        raise DataError(f"{source}: no column names image files, of {', '.join(names)}; set the image column")
    left = [name for name in names if name in label_names] or [name for name in free if name != image]
    return Columns(image=image, label=columns.label, split=split, group=group), left


def label_columns(label: str | None, names: Sequence[str]) -> list[str]:
    """The label columns given by the user: one, or several separated by commas."""
    return [] if label is None else [label] if label in names else [word.strip() for word in label.split(",")]


def _chosen(placed: Columns, free: list[str], source: str) -> Columns:
    label = placed.label or named(free, LABEL) or (free[0] if len(free) == 1 else None)
    if label is None:
        names = ", ".join(name for name in (placed.image, *free, placed.split, placed.group) if name)
        raise DataError(f"{source}: no column for the label among {names}; set the label column")
    return placed.model_copy(update={"label": label})


def _image_column(rows: list[TableRow], names: list[str], lookup: PathLookup) -> str | None:
    """The column with most existing files; a common name breaks ties, or decides if no file exists."""
    some = rows[:: max(1, len(rows) // _TRIED)][:_TRIED]
    hits = {name: sum(isinstance(lookup.find(row[name].strip(), ""), Path) for row in some) for name in names}
    common = named(names, _IMAGE)
    best = max(names, key=lambda name: (hits[name], name == common), default=None)
    return best if best is not None and hits[best] else common


def named(names: Sequence[str], common: Iterable[str], taken: Sequence[str] = ()) -> str | None:
    plain = {name.strip().lower().replace(" ", "_").replace("-", "_"): name for name in reversed(names)}
    return next((plain[word] for word in common if word in plain and plain[word] not in taken), None)


def _columns_note(chosen: Columns) -> str:
    columns_used = {"image": chosen.image, "label": chosen.label, "split": chosen.split, "group": chosen.group}
    return "columns used: " + ", ".join(f"{column} for {use}" for use, column in columns_used.items() if column)


def _explain_nothing_found(listing: DatasetBuilder, rows: int, chosen: Columns) -> str:
    first = listing.skipped[0]
    return (
        f"none of its {rows:,} rows gives a labelled file; the first, {first.name}: {first.why}; "
        f"put the table beside its images, or set the image column (now {chosen.image})"
    )


def _read(path: Path, source: str) -> list[TableRow]:
    if not path.is_file():
        raise DataError(f"{source}: no such file; check the path")
    return _read_parquet(path, source) if path.suffix.lower() in (".parquet", ".pq") else _read_csv(path, source)


def _read_csv(path: Path, source: str) -> list[TableRow]:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text("cp1252", errors="replace")  # the encoding of spreadsheets on Windows
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError(f"{source}: the file is empty; list at least one image per class")
    delimiter = max(",;\t|", key=lambda separator: min(line.count(separator) for line in lines[:10]))
    table = csv.reader(lines, delimiter=delimiter)
    header = [name.strip() for name in next(table)]
    if len(set(header)) < len(header):
        repeated = next(name for name in header if header.count(name) > 1)
        raise DataError(f"{source}: two columns are called {repeated!r}; rename one")
    return [dict(zip(header, row + [""] * (len(header) - len(row)), strict=False)) for row in table]


def _read_parquet(path: Path, source: str) -> list[TableRow]:
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError as error:
        raise DataError(f"{source}: reading Parquet needs pyarrow; pip install convscope[parquet]") from error
    try:
        rows = parquet.read_table(path).to_pylist()
    except (ArrowInvalid, OSError) as error:
        raise DataError(f"{source}: not a readable Parquet file; write it again") from error
    return [{str(name): "" if value is None else str(value) for name, value in row.items()} for row in rows]


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:  # noqa: ARG001
    ending = source.path.suffix.lower()
    if ending not in ENDINGS or not source.path.is_file():
        return None
    return Recognised(TABLE.name, 1.0, f"it is a {ending} file")


def _read_source(source: Source, settings: ReadSettings) -> Dataset:
    kind = settings.target_kind
    if kind not in (None, CLASSES.name, *table_kinds.READERS):
        raise DataError(f"{source}: a table contains no {kind}; give the folder of images and {kind}")
    return read_table(Path(source), settings.columns, kind)


TABLE = Layout(table_kinds.NAME, f"a file {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}", _recognise, _read_source)
