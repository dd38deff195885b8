"""Fast decoding of plain JPEG files: pixels equal Pillow's, other files are left to Pillow."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets.inputs.fitting import fit
from convscope.datasets.inputs.image import ImageSpec, decode, pixels_of
from convscope.datasets.inputs.jpeg import header_segments, jpeg_content, jpeg_pixels, may_be_rotated, shrink
from convscope.datasets.inputs.opening import PIXEL_LIMIT, open_image

PICTURE = np.random.default_rng(0).integers(0, 256, (37, 54, 3), dtype=np.uint8)


def saved(folder: Path, mode: str = "RGB", **options: object) -> Path:
    path = folder / "a.jpg"
    Image.fromarray(PICTURE).resize((150, 90)).convert(mode).save(path, **options)
    return path


def quickly(
    path: Path, channels: int = 3, size: tuple[int, int] = (32, 32)
) -> tuple[np.ndarray, tuple[int, int]] | None:
    content = jpeg_content(path)
    return content and jpeg_pixels(content, channels, lambda whole: shrink(whole, size), PIXEL_LIMIT)


@pytest.mark.parametrize("size", [(90, 150), (200, 200), (50, 50), (45, 75), (32, 32), (20, 37), (11, 11), (3, 90)])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"subsampling": 2, "quality": 30}, {"progressive": True}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_pillows(
    tmp_path: Path, size: tuple[int, int], options: dict[str, object], mode: str, channels: int
) -> None:
    path = saved(tmp_path, mode, **options)
    with open_image(path) as image:
        expected = pixels_of(image, channels, size)
    found = quickly(path, channels, size)
    assert np.array_equal(fit(*found, size).transpose(2, 0, 1), expected)


@pytest.mark.parametrize("turn", [1, 3, 6])
def test_orientations_are_detected_in_exif_and_xmp(tmp_path: Path, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    for options in ({"exif": exif}, {"xmp": f'<x tiff:Orientation="{turn}"/>'.encode()}, {"exif": b"Exif\0\0damaged"}):
        path = saved(tmp_path, **options)
        assert may_be_rotated(path.read_bytes())
        with open_image(path) as image:
            assert np.array_equal(decode(path, ImageSpec((20, 30), 3)).pixels, pixels_of(image, 3, (20, 30)))
    assert not may_be_rotated(saved(tmp_path).read_bytes())


def test_jpeg_header_segments_before_the_scan_are_found(tmp_path: Path) -> None:
    whole = saved(tmp_path, comment=b"\xff\xda in a comment").read_bytes()
    segments = header_segments(whole)
    assert whole.startswith(segments)
    assert b"in a comment" in segments
    assert whole[len(segments) :].startswith(b"\xff\xda\x00\x0c")  # a scan of three colours has 12 bytes
    for odd in (whole[:2], whole[:3], whole[: len(segments)], b"\xff\xd8\xff\xff" + whole[2:], whole[:2] + bytes(9)):
        assert header_segments(odd) == odd


def test_unusual_jpeg_files_are_decoded_by_pillow(tmp_path: Path) -> None:
    assert quickly(saved(tmp_path, "CMYK")) is None
    assert quickly(tmp_path / "none.jpg") is None
    assert quickly(tmp_path) is None
    assert quickly(saved(tmp_path).rename(tmp_path / "a.png")) is None
    png = tmp_path / "b.jpg"
    Image.fromarray(PICTURE).save(png, "PNG")
    assert quickly(png) is None


def test_damaged_files_and_decompression_bombs_are_reported_by_pillow(tmp_path: Path) -> None:
    path = saved(tmp_path)
    whole = path.read_bytes()
    assert quickly(path) is not None
    assert jpeg_pixels(whole, 3, lambda _: 1, 90 * 150 - 1) is None
    for cut in (0, 3, 30, len(whole) // 2):
        path.write_bytes(whole[:cut])
        assert quickly(path) is None
