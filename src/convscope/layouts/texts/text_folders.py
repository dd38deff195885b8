"""Folders of .txt files: one text per file, in a folder per class, also under train/ and test/."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.text_files import WHOLE, fallback_note, read_bytes
from convscope.datasets.inputs.text_tables import content_of
from convscope.datasets.listing import comparable, ending
from convscope.datasets.text_arrays import LabelledText, text_dataset
from convscope.datasets.text_encoding import decode_text
from convscope.errors import DataError
from convscope.layouts.folders.class_folders import because_of
from convscope.layouts.folders.class_reading import ClassReading, class_names, read_classes
from convscope.layouts.folders.folder_tree import folder_tree
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.layouts.written_labels import targets_of_labels
from convscope.printable import encodable


def _reading(source: Source) -> tuple[ClassReading, list[str]]:
    """Which folders are classes of .txt files, and their names."""
    tree = folder_tree(source.path, source.folders, (WHOLE,))
    reading = read_classes(tree)
    return reading, class_names(tree, reading)


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:  # noqa: ARG001
    if not source.path.is_dir() or source.images or not source.files(WHOLE):
        return None
    reading, names = _reading(source)
    if len(names) < 2:
        return None
    return Recognised(TEXT_FOLDERS.name, 0.8, f"its {because_of(names, reading)} contain {WHOLE} files")


@dataclass
class _Collected:
    texts: list[LabelledText] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    fallbacks: dict[str, list[str]] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)


def _read(source: Source, settings: ReadSettings) -> Dataset:
    reading, _ = _reading(source)
    found = _Collected(skipped=list(source.unusable))
    for parent, names in source.folders:
        folders = parent.relative_to(source.path).parts
        branch, inside = reading.branch_of(folders)
        label = comparable(branch.label or (inside[0] if inside else "")) if branch else ""
        split = (branch.split if branch else "") or (reading.inside.get(inside[1], "") if len(inside) > 1 else "")
        for name in names:
            if ending(name) != WHOLE:
                found.others[ending(name) or "no ending"] += 1
                continue
            place = "/".join((*folders, name))
            if branch is None or not label:
                found.skipped.append(Skipped(place, reading.outside if branch is None else "is not in a class folder"))
            else:
                _add(found, parent / name, LabelledText(place, "", label, split))
    targets = targets_of_labels(str(source), [one.label for one in found.texts], settings.target_kind)
    origin = (str(source.path.absolute()), TEXT_FOLDERS.name)
    return text_dataset(origin, found.texts, targets, (*reading.notes, *_notes(found)), found.skipped)


def _add(found: _Collected, file: Path, listed: LabelledText) -> None:
    """Add the text of a file, or why it cannot be used."""
    try:
        content = content_of(file)
        text = read_bytes(content, listed.name)
    except DataError as error:
        place = str(file) if str(error).startswith(str(file)) else listed.name
        found.skipped.append(Skipped(listed.name, str(error).removeprefix(f"{place}: ")))
        return
    if fallback := decode_text(content).fallback:
        found.fallbacks.setdefault(fallback, []).append(listed.name)
    found.texts.append(LabelledText(listed.name, text, listed.label, listed.split))


def _notes(found: _Collected) -> list[str]:
    notes = []
    for fallback, names in found.fallbacks.items():
        more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
        notes.append(fallback_note(f"{encodable(names[0])}{more}", fallback))
    if found.others:
        shown = ", ".join(f"{count} {end}" for end, count in sorted(found.others.items()))
        notes.append(f"skipped files that are no {WHOLE} files: {shown}")
    return notes


TEXT_FOLDERS = Layout("text-folders", f"one subfolder of {WHOLE} files per class", _recognise, _read)
