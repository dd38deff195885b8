"""Data as they should not be, each in a folder of its own; every function returns what is to be trained on."""

import struct
import zlib
from pathlib import Path

from PIL import Image

from helpers.small_runs import photos


def nothing(home: Path) -> Path:
    return home / "photos"


def misspelt(home: Path) -> Path:
    photos(home / "photos")
    return home / "photo"


def empty(home: Path) -> Path:
    (home / "photos").mkdir()
    return home / "photos"


def no_images(home: Path) -> Path:
    (home / "photos").mkdir()
    for name in ("a.txt", "b.txt", "c.pdf"):
        (home / "photos" / name).write_text("words")
    return home / "photos"


def no_classes(home: Path) -> Path:
    return photos(home / "photos") / "a"


def one_class(home: Path) -> Path:
    return photos(home / "photos", "a")


def class_of_one(home: Path) -> Path:
    folder = photos(home / "photos")
    for number in range(1, 10):
        (folder / "b" / f"{number}.png").unlink()
    return folder


def classes_of_one(home: Path) -> Path:
    return photos(home / "photos", each=1)


def unseen_class(home: Path) -> Path:
    photos(home / "photos" / "train", "ab")
    photos(home / "photos" / "test", "abc")
    return home / "photos"


def an_archive(home: Path) -> Path:
    """An archive of a kind that is not read."""
    made = home / "photos.7z"
    made.write_bytes(b"7z\xbc\xaf\x27\x1c")
    return made


def no_list(home: Path) -> Path:
    (home / "photos.pdf").touch()
    return home / "photos.pdf"


def spoilt(home: Path, how: str) -> Path:
    """Twenty images of which the first is not what it should be."""
    folder = photos(home / "photos")
    file = folder / "a" / "0.png"
    match how:
        case "no image":
            file.write_text("hello")
        case "cut off":
            file.write_bytes(file.read_bytes()[:300])
        case "zero bytes":
            file.write_bytes(b"")
        case "one pixel":
            Image.new("RGB", (1, 1), "red").save(file)
        case "wide":
            Image.new("RGB", (20_000, 20), "red").save(file)
        case "bomb":
            file.write_bytes(bomb(100_000, 100_000))
    return folder


def bomb(width: int, height: int) -> bytes:
    """A PNG file of a hundred bytes that claims to be huge."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def all_spoilt(home: Path) -> Path:
    folder = photos(home / "photos")
    for file in folder.rglob("*.png"):
        file.write_text("hello")
    return folder


def table(home: Path, header: str = "file,label", change: str = "", rows: str = "{file},{label}") -> Path:
    """A CSV beside its twenty images."""
    folder = photos(home / "photos")
    lines = [rows.format(file=f"{label}/{i}.png", label=label) for label in "ab" for i in range(10)]
    match change:
        case "missing files":
            lines += ["a/98.png,a", "b/99.png,b"]
        case "repeated rows":
            lines += lines[:3]
        case "one contradiction":
            lines += ["a/0.png,b"]
        case "many contradictions":
            lines += [f"a/{i}.png,b" for i in range(5)]
        case "no label":
            lines[0] = "a/0.png,"
        case "unseen class":
            lines = [f"{line},{'train' if line.endswith('a') else 'test'}" for line in lines]
        case "no rows":
            lines = []
    (folder / "labels.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder / "labels.csv"


def empty_table(home: Path) -> Path:
    file = table(home)
    file.write_text("")
    return file
