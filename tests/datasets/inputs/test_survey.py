"""What the images of a dataset have in common: transparency or a channel, their number, arrays, pages."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from convscope.datasets import Dataset
from convscope.datasets.inputs.image import ImageSpec, decode
from convscope.errors import DataError
from convscope.layouts import read_folder

Bytes = NDArray[np.uint8]
RANDOM = np.random.default_rng(0)


def folder_of(root: Path, write: Callable[[Path, int], None], count: int = 4) -> Dataset:
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for number in range(count):
            write(root / name / str(number), number)
    return read_folder(root)


def rgba(last: Bytes) -> Image.Image:
    return Image.fromarray(np.dstack([np.full((*last.shape, 3), (250, 10, 10), np.uint8), last]))


LEFT_OUT = "set data.channels to 3 to leave it out"


@pytest.mark.parametrize(
    "last", [np.full((6, 8), 40, np.uint8), RANDOM.integers(0, 256, (6, 8)).astype(np.uint8)], ids=["even", "picture"]
)
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_a_fourth_channel_that_is_no_transparency_is_a_channel(tmp_path, last, ending) -> None:
    dataset = folder_of(tmp_path, lambda path, _: rgba(last).save(f"{path}.{ending}"))
    assert (dataset.channels, dataset.alpha) == (4, False)
    assert dataset.notes == (
        "the fourth channel of 8 RGBA images is no transparency, as most of its values are between 0 and 255: it is "
        "trained on as a channel like the others; set data.channels to 3 to leave it out",
    )
    pixels = decode(dataset.images[0], dataset.spec()).pixels
    assert pixels[:3, 0, 0].tolist() == [250, 10, 10]
    assert (pixels[3] == last).all()
    three = decode(dataset.images[0], ImageSpec(None, 3, alpha=False)).pixels
    assert three[:, 0, 0].tolist() == [250, 10, 10]
    assert decode(dataset.images[0], ImageSpec(None, 1, alpha=False)).pixels[0, 0, 0] == 82


def test_a_channel_of_some_files_only_is_left_out_of_these(tmp_path) -> None:
    def write(path: Path, number: int) -> None:
        image = rgba(np.full((6, 8), 40, np.uint8))
        (image if number else image.convert("RGB")).save(f"{path}.png")

    dataset = folder_of(tmp_path, write)
    assert (dataset.channels, dataset.alpha) == (3, False)
    assert dataset.notes == (
        "the fourth channel of 6 RGBA images is no transparency, as most of its values are between 0 and 255: it is "
        "left out",
    )
    assert {tuple(decode(path, dataset.spec()).pixels[:, 0, 0]) for path in dataset.images} == {(250, 10, 10)}


def test_transparency_is_composited_without_a_note(tmp_path) -> None:
    last = np.full((6, 8), 255, np.uint8)
    last[:2], last[2] = 0, 130  # clear, with a soft edge
    dataset = folder_of(tmp_path, lambda path, _: rgba(last).save(f"{path}.png"))
    assert (dataset.channels, dataset.alpha, dataset.notes) == (3, True, ())
    assert decode(dataset.images[0], dataset.spec()).pixels[:, 0, 0].tolist() == [255, 255, 255]
    four = decode(dataset.images[0], ImageSpec(None, 4)).pixels
    assert four[:, 0, 0].tolist() == [250, 10, 10, 0]


CUBE = RANDOM.integers(0, 256, (12, 16, 5)).astype(np.uint8)


def write_cube(path: Path, kind: str) -> None:
    if kind == "npy last":
        np.save(path.with_suffix(".npy"), CUBE)
    elif kind == "npy first":
        np.save(path.with_suffix(".npy"), np.ascontiguousarray(CUBE.transpose(2, 0, 1)))
    elif kind == "tiff interleaved":
        tifffile.imwrite(path.with_suffix(".tif"), CUBE, photometric="minisblack", planarconfig="contig")
    elif kind == "tiff planar":
        tifffile.imwrite(
            path.with_suffix(".tif"), CUBE.transpose(2, 0, 1), photometric="minisblack", planarconfig="separate"
        )
    elif kind == "tiff deflate":
        tifffile.imwrite(
            path.with_suffix(".tif"), CUBE, photometric="minisblack", planarconfig="contig", compression="zlib"
        )


@pytest.mark.parametrize("kind", ["npy last", "npy first", "tiff interleaved", "tiff planar", "tiff deflate"])
def test_any_number_of_channels_is_read(tmp_path, kind) -> None:
    dataset = folder_of(tmp_path, lambda path, _: write_cube(path, kind))
    assert (dataset.channels, dataset.sizes[0].tolist(), dataset.skipped) == (5, [12, 16], ())
    assert dataset.modes == {"5 channels of uint8": 8}
    assert dataset.notes == (
        "the images have 5 channels: the network takes all of them; figures show the first, or those of "
        "data.shown_channels",
    )
    assert (decode(dataset.images[0], dataset.spec()).pixels == CUBE.transpose(2, 0, 1)).all()
    assert decode(dataset.images[0], dataset.spec((6, 8))).pixels.shape == (5, 6, 8)
    with pytest.raises(DataError) as raised:
        decode(dataset.images[0], ImageSpec(None, 3))
    assert (
        str(raised.value)
        == f"{dataset.images[0]}: has 5 channels, not 3; give a file of 3, or train with data.channels 5"
    )


@pytest.mark.parametrize("samples", [3, 4])
def test_colours_of_16_bits_in_tiff_keep_them(tmp_path, samples) -> None:
    deep = RANDOM.integers(0, 1000, (12, 16, samples)).astype(np.uint16)
    dataset = folder_of(
        tmp_path, lambda path, _: tifffile.imwrite(f"{path}.tif", deep, photometric="rgb", planarconfig="contig")
    )
    assert dataset.channels == samples
    pixels = decode(dataset.images[0], dataset.spec()).pixels
    assert (pixels == np.rint(deep * (255 / 1023)).astype(np.uint8).transpose(2, 0, 1)).all()


def test_pages_are_channels_where_their_number_is_asked_for(tmp_path) -> None:
    pages = [Image.fromarray(CUBE[..., channel]) for channel in range(5)]
    dataset = folder_of(tmp_path, lambda path, _: pages[0].save(f"{path}.tif", save_all=True, append_images=pages[1:]))
    assert dataset.channels == 1
    assert dataset.notes == (
        "8 TIFF files have several pages: the first is used; pages of one channel each are the channels if "
        "data.channels is their number",
    )
    first = dataset.images[0]
    assert (decode(first, ImageSpec(None, 1)).pixels[0] == CUBE[..., 0]).all()
    assert (decode(first, ImageSpec(None, 5)).pixels == CUBE.transpose(2, 0, 1)).all()
    with pytest.raises(DataError) as raised:
        decode(first, ImageSpec(None, 6))
    assert str(raised.value) == f"{first}: has 5 pages of one channel, not 6; set data.channels to their number"


def png_of_16_bits(path: Path) -> None:
    """An RGB PNG of 2 x 2 pixels, which Pillow cannot write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + struct.pack(">6H", *[256 * 7 + 200] * 6) for _ in range(2))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def test_a_png_in_colour_of_16_bits_says_that_8_are_read(tmp_path) -> None:
    dataset = folder_of(tmp_path, lambda path, _: png_of_16_bits(path.with_suffix(".png")))
    assert decode(dataset.images[0], dataset.spec()).pixels[:, 0, 0].tolist() == [7, 7, 7]
    assert dataset.notes == (
        "8 PNG files in colour have 16 bits per channel, of which the upper 8 are read; "
        "save as TIFF or .npy to use all",
    )


def test_files_of_another_number_of_channels_are_skipped(tmp_path) -> None:
    def write(path: Path, number: int) -> None:
        np.save(path.with_suffix(".npy"), CUBE if number else CUBE[..., :3])

    dataset = folder_of(tmp_path, write)
    why = "has 3 channels and most images have 5; put images of each kind in a dataset of their own"
    assert [(skipped.name, skipped.why) for skipped in dataset.skipped] == [("a/0.npy", why), ("b/0.npy", why)]
    assert (dataset.channels, len(dataset)) == (5, 6)


def test_arrays_beside_images_are_skipped(tmp_path) -> None:
    def write(path: Path, number: int) -> None:
        Image.fromarray(CUBE[..., :3]).save(f"{path}.png")
        if not number:
            np.save(f"{path}.npy", CUBE)

    dataset = folder_of(tmp_path, write)
    why = "an array beside image files, taken for other data of theirs; put arrays in a folder of their own"
    assert [(skipped.name, skipped.why) for skipped in dataset.skipped] == [("a/0.npy", why), ("b/0.npy", why)]
    assert (dataset.channels, len(dataset)) == (3, 8)


def test_classes_that_differ_by_being_grey_are_named(tmp_path) -> None:
    for name, mode in (("after", "RGB"), ("before", "L"), ("between", "L")):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new(mode, (8, 8), 50 * number).save(tmp_path / name / f"{number}.png")
    assert read_folder(tmp_path).notes == (
        "the images of classes before, between are grey and those of class after in colour, which alone "
        "distinguishes them; set data.channels to 1 to train on greys only",
    )
    for number in range(2):
        Image.new("L", (8, 8)).save(tmp_path / "after" / f"grey{number}.png")
    assert read_folder(tmp_path).notes == ()


class Code:
    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("raise SystemExit('code ran')",)


def broken(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (
            lambda path: np.save(path, np.array([Code()], object)),
            "holds Python objects, which are not loaded; save numbers",
        ),
        (
            lambda path: np.save(path, np.zeros((4, 4), complex)),
            "an array of complex128, not of numbers; save real numbers",
        ),
        (lambda path: np.save(path, np.array(["a"])), "an array of <U1, not of numbers; save real numbers"),
        (lambda path: np.save(path, np.zeros(7)), "an array of 7, not an image; save height x width x channels"),
        (
            lambda path: np.save(path, np.zeros((2, 3, 4, 5))),
            "an array of 2 x 3 x 4 x 5, not an image; save height x width x channels",
        ),
        (
            lambda path: np.save(path, np.zeros((0, 4))),
            "an array of 0 x 4, not an image; save height x width x channels",
        ),
        (
            lambda path: np.save(path, np.zeros((9, 3, 8))),
            "an array of 9 x 3 x 8, whose channels are in the middle; save them last",
        ),
        (lambda path: broken(path, b""), "damaged or truncated; copy it again or delete it"),
        (lambda path: broken(path, b"\x93NUMPY\x01\x00\xff\xff{"), "damaged or truncated; copy it again or delete it"),
        (
            lambda path: broken(path, path_content({"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)})),
            "damaged or truncated; copy it again or delete it",
        ),
    ],
)  # fmt: skip
def test_arrays_that_are_not_an_image_are_refused(tmp_path, write, why) -> None:
    write(tmp_path / "a.npy")
    with pytest.raises(DataError) as raised:
        decode(tmp_path / "a.npy", ImageSpec(None, 1))
    assert str(raised.value) == f"{tmp_path / 'a.npy'}: {why}"


def path_content(header: dict[str, object]) -> bytes:
    import io

    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, header)  # type: ignore[arg-type]
    return content.getvalue()


def test_damaged_tiffs_are_named(tmp_path) -> None:
    write_cube(tmp_path / "a", "tiff deflate")
    whole = (tmp_path / "a.tif").read_bytes()
    for cut in (10, 100, len(whole) // 2):
        (tmp_path / "a.tif").write_bytes(whole[:cut])
        with pytest.raises(DataError) as raised:
            decode(tmp_path / "a.tif", ImageSpec(None, 5))
        assert str(raised.value) == f"{tmp_path / 'a.tif'}: damaged or truncated; copy it again or delete it"
