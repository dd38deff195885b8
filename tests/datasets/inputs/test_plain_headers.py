"""The fast reading of headers: the same as Pillow's, or left to Pillow."""

import io
import os

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from convscope.datasets.inputs.headers import _image_header, read_headers
from convscope.datasets.inputs.plain_headers import PlainHeader, plain_header

PLAIN = {
    "grey.jpg": ("L", {}), "colour.jpg": ("RGB", {}), "progressive.jpeg": ("RGB", {"progressive": True}),
    "named.JPG": ("RGB", {"comment": b"a comment"}), "dense.jpg": ("RGB", {"dpi": (300, 300)}),
    "grey.png": ("L", {}), "colour.png": ("RGB", {}), "alpha.png": ("RGBA", {}),
    "key.png": ("RGB", {"transparency": (1, 2, 3)}),
}  # fmt: skip
LEFT = {
    "cmyk.jpg": ("CMYK", {}), "palette.png": ("P", {}), "bits.png": ("1", {}), "deep.png": ("I;16", {}),
    "grey_alpha.png": ("LA", {}), "picture.gif": ("L", {}), "picture.bmp": ("RGB", {}),
}  # fmt: skip


def saved(path, mode, options):
    pixels = np.arange(17 * 23, dtype=np.uint8).reshape(17, 23)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


@pytest.mark.parametrize(("name", "kind"), PLAIN.items())
def test_a_plain_header_is_that_of_pillow(tmp_path, name, kind):
    path = saved(tmp_path / name, *kind)
    assert plain_header(path) == PlainHeader(17, 23, kind[0])
    assert read_headers([path]) == [_image_header(path)]


@pytest.mark.parametrize(("name", "kind"), LEFT.items())
def test_other_files_are_left_to_pillow(tmp_path, name, kind):
    path = saved(tmp_path / name, *kind)
    assert plain_header(path) is None
    assert read_headers([path]) == [_image_header(path)]


@pytest.mark.parametrize("name", ["turned.jpg", "turned.png"])
def test_an_orientation_is_left_to_pillow(tmp_path, name):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / name, "RGB", {"exif": exif})
    assert plain_header(path) is None
    (header,) = read_headers([path])
    assert (header.height, header.width, header.orientation) == (23, 17, 6)


def test_an_orientation_in_the_texts_of_a_png_is_left_to_pillow(tmp_path):
    for keyword in ("Raw profile type exif", "XML:com.adobe.xmp"):
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt(keyword, "content")
        assert plain_header(saved(tmp_path / "a.png", "RGB", {"pnginfo": texts})) is None
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Software", "a program")
    assert plain_header(saved(tmp_path / "a.png", "RGB", {"pnginfo": texts})) == PlainHeader(17, 23, "RGB")


def test_an_image_too_large_is_refused_as_by_pillow(tmp_path):
    content = bytearray(saved(tmp_path / "a.jpg", "L", {}).read_bytes())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    (tmp_path / "a.jpg").write_bytes(content)
    (why,) = read_headers([tmp_path / "a.jpg"])
    assert why == "too large: it has more pixels than the limit of 178,956,970; make it smaller"


def test_a_pipe_and_a_missing_file_are_left_to_pillow(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert plain_header(tmp_path / "pipe.png") is None
    assert plain_header(tmp_path / "missing.png") is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_damaged_headers_are_those_of_pillow_or_left_to_it(tmp_path, kind):
    """Cut and changed at every byte of the header; what Pillow cannot open may only be found when it is decoded."""
    file = io.BytesIO()
    Image.fromarray(np.arange(391, dtype=np.uint8).reshape(17, 23)).convert("RGB").save(file, kind)
    content, random = file.getvalue(), np.random.default_rng(0)
    path = tmp_path / f"a.{'jpg' if kind == 'JPEG' else 'png'}"
    for end in range(0, min(len(content), 700), 3):
        changed = bytearray(content)
        changed[end] = random.integers(256)
        for damaged in (content[:end], bytes(changed)):
            path.write_bytes(damaged)
            plain = plain_header(path)
            if plain is not None and not isinstance(expected := pillow_header(path), str):
                assert (plain.height, plain.width) == (expected.height, expected.width)
                assert read_headers([path]) == [expected]


def pillow_header(path):
    from convscope.errors import DataError

    try:
        return _image_header(path)
    except DataError as error:
        return str(error)
