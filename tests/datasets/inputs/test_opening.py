"""Opening of image files: which decoders may start, and files that must not be opened at all."""

import ast
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets.inputs.headers import read_headers
from convscope.datasets.inputs.image import read_image
from convscope.errors import DataError

PACKAGE = Path(__file__).parents[3] / "src" / "convscope"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n" + b"0 0 moveto\n" * 20
UNKNOWN = "not an image in a supported format; convert it to PNG or JPEG, or delete it"


def openings(source: str) -> list[str]:
    """Calls of ``Image.open`` in a module, under any name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "PIL.Image":
            found += [alias.name for alias in node.names if alias.name == "open"]
        if isinstance(node, ast.Attribute) and node.attr == "open" and ast.unparse(node.value).endswith("Image"):
            found.append(ast.unparse(node))
    return found


def test_images_are_opened_in_one_place_only() -> None:
    found = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if openings(path.read_text())}
    assert found == {"datasets/inputs/opening.py"}


def test_a_planted_opening_is_found() -> None:
    assert openings("from PIL import Image\nImage.open(1)") == ["Image.open"]
    assert openings("import PIL.Image\nPIL.Image.open(1)") == ["PIL.Image.open"]
    assert openings("from PIL.Image import open as look") == ["open"]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.eps", "a.tif", "a"])
def test_a_decoder_that_would_start_a_program_is_never_used(tmp_path, monkeypatch, name) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "check_call", started)
    monkeypatch.setattr(subprocess, "Popen", started)
    (tmp_path / name).write_bytes(EPS)
    for size in (None, (8, 8)):
        with pytest.raises(DataError) as raised:
            read_image(tmp_path / name, 3, size)
        assert str(raised.value) == f"{tmp_path / name}: {UNKNOWN}"
    assert read_headers([tmp_path / name]) == [UNKNOWN]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "npy"])
def test_a_named_pipe_is_refused_without_waiting_for_a_writer(tmp_path, ending) -> None:
    os.mkfifo(path := tmp_path / f"a.{ending}")
    for size in (None, (8, 8)):
        with pytest.raises(DataError) as raised:
            read_image(path, 3, size)
        assert str(raised.value) == f"{path}: a named pipe, not an image; name a file"
    assert read_headers([path]) == ["a named pipe, not an image; name a file"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such files on this system")
def test_sockets_and_devices_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)  # paths of sockets have at most 107 letters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.png")
        assert read_headers([Path("a.png")]) == ["a socket, not an image; name a file"]
    Path("b.jpg").symlink_to("/dev/zero")
    assert read_headers([Path("b.jpg")]) == ["a device, not an image; name a file"]


MEASURE = """
import resource, sys
from pathlib import Path
from convscope.datasets.inputs.image import read_image
def peak():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))) // 1024
before = peak()
found = read_image(Path(sys.argv[1]), int(sys.argv[2]), eval(sys.argv[3]))
print(peak() - before, found.shape, int(found.mean()))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 3), ("I;16", 1), ("P", 3)])
@pytest.mark.parametrize("size", ["(224, 224)", "None"])
def test_the_largest_legal_image_takes_bounded_memory(tmp_path, mode, channels, size) -> None:
    side = 13_000
    image = Image.new(mode, (side, side), {"RGB": (90, 90, 90), "RGBA": (90, 90, 90, 255), "I;16": 23130}.get(mode, 90))
    if mode == "P":
        image.putpalette([90] * 768)
        image.info["transparency"] = 3
    image.save(tmp_path / "a.png", compress_level=1)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), str(tmp_path / "a.png"), str(channels), size],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    megabytes, rest = done.stdout.split(" ", 1)
    shape = (channels, 224, 224) if size != "None" else (channels, side, side)
    assert rest == f"{shape} 90\n"
    assert int(megabytes) < 1500


def test_a_large_image_is_reduced_while_it_is_read_and_looks_the_same(tmp_path, monkeypatch) -> None:
    random = np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    large = Image.fromarray(random).resize((517, 803), Image.Resampling.BICUBIC)
    large.save(tmp_path / "a.png")
    whole = read_image(tmp_path / "a.png", 3)
    small = read_image(tmp_path / "a.png", 3, (40, 32)).astype(int)
    monkeypatch.setattr("convscope.datasets.inputs.raster.LARGE", 1000)
    monkeypatch.setattr("convscope.datasets.inputs.image.LARGE", 1000)
    monkeypatch.setattr("convscope.datasets.inputs.raster._STRIP", 40_000)
    assert (read_image(tmp_path / "a.png", 3) == whole).all()
    assert np.abs(read_image(tmp_path / "a.png", 3, (40, 32)).astype(int) - small).mean() < 1.5


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.tif", "a.webp"])
def test_of_many_frames_only_the_first_is_sought(tmp_path, monkeypatch, name) -> None:
    from PIL.GifImagePlugin import GifImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.TiffImagePlugin import TiffImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    frames = [Image.new("RGB", (4, 4), (number, 90, 200)) for number in range(60)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    sought: list[int] = []
    for kind, function in (
        (GifImageFile, "_seek"),
        (PngImageFile, "_seek"),
        (TiffImageFile, "_seek"),
        (WebPImageFile, "_seek"),
    ):
        plain = getattr(kind, function)

        def seek(image: object, frame: int, *rest: object, plain=plain) -> object:
            sought.append(frame)
            return plain(image, frame, *rest)

        monkeypatch.setattr(kind, function, seek)
    (header,) = read_headers([tmp_path / name])
    assert not isinstance(header, str)
    assert np.abs(read_image(tmp_path / name, 3)[:, 0, 0].astype(int) - (0, 90, 200)).max() < 8
    assert set(sought) <= {0, 1}
    assert len(sought) <= 6


def test_a_git_lfs_pointer_is_named(tmp_path) -> None:
    pointer = tmp_path / "a.png"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1234\n")
    with pytest.raises(DataError) as error:
        read_image(pointer, 3)
    assert str(error.value) == f"{pointer}: a git-lfs pointer, not the image; run git lfs pull"
