"""Names of classes that are numbers or WordNet's identifiers, from the files that data sets put beside the images."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from convscope.datasets.csv_file import read_records
from convscope.errors import DataError
from convscope.files import read_start

_WORDNET = re.compile(r"n\d{8}", re.ASCII)
_FILE = re.compile(r"class|label|categor|name|synset|words|mapping", re.IGNORECASE)
_LARGEST = 10_000_000  # bytes; the names of all synsets of WordNet have 3,000,000
_MOST_FILES = 20
_MOST_KEYS = 3  # times as many numbers as there are classes may have names
_PAIR = 2


def named_classes(folder: Path, labels: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """Label -> name by a file in a folder, and a note on it; nothing is renamed if no file names all classes.

    WordNet's identifiers (n01440764) are named by ``words.txt``, ``LOC_synset_mapping.txt``,
    ``imagenet_class_index.json`` and the like, also one folder up; of several synonyms the first is used. Numbers are
    named by a JSON file ``{"0": "name"}`` or a CSV file of two columns. Identifiers whose name another one has, too,
    keep their identifier.
    """
    wanted = set(labels)
    if len(wanted) < _PAIR:
        return {}, []
    words = all(map(_WORDNET.fullmatch, wanted))
    if not words and not all(label.isdecimal() and label.isascii() for label in wanted):
        return {}, []
    for file in islice(_files(folder, words), _MOST_FILES):
        found = _pairs(file)
        names = {label: name for label in wanted if (name := found.get(label) or found.get(label.lstrip("0") or "0"))}
        if len(names) < len(wanted) or (not words and len(found) > _MOST_KEYS * len(wanted)):
            continue
        names = {label: name.partition(",")[0].strip() if words else name for label, name in names.items()}
        if all(name.isdecimal() for name in names.values()):  # a table of images and labels
            continue
        count = Counter(names.values())
        names = {label: name for label, name in names.items() if count[name] == 1 and name != label}
        if names:
            first = min(names)
            return names, [f"the names of the classes are from {file.name}: {first} is {names[first]}"]
    return {}, []


def _files(folder: Path, words: bool) -> Iterator[Path]:
    """Files that may name classes."""
    for place in (folder, folder.parent) if words else (folder,):
        try:
            entries = sorted(place.iterdir())
        except OSError:
            continue
        endings = (".txt", ".json", ".csv") if words else (".json", ".csv")
        yield from (file for file in entries if file.suffix.lower() in endings and _FILE.search(file.stem))


def _pairs(file: Path) -> dict[str, str]:
    """Label -> name; empty if a file says other things or cannot be read."""
    try:
        content = read_start(file, _LARGEST)
        if file.suffix.lower() == ".json":
            return _json_pairs(json.loads(content))
        if file.suffix.lower() == ".csv":
            records = [cells for _, cells in read_records(content, str(file)).records]
            rows = [cells for cells in records if len(cells) == _PAIR]
            return {cells[0].strip(): cells[1].strip() for cells in rows} if len(rows) == len(records) else {}
        lines = (line.split(maxsplit=1) for line in content.decode("utf-8", errors="replace").splitlines())
        return {parts[0]: parts[1].strip() for parts in lines if len(parts) == _PAIR}
    except (DataError, OSError, ValueError, RecursionError):
        return {}


def _json_pairs(content: Any) -> dict[str, str]:
    """Of {label: name}, {index: [label, name]}, or of a mapping that is the only value of another."""
    if not isinstance(content, dict):
        return {}
    if all(isinstance(value, str) for value in content.values()):
        return content
    pairs = [value for value in content.values() if isinstance(value, list) and len(value) == _PAIR]
    if len(pairs) < len(content):
        return {}
    return {str(label): str(name) for label, name in pairs}
