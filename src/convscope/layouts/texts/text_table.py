"""Tables with a column of texts and one of labels: CSV, Parquet or JSON lines, or one for each split in a folder."""

from collections.abc import Sequence
from pathlib import Path

from convscope.datasets.cells import label_of, shown
from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.inputs.text_tables import TABLES, TextTable, has_texts, read_text_table, text_column
from convscope.datasets.text_arrays import LabelledText, text_dataset
from convscope.errors import DataError, did_you_mean
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.layouts.series import file_split
from convscope.layouts.tables.column_words import GROUP, LABEL, NO_COLUMN, SPLIT, named
from convscope.layouts.tables.columns import Columns
from convscope.layouts.written_labels import targets_of_labels

_FEW = 50
"""Different values up to which a column may be the label by its values."""


def text_tables(source: Source, settings: ReadSettings) -> list[Path]:
    """The tables with texts of a source: itself, or those in the folder, not below it."""
    columns, path = settings.columns or Columns(), source.path
    if columns.image:
        return []
    if path.is_file():
        return [path] if path.suffix.lower() in TABLES and (columns.text or has_texts(path)) else []
    if not path.is_dir():
        return []
    return [file for file in sorted(path.iterdir()) if file.is_file() and has_texts(file)]


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    if source.path.is_dir() and source.images:
        return None
    files = text_tables(source, settings)
    if not files:
        return None
    alone = source.path.is_file()
    return Recognised(
        TEXT_TABLE.name, 1.0 if alone else 0.8, f"{'it' if alone else files[0].name} has a column of texts"
    )


def _read(source: Source, settings: ReadSettings) -> Dataset:
    files = text_tables(source, settings)
    splits = [file_split(file) if len(files) > 1 else "" for file in files]
    if len(set(splits)) < len(files):
        both = " and ".join(file.name for file in files[:2])
        raise DataError(f"{source}: {both} are tables of texts of the same split; give one of them")
    texts: list[LabelledText] = []
    skipped: list[Skipped] = []
    column = ""
    notes: list[str] = []
    for file, split in zip(files, splits, strict=True):
        table = read_text_table(file)
        notes += [note for note in table.notes if note not in notes]
        skipped += [Skipped(f"{file.name}:{number}", why) for number, why in table.skipped]
        columns = settings.columns or Columns()
        column = text_column(table.names, [row for _, row in table.rows], columns.text or "", str(file))
        texts += _labelled(file, table, split, columns.model_copy(update={"text": column}), notes)
    targets = targets_of_labels(str(source), [one.label for one in texts], settings.target_kind)
    origin = (str(source.path.absolute()), TEXT_TABLE.name)
    return text_dataset(origin, texts, targets, notes, skipped, column)


def _labelled(file: Path, table: TextTable, split: str, columns: Columns, notes: list[str]) -> list[LabelledText]:
    """The rows of a table, whose column of texts is known, with their labels; a note names the columns."""
    cells = [row for _, row in table.rows]
    text = columns.text or ""
    others = [name for name in table.names if name != text]
    split_column, group = _optional(others, columns.split, SPLIT, file), _optional(others, columns.group, GROUP, file)
    label = _label_column(file, others, cells, columns, (split_column, group))
    used = {"text": text, "label": label, "split": split_column, "group": group}
    note = f"columns used: {', '.join(f'{use} {shown(name)}' for use, name in used.items() if name)}"
    if note not in notes:
        notes.append(note)
    return [
        LabelledText(
            f"{file.name}:{number}",
            row.get(text, ""),
            label_of(row.get(label, "")),
            split or (split_of(row.get(split_column, "")) or "" if split_column else ""),
            label_of(row.get(group, "")) if group else "",
        )
        for number, row in table.rows
    ]


def _optional(names: Sequence[str], given: str | None, words: Sequence[str], file: Path) -> str:
    """A column that may be absent: the given one, or one with a common name; "" if there is none."""
    if given in NO_COLUMN and given not in names:
        return ""
    if given and given not in names:
        raise DataError(f"{file}: no column {given}{did_you_mean(given, names)}")
    return given or named(names, words) or ""


def _label_column(
    file: Path, names: Sequence[str], rows: Sequence[dict[str, str]], columns: Columns, taken: Sequence[str]
) -> str:  # fmt: skip
    """The given column, one with a common name, or the only one with few different values."""
    if columns.label and columns.label not in names:
        raise DataError(f"{file}: no column {columns.label}{did_you_mean(columns.label, names)}")
    free = [name for name in names if name not in taken]
    found = columns.label or named(free, LABEL)
    if found:
        return found
    values = {name: {label_of(row.get(name, "")) for row in rows} - {""} for name in free}
    few = [name for name in free if 1 <= len(values[name]) <= min(_FEW, max(2, len(rows) // 2))]
    if len(few) == 1:
        return few[0]
    among = f" among {shown(', '.join(free), 300)}" if free else ""
    raise DataError(f"{file}: no column for the label{among}; set the label column")


TEXT_TABLE = Layout("text-table", f"a file {', '.join(TABLES)} with a column of texts", _recognise, _read)
