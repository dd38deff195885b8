"""Decoding of image files of all formats."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets.inputs.fitting import fit, visible_window
from convscope.datasets.inputs.image import read_image
from convscope.datasets.inputs.jpeg import shrink
from convscope.datasets.inputs.opening import PIXEL_LIMIT
from convscope.errors import DataError

Save = Callable[..., Path]


def bomb(path: Path, width: int, height: int) -> Path:
    """A PNG of about 60 bytes that declares `width` x `height` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b""))
    return path


def test_a_colour_image_is_given_as_channels_rows_columns(tmp_path: Path) -> None:
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png", 3)
    assert read.shape == (3, 2, 3)
    assert read.dtype == np.uint8
    assert (read == pixels.transpose(2, 0, 1)).all()


@pytest.mark.parametrize(
    "name", ["rgb.jpg", "grey.png", "rgba.png", "cmyk.jpg", "palette.gif", "grey_alpha.png", "deep.png"]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_file_is_read_in_grey_and_in_colour(mixed_folder: Path, name: str, channels: int) -> None:
    assert read_image(mixed_folder / "one" / name, channels).shape == (channels, 16, 20)
    assert read_image(mixed_folder / "one" / name, channels, (8, 8)).shape == (channels, 8, 8)


def test_grey_files_have_the_same_value_in_all_colours(tmp_path: Path) -> None:
    grey = np.array([[0, 100, 255]], np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png", 3) == grey).all()
    assert (read_image(tmp_path / "a.png", 1) == grey).all()


def test_transparency_is_composited_on_white(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[0, 0, 0, 0], [255, 0, 0, 255], [0, 0, 0, 128]]], np.uint8)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", 3)[:, 0].T.tolist() == [[255, 255, 255], [255, 0, 0], [127, 127, 127]]
    clear = Image.new("P", (1, 1), 0)
    clear.putpalette([10, 20, 30])
    clear.save(tmp_path / "b.gif", transparency=0)
    assert read_image(tmp_path / "b.gif", 3).ravel().tolist() == [255, 255, 255]


def test_deep_greys_are_scaled_so_that_white_becomes_255(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 257, 4095, 65535]], np.uint16)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", 1).ravel().tolist() == [0, 1, 16, 255]
    assert read_image(tmp_path / "a.png", 1, white=4095).ravel().tolist() == [0, 16, 255, 255]
    Image.fromarray(np.array([[-1.0, 0.0, 0.5, 1.0, np.nan]], np.float32)).save(tmp_path / "b.tif")
    assert read_image(tmp_path / "b.tif", 1, white=1.0).ravel().tolist() == [0, 0, 128, 255, 0]


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_upright_image(tmp_path: Path, ending: str, orientation: int) -> None:
    upright = np.zeros((32, 48), np.uint8)  # white above left, grey above right
    upright[:16, :24], upright[:16, 24:] = 255, 128
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: upright.T[::-1],
        7: upright.T[::-1, ::-1],
        8: upright.T[:, ::-1],
    }[orientation]
    tag = Image.Exif()
    tag[0x0112] = orientation
    path = tmp_path / f"a.{ending}"
    Image.fromarray(np.ascontiguousarray(stored)).convert("RGB").save(path, exif=tag, quality=95)
    read = read_image(path, 1)[0].astype(int)
    assert read.shape == (32, 48)
    assert np.abs(read - upright).mean() < 3
    small = read_image(path, 1, (4, 6))[0].astype(int)
    assert np.abs(small - upright[4::8, 4::8]).mean() < 12


def test_an_image_with_damaged_exif_is_read(tmp_path: Path, save: Save) -> None:
    path = save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff nonsense")
    assert read_image(path, 3).shape == (3, 16, 20)


def test_the_first_frame_of_an_animation_is_used(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    red, green, blue = read_image(tmp_path / "a.gif", 3)[:, 0, 0]
    assert red > 250
    assert green == blue == 0


def test_an_image_reduced_while_decoding_is_close_to_one_reduced_afterwards(tmp_path: Path, save: Save) -> None:
    path = save(tmp_path / "a.jpg", 3, size=(640, 480), quality=95)
    with Image.open(path) as image:
        slow = fit(np.asarray(image.convert("RGB")), (480, 640), (60, 60)).transpose(2, 0, 1).astype(int)
    assert np.abs(read_image(path, 3, (60, 60)).astype(int) - slow).mean() < 2


def test_a_rotated_image_keeps_its_detail_when_reduced_while_decoding(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (200, 800), dtype=np.uint8)
    tag = Image.Exif()
    tag[0x0112] = 6
    Image.fromarray(grey).save(tmp_path / "a.jpg", exif=tag, quality=95)
    whole = read_image(tmp_path / "a.jpg", 1)[0]
    assert whole.shape == (800, 200)
    assert (read_image(tmp_path / "a.jpg", 1, (100, 200))[0] == whole[350:450]).all()


def test_one_pixel_and_twenty_thousand_columns_are_accepted(mixed_folder: Path) -> None:
    assert read_image(mixed_folder / "two" / "one_pixel.png", 3, (8, 8)).std((1, 2)).max() == 0
    assert read_image(mixed_folder / "two" / "wide.png", 1, (8, 8)).shape == (1, 8, 8)


def test_fit_keeps_the_middle_of_the_longer_side() -> None:
    wide = np.array([[10, 20, 30, 40]], np.uint8).repeat(2, 0)[..., None]
    assert fit(wide, (2, 4), (2, 2))[..., 0].tolist() == [[20, 30], [20, 30]]
    assert fit(wide.transpose(1, 0, 2), (4, 2), (2, 2))[..., 0].tolist() == [[20, 20], [30, 30]]


def test_fit_returns_an_image_of_the_size_unchanged() -> None:
    image = np.zeros((2, 3, 1), np.uint8)
    assert fit(image, (2, 3), (2, 3)) is image


@pytest.mark.parametrize("size", [(40, 40), (45, 60), (80, 50), (200, 300)])
def test_fit_agrees_with_resizing_and_then_cropping(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0).integers(0, 256, (10, 15, 3), dtype=np.uint8)
    image = Image.fromarray(random).resize((90, 60), Image.Resampling.BICUBIC)
    scale = max(size[0] / 60, size[1] / 90)
    whole = image.resize((round(90 * scale), round(60 * scale)), Image.Resampling.BICUBIC)
    left, top = round((whole.width - size[1]) / 2), round((whole.height - size[0]) / 2)
    slow = np.asarray(whole.crop((left, top, left + size[1], top + size[0])), int)
    assert np.abs(fit(np.asarray(image), (60, 90), size).astype(int) - slow).mean() < 3  # half a pixel is rounded there


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("shape", "size"),
    [
        *((shape, (224, 224)) for shape in [(375, 500), (500, 333), (60, 4000), (224, 300), (40, 50), (1, 1)]),
        ((60, 90), (20, 20)),
        ((60, 90), (7, 31)),
    ],
)
def test_fit_resizes_the_window_as_pillow_does(shape: tuple[int, int], size: tuple[int, int], channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, channels), dtype=np.uint8)
    left, top, right, bottom = visible_window(shape, size)
    part = np.squeeze(pixels[top:bottom, left:right], 2) if channels == 1 else pixels[top:bottom, left:right]
    pillow = np.asarray(Image.fromarray(part).resize(size[::-1], Image.Resampling.BICUBIC), int)
    apart = np.abs(fit(pixels, shape, size).astype(int) - pillow.reshape(*size, channels))
    assert apart.max() <= 2
    assert apart.mean() < 0.1


@pytest.mark.parametrize("whole", [(1, 1), (1, 1000), (999, 2), (37, 54), (375, 500), (224, 224), (3001, 3999)])
@pytest.mark.parametrize("size", [(1, 1), (7, 31), (224, 224), (300, 200)])
def test_the_window_lies_inside_and_in_the_middle_and_has_the_ratio_of_the_sides(
    whole: tuple[int, int], size: tuple[int, int]
) -> None:
    left, top, right, bottom = visible_window(whole, size)
    assert 0 <= left < right <= whole[1]
    assert 0 <= top < bottom <= whole[0]
    by, scale = shrink(whole, size), max(size[0] / whole[0], size[1] / whole[1])
    assert left % by == top % by == 0
    assert abs((left + right) - whole[1]) <= 2 * by
    assert abs((top + bottom) - whole[0]) <= 2 * by
    assert abs(right - left - size[1] / scale) <= 1
    assert abs(bottom - top - size[0] / scale) <= 1


@pytest.mark.parametrize("whole", [(3000, 4000), (3001, 4003), (1999, 1501), (500, 2000)])
def test_an_image_downscaled_while_decoding_matches_the_crop_of_its_masks_and_boxes(
    whole: tuple[int, int], tmp_path: Path
) -> None:
    """The value of each pixel is its position, so that a wrong crop is detected."""
    height, width = whole
    ramp = np.linspace(0, 255, width)[None, :].repeat(height, 0) if width > height else np.linspace(0, 255, height)
    ramp = (ramp if ramp.ndim == 2 else ramp[:, None].repeat(width, 1)).round().astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "a.jpg", quality=100)
    assert shrink(whole, (60, 60)) == 8
    left, top, right, bottom = visible_window(whole, (60, 60))
    found = read_image(tmp_path / "a.jpg", 1, (60, 60))[0].astype(float)
    along = (found.mean(0), left, right, width) if width > height else (found.mean(1), top, bottom, height)
    values, start, end, length = along
    expected = 255 * (start + (np.arange(60) + 0.5) * (end - start) / 60) / length
    assert np.abs(values - expected)[3:-3].max() < 1.1  # the ramp's steps are rounded, and the result again
    assert abs((values - expected)[3:-3].mean()) < 0.15


def test_a_stream_is_read_like_a_file(tmp_path: Path, save: Save) -> None:
    path = save(tmp_path / "a.png")
    assert (read_image(io.BytesIO(path.read_bytes()), 3) == read_image(path, 3)).all()
    with pytest.raises(DataError) as raised:
        read_image(io.BytesIO(b""), 3)
    assert str(raised.value) == "image: the file is empty, 0 bytes; copy it again or delete it"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("two/empty.jpg", "the file is empty, 0 bytes; copy it again or delete it"),
        ("two/text.png", "not an image in a supported format; convert it to PNG or JPEG, or delete it"),
        ("two/truncated.jpg", "damaged or truncated; copy it again or delete it"),
        ("two/nothing.jpg", "no such file; check the path"),
        ("two", "a folder, not an image; name the files in it"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_remedy(mixed_folder: Path, name: str, why: str) -> None:
    path = mixed_folder / name
    with pytest.raises(DataError) as raised:
        read_image(path, 3)
    assert str(raised.value) == f"{path}: {why}"


def test_a_file_without_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Save) -> None:
    path = save(tmp_path / "a.png")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(DataError) as raised:
        read_image(path, 3)
    assert str(raised.value) == f"{path}: permission denied; make the file readable"


@pytest.mark.parametrize("side", [13_378, 60_000])
def test_a_decompression_bomb_is_rejected_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    path = bomb(tmp_path / "bomb.png", side, side)
    with pytest.raises(DataError) as raised:
        read_image(path, 3)
    assert str(raised.value) == (
        f"{path}: too large: it has more pixels than the limit of {PIXEL_LIMIT:,}; make it smaller"
    )


def test_a_bomb_is_rejected_even_if_pillow_accepts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(DataError, match="too large"):
        read_image(bomb(tmp_path / "bomb.png", 13_378, 13_378), 3)


def test_an_image_between_pillows_warning_and_the_limit_gives_no_warning(tmp_path: Path) -> None:
    path = bomb(tmp_path / "large.png", 10_000, 10_000)
    with pytest.raises(DataError, match="damaged"):  # its pixels are missing, which only decoding detects
        read_image(path, 1, (4, 4))
