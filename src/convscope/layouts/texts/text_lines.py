"""Files of one text per line, a file per class: rt-polarity.pos and rt-polarity.neg, or pos.txt and neg.txt."""

import re
from dataclasses import dataclass
from pathlib import Path

from convscope.datasets.dataset import Dataset, Skipped, split_of
from convscope.datasets.file_kinds import ENDINGS as OTHER_KINDS
from convscope.datasets.inputs.text_files import WHOLE, read_lines
from convscope.datasets.inputs.text_tables import TABLES
from convscope.datasets.listing import ending
from convscope.datasets.text_arrays import LabelledText, text_dataset
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.layouts.written_labels import targets_of_labels

_ASIDE = re.compile(r"(read[-_ ]?me|licen[cs]e|change(log|s)|about|vocab\w*|classes|labels)\b.*", re.IGNORECASE)
_TRIED = 1 << 14  # bytes that show whether a file is text in lines
_FEWEST_WORDS = 2  # of the usual line


@dataclass(frozen=True)
class LineFile:
    """A file of the texts of one class."""

    path: Path
    label: str
    split: str


def line_files(folder: Path) -> list[LineFile]:
    """The files of a folder whose names differ in one word, the class, and perhaps in a split; [] if they do not."""
    listed = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    known = (*TABLES, *OTHER_KINDS)
    files = [path for path in listed if not _ASIDE.fullmatch(path.name) and ending(path.name) not in known]
    words = [re.split(r"[-._ ]+", path.name.removesuffix(WHOLE)) for path in files]
    if len(files) < 2:
        return []
    splits = [next((split for split in map(split_of, parts) if split), "") for parts in words]
    common = set.intersection(*map(set, words))
    labels = [[word for word in parts if word not in common and not split_of(word)] for parts in words]
    if len(set(map(tuple, labels))) < 2 or not all(len(one) == 1 for one in labels):
        return []
    if len({(label[0], split) for label, split in zip(labels, splits, strict=True)}) < len(files):
        return []
    return [LineFile(path, label[0], split) for path, label, split in zip(files, labels, splits, strict=True)]


def _is_of_lines(path: Path) -> bool:
    """Whether a file begins with several lines of words."""
    with path.open("rb") as file:
        content = file.read(_TRIED)
    if b"\0" in content:
        return False
    lines = [line for line in content.decode("utf-8", "replace").splitlines() if line.strip()]
    words = sum(any(map(str.isalpha, word)) for line in lines for word in line.split())
    return len(lines) > 1 and words >= _FEWEST_WORDS * len(lines)


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:  # noqa: ARG001
    if not source.path.is_dir() or source.images:
        return None
    files = line_files(source.path)
    if not files or not all(_is_of_lines(one.path) for one in files):
        return None
    names = " and ".join(one.path.name for one in files[:2])
    return Recognised(TEXT_LINES.name, 0.8, f"{names} hold a text per line and are named like classes")


def _read(source: Source, settings: ReadSettings) -> Dataset:
    texts, notes, skipped = [], [], []
    for one in line_files(source.path):
        lines, remarks, unused = read_lines(one.path)
        notes += remarks
        texts += [
            LabelledText(f"{one.path.name}:{number}", text, one.label, one.split) for number, text in lines
        ]  # fmt: skip
        skipped += [Skipped(f"{one.path.name}:{number}", why) for number, why in unused]
    targets = targets_of_labels(str(source), [one.label for one in texts], settings.target_kind)
    return text_dataset((str(source.path.absolute()), TEXT_LINES.name), texts, targets, notes, skipped)


TEXT_LINES = Layout(
    "text-lines",
    "files of one text per line, one for each class, such as rt-polarity.pos and rt-polarity.neg",
    _recognise,
    _read,
)
