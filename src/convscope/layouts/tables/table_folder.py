"""Tables in a folder: train.csv beside images/, train/metadata.csv, or the Parquet files of Hugging Face's datasets."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from weakref import WeakKeyDictionary

from convscope.datasets.cells import label_of
from convscope.datasets.dataset import Dataset, split_of
from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.listing import ending
from convscope.datasets.targets.classes import CLASSES
from convscope.datasets.targets.numbers import NUMBERS
from convscope.errors import DataError
from convscope.layouts.folders.set_names import is_container, set_name, words
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source, confidence_of_share
from convscope.layouts.path_lookup import PathLookup, is_ambiguous
from convscope.layouts.tables.classes import label_column
from convscope.layouts.tables.column_words import LABEL, plain_name
from convscope.layouts.tables.columns import Columns
from convscope.layouts.tables.content import TableContent
from convscope.layouts.tables.kinds import detect_target_kind
from convscope.layouts.tables.rows import TableFile, TableRows
from convscope.layouts.tables.table import CSV, JSON_LINES, PARQUET, TEXT, place_tables, read_content, read_rows
from convscope.layouts.tables.text_lists import has_attributes, is_list, listed_splits, split_words, with_splits

_DEPTH = 2  # names in the path of a table of text below the source
_MOST = 200  # tables that are looked at
_TRIED = 20  # rows of a table whose files are looked up
_LARGEST = 1_000_000_000  # bytes of a table of text
_OTHER = re.compile(r"submission|^class(es)?([_-]|$)|descriptions", re.IGNORECASE)  # lists of other things than images
_BESIDE = ("metadata", "_annotations")  # names of tables that belong to the images beside them
_NEUTRAL = ("images", "image", "imgs", "img", "data", "photos", "pictures", "jpegimages")
_PART = "part"
_NO_TARGET = 0.61  # a table whose target is not clear: more than class folders, less than annotations
_NEARLY_ALL = 0.8  # of the images; a table that lists them says more of them than their folders do
_DOUBTFUL = 0.5  # beside class folders that say otherwise: the user chooses


def table_split(path: Path, root: Path) -> str:
    """The split that the name of a table or of its folders stands for; empty if none does.

    >>> folder = Path("photos")
    >>> table_split(folder / "data" / "train-00000-of-00002.parquet", folder), table_split(folder / "a.csv", folder)
    ('train', '')
    >>> table_split(folder / "trainLabels.csv", folder)
    'train'
    """
    folders = reversed(path.parent.relative_to(root).parts)
    return next((split for split in map(split_of, (*words(path.stem), *folders)) if split), "")


class FolderTables:
    """The tables of a folder that contain images or name existing ones."""

    def __init__(self, source: Source, columns: Columns | None) -> None:
        self.source, self.columns = source, columns
        self.root = source.path.absolute()
        self.lookup = PathLookup(self.root)
        read = ((file, self._read(file)) for file in islice(self._files(), _MOST))
        self.tables = {file: table for file, table in read if table is not None}

    def place(self, file: TableFile) -> str:
        """The path of a table in the folder."""
        return file.path.relative_to(self.root).as_posix()

    @cached_property
    def content(self) -> TableContent:
        """All rows of one table, of those of all splits, or of all parts.

        Tables without the columns of the others, such as a test set without labels, are left out with a note.

        Raises:
            DataError: no table, several that do not belong together, or as for `place_tables`.
        """
        if not self.tables:
            raise DataError(f"{self.source}: contains no table that names images; give the table itself")
        words = {file: found for file, table in self.tables.items() if (found := split_words(table, file.path))}
        tables = {file: table for file, table in self.tables.items() if file not in words} or self.tables
        first = next((file for file in tables if file.split == "train"), next(iter(tables)))
        columns = set(tables[first].names)
        kept = [file for file, table in tables.items() if set(table.names) == columns]
        patterns = {re.sub(r"\d+", "", file.path.name) for file in kept}
        if len(patterns) > 1 and not all(file.split for file in kept):
            both = " and ".join(map(self.place, kept[:2]))
            raise DataError(f"{self.source}: contains {len(kept)} tables of the same columns, {both}; give one of them")
        content = place_tables(str(self.root), [self.tables[file] for file in kept], self.lookup, self.columns)
        others = [self.place(file) for file in tables if file not in kept]
        if content.columns.split is None and len(kept) == 1 and not first.split and first not in words:
            content = self._with_splits(content, {self.place(file): found for file, found in words.items()})
        if others:
            what = f"tables with other columns than {self.place(first)}"
            content.notes.append(f"{what} are left out: {', '.join(others[:3])}{', ...' if len(others) > 3 else ''}")
        return content

    def _with_splits(self, content: TableContent, tables: dict[str, dict[str, str]]) -> TableContent:
        """The content with the splits that a table or lists of names give its images."""
        image = content.columns.image
        lists = {file.relative_to(self.source.path).as_posix(): file for file in self.source.files(TEXT)[:_MOST]}
        read, splits = next(iter(tables.items()), ("", {}))
        if not splits:
            read, splits = listed_splits(lists, content.table.column(image))
        if not splits or (self.columns and self.columns.split):
            return content
        table = with_splits(content.table, image, splits)
        content = place_tables(str(self.root), [table], self.lookup, self.columns)
        content.notes.append(f"the split is read from {read}")
        return content

    def _files(self) -> Iterator[TableFile]:
        source = self.source
        lists = [path for path in source.files(TEXT) if is_list(path)] if _are_images_together(source) else []
        lists.sort(key=lambda path: not has_attributes(path))
        for path in (*source.files(*CSV, *JSON_LINES), *source.files(*PARQUET), *lists):
            text = path.suffix.lower() not in PARQUET
            too_deep = text and len(path.relative_to(source.path).parts) > _DEPTH
            if not too_deep and not _OTHER.search(path.stem) and not (text and path.stat().st_size > _LARGEST):
                yield TableFile(path.absolute(), table_split(path, source.path), self.root)

    def _read(self, file: TableFile) -> TableRows | None:
        """The rows of a table if it contains images or names existing ones."""
        try:
            table = read_rows(file, self.lookup, pixels_too=not self.source.images)
            content = place_tables(str(file.path), [table], self.lookup, self.columns)
        except DataError:
            return None
        some = table.rows[:: max(1, len(table.rows) // _TRIED)][:_TRIED]
        paths = ((row[content.columns.image].strip(), row) for row in some)
        found = (content.lookup.find(path, file.split, file.folder) for path, _ in paths)
        return table if any(isinstance(path, Path) or is_ambiguous(path) for path in found) else None


_opened: WeakKeyDictionary[Source, FolderTables] = WeakKeyDictionary()  # to read them once per source


def tables_in(source: Source, settings: ReadSettings) -> FolderTables:
    """The tables of a folder, which are read once."""
    known = _opened.get(source)
    if known is None or known.columns != settings.columns:
        known = _opened[source] = FolderTables(source, settings.columns)
    return known


def read_table_folder(source: Source, settings: ReadSettings) -> Dataset:
    """The images of the tables of a folder: one table, one for each split, or several parts of each.

    Raises:
        DataError: no table, several that do not belong together, or as for `read_table`.
    """
    content = replace(tables_in(source, settings).content, file_kind=settings.file_kind)
    dataset = read_content(content, settings.target_kind)
    return replace(dataset, layout=TABLE_FOLDER.name)


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    found = tables_in(source, settings) if source.path.is_dir() else None
    if found is None or not found.tables:
        return None
    names = [found.place(file) for file in found.tables]
    because = f"{names[0]} lists images" if len(names) == 1 else f"{len(names)} tables list images, such as {names[0]}"
    confidence = _confidence(source, found, settings)
    return Recognised(TABLE_FOLDER.name, confidence, because) if confidence else None


def _confidence(source: Source, tables: FolderTables, settings: ReadSettings) -> float:
    """The confidence that the tables, not the folders of the images, say what these show; 0 if folders do.

    Where the user requests this layout, the tables do.
    """
    if settings.layout == TABLE_FOLDER.name:
        return 1.0
    together = _are_images_together(source)
    try:
        content = tables.content
        kind = settings.target_kind or detect_target_kind(content)
    except DataError:
        return _NO_TARGET if together else 0.0
    column = label_column(content)
    beside = all(file.path.stem.lower().startswith(_BESIDE) for file in tables.tables)
    named = column is not None and plain_name(column) in LABEL
    if content.table.images or together or (beside and (named or kind != CLASSES.name)):
        clear = kind != CLASSES.name or column is not None
        return confidence_of_share(len(content.table.rows), source.images) if clear else _NO_TARGET
    nearly_all = len(content.table.rows) >= _NEARLY_ALL * source.images
    if kind not in (CLASSES.name, NUMBERS.name):  # which folders cannot say
        return _DOUBTFUL if nearly_all else 0.0
    if column is not None and _repeats_folders(content, column):
        return 0.0
    return _DOUBTFUL if named or (nearly_all and _may_be_target(content)) else 0.0


def _may_be_target(content: TableContent) -> bool:
    """Whether a column has values that repeat: one that differs in every row, such as a title, is no target."""
    columns = (content.table.column(name) for name in content.columns.free)
    return any(2 * len(set(cells)) <= len(cells) for cells in columns)


def _repeats_folders(content: TableContent, column: str) -> bool:
    """Whether the labels of a table are the folders of the images."""
    files = list(content.files([]))
    return bool(files) and all(label_of(found.row[column]) in found.file.parent.parts for found in files)


def _are_images_together(source: Source) -> bool:
    """Whether the images lie in one folder, apart from folders of splits and such as images/."""
    groups = {
        tuple(name for part in parts if (name := _without_set(part)) not in _NEUTRAL)
        for parts in (
            place.relative_to(source.path).parts
            for place, names in source.folders
            if any(ending(name) in ENDINGS for name in names)
        )
    }
    return len(groups) <= 1


def _without_set(folder: str) -> str:
    """A folder's name; "images" if it is that of a split, and without its number if it is one of several parts."""
    compound = set_name(folder)
    if compound is not None and not compound.rest:
        return _NEUTRAL[0]
    parts = is_container(folder) or _PART in words(folder)
    return folder.lower().rstrip("0123456789") if parts else folder.lower()


TABLE_FOLDER = Layout(
    "table-folder", "a folder with a table that lists the images below it", _recognise, read_table_folder
)
