"""Class names and splits of a YOLO data set: from its YAML file, darknet's obj.data, or lists beside the images."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from convscope.datasets.dataset import split_of
from convscope.errors import DataError
from convscope.files import read_start
from convscope.layouts.boxes.image_finder import path_parts
from convscope.layouts.split_lists import listed_names

LARGEST = 64_000  # bytes of a YAML file; the 1,203 names of LVIS have 40,000
_DEEPEST = 20  # levels of nesting
_CLASS_LISTS = ("classes.txt", "obj.names", "labels.txt", "classes.names")
_NAMES = re.compile(rb"^\W*names", re.MULTILINE)
_SPLITS = ("train", "val", "valid", "validation", "test")


class _PlainLoader(yaml.BaseLoader):  # type: ignore[misc]  # PyYAML has no types
    """Builds strings, lists and dictionaries, without aliases and with little nesting."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One value; PyYAML's time grows with the square of the depth."""
        if self.check_event(yaml.AliasEvent):
            raise _RefusedError("has aliases, which could be an attack; write the values out")
        if self.depth > _DEEPEST:
            raise _RefusedError("not a list of classes: it is nested too deeply; write it again")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _RefusedError(Exception):
    """YAML that is valid, and not that of a data set."""


@dataclass
class YoloConfig:
    """What a data set says about itself."""

    file: Path | None = None
    """The YAML or .data file; None if there is none."""
    names: dict[int, str] = field(default_factory=dict)
    """Class names by index."""
    entries: dict[str, list[str]] = field(default_factory=dict)
    """Folders and lists of images of each split."""
    base: str = ""
    """The folder that entries are relative to, if it is given."""
    keypoints: int = 0
    """Numbers per object after class and box."""
    notes: list[str] = field(default_factory=list)


def find_config(root: Path, texts: list[Path], file: Path | None = None) -> YoloConfig:
    """The configuration of a data set.

    Args:
        root: its folder.
        texts: the candidates below it: files .yaml, .yml, .data, .names and .txt.
        file: the YAML file that the user gave, if any.

    Raises:
        DataError: a file with class names is not valid YAML, or its names are not.
    """
    by_depth = sorted(texts, key=lambda path: (len(path.parts), path.stem not in ("data", "dataset"), str(path)))
    yamls = [file] if file else [path for path in by_depth if path.suffix.lower() in (".yaml", ".yml")]
    found = next((config for config in map(_from_yaml, yamls) if config), None)
    data = next((path for path in by_depth if path.suffix.lower() == ".data"), None)
    found = found or (_from_data(data, root) if data else None) or YoloConfig()
    listed = next((path for name in _CLASS_LISTS for path in by_depth if path.name.lower() == name), None)
    names = dict(enumerate(listed_names(listed))) if listed else {}
    if listed and found.names and names and names != found.names and found.file:
        found.notes.append(
            f"{found.file.name} and {_relative(listed, root)} give different class names; {found.file.name} is used"
        )
    found.names = found.names or names
    if not found.entries:
        lists = [path for path in by_depth if path.parent == root and path.suffix == ".txt" and path.stem in _SPLITS]
        found.entries = {split_of(path.stem) or "": [path.name] for path in lists}
    return found


def read_yaml(file: Path) -> Any:
    """The content of a YAML file as strings, lists and dictionaries: no is a name, not a truth value.

    Raises:
        DataError: it is not YAML, too large, nested too deeply, or has aliases, which could exhaust memory.
    """
    try:
        content = read_start(file, LARGEST + 1)
        if len(content) > LARGEST:
            size = file.stat().st_size
            raise DataError(f"{file}: has {size:,} bytes, more than a list of classes can have; remove other content")
        return yaml.load(content, Loader=_PlainLoader)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); check the file") from None
    except _RefusedError as error:
        raise DataError(f"{file}: {error}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        problem = getattr(error, "problem", None) or str(error)
        raise DataError(f"{file}: not YAML ({' '.join(str(problem).split())[:200]}{line}); correct it") from None


def resolve(entry: str, root: Path, config: YoloConfig) -> Path | None:
    """The folder or file that an entry names, inside the data folder; None if there is none.

    Entries of another machine, or relative to another folder (Roboflow's ../train/images), are matched by their last
    parts: at least two, or one that shows a split.
    """
    here = config.file.parent if config.file else root
    text = entry.replace("\\", "/").replace("\0", "").strip()
    for base in (here / config.base, here, root / config.base, root):
        path = Path(os.path.normpath(base / text))
        if path.is_relative_to(root) and _exists(path):
            return path
    parts = tuple(part for part in path_parts(text) if part != "..")
    for start in range(len(parts)):
        tail = parts[start:]
        enough = len(tail) > 1 or start == 0 or split_of(Path(tail[0]).stem.rstrip("0123456789"))
        for place in (here, root):
            if enough and _exists(place.joinpath(*tail)):
                return place.joinpath(*tail)
    return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long
        return False


def _from_yaml(file: Path) -> YoloConfig | None:
    """The configuration in a YAML file; None if it has no names."""
    try:
        if not _NAMES.search(read_start(file, LARGEST)):
            return None
    except OSError:
        return None
    content = read_yaml(file)
    if not isinstance(content, dict) or "names" not in content:
        return None
    config = YoloConfig(file, _names(content["names"], file), base=_text(content.get("path")))
    for key in _SPLITS:
        value = content.get(key)
        entries = [_text(entry) for entry in (value if isinstance(value, list) else [value])]
        if any(entries):
            config.entries.setdefault(split_of(key) or "", []).extend(filter(None, entries))
    shape = content.get("kpt_shape")
    if isinstance(shape, list) and len(shape) == 2 and all(_text(side).isdecimal() for side in shape):
        config.keypoints = int(shape[0][:4]) * int(shape[1][:4])
    count = _text(content.get("nc"))
    if count.isdecimal() and count != str(len(config.names)):
        config.notes.append(f"{file.name} has nc {count[:20]} and {len(config.names)} names; the names are used")
    return config


def _names(value: Any, file: Path) -> dict[int, str]:
    """Names by index, from a list, a mapping, or the path of a list.

    Raises:
        DataError: they are none of these.
    """
    if isinstance(value, str) and value:
        listed = file.parent / value.replace("\0", "")
        return dict(enumerate(listed_names(listed))) if _exists(listed) and listed.is_file() else {0: value}
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    try:
        names = {int(str(index)[:20]): name.strip() for index, name in pairs if isinstance(name, str)}
    except ValueError:
        names = {}
    if not names or len(names) < len(value):
        raise DataError(f"{file}: names is not a list of class names; write names: [cat, dog]")
    return names


def _from_data(file: Path, root: Path) -> YoloConfig:
    """The configuration in darknet's file: lines of key = value."""
    pairs = dict(_pair(line) for line in listed_names(file) if "=" in line)
    config = YoloConfig(file)
    for key in _SPLITS:
        if pairs.get(key):
            config.entries.setdefault(split_of(key) or "", []).append(pairs[key])
    listed = resolve(pairs.get("names", ""), root, config) if pairs.get("names") else None
    config.names = dict(enumerate(listed_names(listed))) if listed and listed.is_file() else {}
    return config


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    return key.strip(), value.strip()


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
