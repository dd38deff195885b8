"""The bytes of a file give the same pixels as the file, for every decoder."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from convscope.datasets import ImageSpec, decode
from convscope.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)


def written(folder, name):
    """Write a file of the kind of its ending."""
    file = folder / name
    if name.endswith(".npy"):
        np.save(file, PIXELS)
    elif name == "deep.tif":
        tifffile.imwrite(file, PIXELS.astype(np.uint16) * 257, photometric="rgb")
    elif name == "turned.jpg":
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(PIXELS).save(file, exif=exif)
    else:
        Image.fromarray(PIXELS).save(file)
    return file


@pytest.mark.parametrize("name", ["a.jpg", "turned.jpg", "a.png", "a.webp", "a.tif", "deep.tif", "a.npy"])
@pytest.mark.parametrize("any_size", [False, True])
def test_the_bytes_of_a_file_give_its_pixels(tmp_path, name, any_size):
    file, spec = written(tmp_path, name), ImageSpec((16, 24), 3)
    from_file, from_bytes = decode(file, spec, any_size), decode(file.read_bytes(), spec, any_size)
    assert from_bytes.whole == from_file.whole
    np.testing.assert_array_equal(from_bytes.pixels, from_file.pixels)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "image: the file is empty, 0 bytes; copy it again or delete it"),
        (b"notes", "image: not an image in a supported format; convert it to PNG or JPEG, or delete it"),
        (b"\x93NUMPY\x01", "image: damaged or truncated; copy it again or delete it"),
    ],
)
def test_bytes_that_are_not_an_image_are_refused_without_a_file_name(content, message):
    with pytest.raises(DataError) as caught:
        decode(content, ImageSpec((16, 24), 3))
    assert str(caught.value) == message
