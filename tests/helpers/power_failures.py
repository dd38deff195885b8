"""Power failures, simulated: what a disk may hold if a program that wrote to it was cut off at any operation.

A recording holds every write, sync, rename and deletion of a program below a folder, in order. A crash state keeps what
was synced before the crash; of the rest it keeps any writes and drops or tears others, and keeps any first part of the
changes of each folder's names, so that a rename may survive without the content of its file, and the reverse.
"""

import builtins
import io
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Operation:
    """`kind` is write, sync, name (of a file or folder that appears), rename, remove or sync_folder."""

    kind: str
    path: str = ""
    file: int = -1
    offset: int = 0
    data: bytes = b""
    target: str = ""


@dataclass
class Recording:
    """The operations below a folder, and which file each name stands for."""

    root: Path
    operations: list[Operation] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    open: dict[int, int] = field(default_factory=dict)
    count: int = 0

    def inside(self, path: Any) -> str | None:
        """The path below the folder as text; None outside of it."""
        try:
            return str(Path(os.fspath(path)).absolute().relative_to(self.root))
        except (TypeError, ValueError):
            return None

    def named(self, path: str) -> int:
        """The number of a file; a new one where the name is new."""
        if path not in self.files:
            self.files[path] = self.count
            self.operations.append(Operation("name", path, self.count))
            self.count += 1
        return self.files[path]

    def state(self, source: random.Random) -> dict[str, bytes | None]:
        """What a disk may hold after a crash: each name with its content; None for a folder."""
        end = source.randrange(len(self.operations) + 1)
        names = self._names(end, source)
        contents = self._contents(end, source)
        return {
            path: None if file < 0 else contents.get(file, b"")
            for path, file in names.items()
            if all(str(folder) in names for folder in list(Path(path).parents)[:-1])
        }

    def _names(self, end: int, source: random.Random) -> dict[str, int]:
        """The names that survive: of each folder all changes before its last sync, and some first ones after it."""
        done = self.operations[:end]
        folders = {str(Path(one.path).parent) for one in done if one.kind in ("name", "rename", "remove")}
        kept = {}
        for folder in sorted(folders):
            synced = [i for i, one in enumerate(done) if one.kind == "sync_folder" and one.path == folder]
            kept[folder] = source.randint(synced[-1] if synced else -1, end)
        names: dict[str, int] = {}
        for number, one in enumerate(done):
            if one.kind not in ("name", "rename", "remove") or number > kept[str(Path(one.path).parent)]:
                continue
            if one.kind == "name":
                names[one.path] = one.file
            elif one.kind == "remove":
                names.pop(one.path, None)
            elif one.path in names:
                names[one.target] = names.pop(one.path)
        return names

    def _contents(self, end: int, source: random.Random) -> dict[int, bytes]:
        """What survives of each file: all before its last sync, and any writes after it, some of them torn."""
        done = self.operations[:end]
        synced = {one.file: number for number, one in enumerate(done) if one.kind == "sync"}
        found: dict[int, bytearray] = {}
        for number, one in enumerate(done):
            if one.kind != "write":
                continue
            data = one.data
            if number > synced.get(one.file, -1):
                fate = source.choice(("whole", "dropped", "torn", "whole"))
                data = b"" if fate == "dropped" else data[: source.randrange(len(data) + 1)] if fate == "torn" else data
            content = found.setdefault(one.file, bytearray())
            if data:
                content.extend(bytes(max(0, one.offset + len(data) - len(content))))
                content[one.offset : one.offset + len(data)] = data
        return {file: bytes(content) for file, content in found.items()}


def build(state: dict[str, bytes | None], folder: Path) -> None:
    """Write a state into a folder."""
    for path, content in sorted(state.items()):
        place = folder / path
        if content is None:
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


class _Recorded:
    """An open file whose writes are recorded."""

    def __init__(self, file: Any, recording: Recording, number: int) -> None:
        self._file, self._recording, self._number = file, recording, number
        recording.open[file.fileno()] = number

    def write(self, content: Any) -> Any:
        data = content.encode() if isinstance(content, str) else bytes(memoryview(content).cast("B"))
        offset = self._file.tell() if not self._file.mode.startswith("a") else self._file.seek(0, os.SEEK_END)
        self._recording.operations.append(Operation("write", "", self._number, offset, data))
        return self._file.write(content)

    def close(self) -> None:
        if not self._file.closed:
            self._recording.open.pop(self._file.fileno(), None)
        self._file.close()

    def __enter__(self) -> "_Recorded":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def recording(root: Path) -> Iterator[Recording]:
    """Record the operations below a folder, which does not exist yet, in the body."""
    found = Recording(root.absolute())
    with pytest.MonkeyPatch.context() as patch:
        for module, name, make in (
            (io, "open", _opening), (builtins, "open", _opening), (os, "open", _low_opening), (os, "fsync", _syncing),
            (os, "replace", _renaming), (os, "rename", _renaming), (os, "unlink", _removing), (os, "mkdir", _creating),
        ):  # fmt: skip
            patch.setattr(module, name, make(found, getattr(module, name)))
        yield found


Wrapped = Callable[..., Any]


def _opening(found: Recording, original: Wrapped) -> Wrapped:
    def opened(path: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        place = found.inside(path) if not isinstance(path, int) and set(mode) & set("wax+") else None
        file = original(path, mode, *rest, **more)
        if place is None:
            return file
        if "w" in mode:
            found.files.pop(place, None)  # its content is lost: a new file of this name
        return _Recorded(file, found, found.named(place))

    return opened


def _low_opening(found: Recording, original: Wrapped) -> Wrapped:
    def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        place = found.inside(path)
        handle: int = original(path, flags, *rest, **more)
        if place is not None and flags & os.O_CREAT:
            found.open[handle] = found.named(place)
        return handle

    return opened


def _syncing(found: Recording, original: Wrapped) -> Wrapped:
    def synced(handle: int) -> None:
        original(handle)
        folder = found.inside(Path(f"/proc/self/fd/{handle}").readlink())
        if folder is not None and os.path.isdir(f"/proc/self/fd/{handle}"):  # noqa: PTH112 - as the handle says
            found.operations.append(Operation("sync_folder", folder))
        elif handle in found.open:
            found.operations.append(Operation("sync", "", found.open[handle]))

    return synced


def _renaming(found: Recording, original: Wrapped) -> Wrapped:
    def renamed(before: Any, after: Any, **more: Any) -> None:
        original(before, after, **more)
        old, new = found.inside(before), found.inside(after)
        if old is not None and new is not None:
            found.operations.append(Operation("rename", old, target=new))
            if old in found.files:
                found.files[new] = found.files.pop(old)

    return renamed


def _removing(found: Recording, original: Wrapped) -> Wrapped:
    def removed(path: Any, **more: Any) -> None:
        original(path, **more)
        place = found.inside(path)
        if place is not None:
            found.operations.append(Operation("remove", place))
            found.files.pop(place, None)

    return removed


def _creating(found: Recording, original: Wrapped) -> Wrapped:
    def created(path: Any, *rest: Any, **more: Any) -> None:
        original(path, *rest, **more)
        place = found.inside(path)
        if place is not None:
            found.operations.append(Operation("name", place, -1))

    return created
