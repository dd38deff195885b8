"""Crop, pad and stretch: the same for images, masks, boxes and predictions."""

import numpy as np
import pytest
from PIL import Image

from convscope.datasets.inputs.fitting import fit, padded_content, visible_share, visible_window
from convscope.datasets.inputs.image import ImageSpec, decode
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.datasets.targets.boxes import boxes_in_view
from convscope.datasets.targets.mask_files import IGNORE, fit_mask
from convscope.tasks.boxes import to_file_pixels
from convscope.tasks.task import ViewTransform

WAYS = ("crop", "pad", "stretch")


def picture(height: int, width: int) -> np.ndarray:
    """White, with a black square of a third of the shorter side in the middle, (H, W, 1)."""
    found = np.full((height, width, 1), 255, np.uint8)
    third = min(height, width) // 3
    top, left = (height - third) // 2, (width - third) // 2
    found[top : top + third, left : left + third] = 0
    return found


def test_pad_keeps_all_and_fills_with_the_mean_colour() -> None:
    image = np.zeros((2, 4, 3), np.uint8)
    image[:, 2:] = (200, 100, 50)
    found = fit(image, (2, 4), (4, 4), "pad")
    assert (found[1:3] == image).all()
    assert found[0].tolist() == found[3].tolist() == [[100, 50, 25]] * 4
    small = fit(image, (2, 4), (2, 2), "pad")
    assert small.shape == (2, 2, 3)
    assert small[0, 0, 0] < 30
    assert small[0, 1, 0] > 170


def test_stretch_keeps_all_and_changes_the_aspect_ratio() -> None:
    tall = fit(picture(30, 300), (30, 300), (40, 40), "stretch")[..., 0]
    assert tall[20, 20] < 100
    assert (tall[20, 12], tall[5, 20]) == (255, 255)


@pytest.mark.parametrize(("whole", "size"), [((30, 2000), (40, 40)), ((2000, 30), (64, 32)), ((7, 7), (3, 9))])
@pytest.mark.parametrize("how", ["pad", "stretch"])
def test_nothing_is_cut_off(whole, size, how) -> None:
    left, top, right, bottom = visible_window(whole, size, how)
    assert (left <= 0, top <= 0, right >= whole[1], bottom >= whole[0]) == (True,) * 4
    assert visible_share(whole, size, how) == 1


def test_the_share_of_a_crop_is_what_it_shows() -> None:
    assert visible_share((30, 2000), (40, 40)) == 30 / 2000
    assert visible_share((40, 40), (20, 20)) == 1


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize(("height", "width"), [(60, 200), (200, 60), (640, 960), (40, 40)])
def test_images_masks_boxes_and_predictions_agree(tmp_path, how, ending, height, width) -> None:
    image = picture(height, width)
    path = tmp_path / f"a.{ending}"
    Image.fromarray(image[..., 0]).save(path, quality=100)
    size = (48, 64)
    pixels = decode(path, ImageSpec(size, 1, fit=how)).pixels[0].astype(int)
    mask = fit_mask((image[..., 0] == 0).astype(np.uint8), size, how)
    content = mask != IGNORE
    if how == "pad":
        (rows, columns), (top, left) = padded_content((height, width), size)
        assert content.sum() == rows * columns
        assert content[top : top + rows, left : left + columns].all()
    else:
        assert content.all()
    assert ((pixels < 128)[content] == (mask == 1)[content]).mean() > 0.97

    third = min(height, width) // 3
    corners = [(width - third) // 2, (height - third) // 2]
    box = np.array([[0, *corners, corners[0] + third, corners[1] + third]], np.float32)
    drawn = boxes_in_view(box, np.array([[height, width]]), size, how)[0, 1:]
    filled = np.argwhere(mask == 1)
    ends = np.concatenate([filled.min(0)[::-1], filled.max(0)[::-1] + 1])
    assert np.abs(drawn - ends).max() <= 1.5

    preprocessing = ImagePreprocessing(size=size, channels=1, mean=(0.0,), std=(1.0,), fit=how)
    found = preprocessing.decode(path)
    assert (found.values[0] == pixels).all()
    left, top, right, bottom = found.visible
    frame = ViewTransform("a", (height, width), left, top, right - left, bottom - top)
    assert to_file_pixels(drawn.astype(float), frame, size) == pytest.approx(box[0, 1:].tolist(), abs=1e-3)


def test_a_padded_prediction_of_any_size_covers_the_file(tmp_path) -> None:
    import torch

    from convscope.tasks.segment import Segment

    height, width = 30, 90
    Image.fromarray(picture(height, width)[..., 0]).save(tmp_path / "a.png")
    preprocessing = ImagePreprocessing(size=(60, 60), channels=1, mean=(0.0,), std=(1.0,), fit="pad")
    found = preprocessing.decode(tmp_path / "a.png", any_size=True)
    assert found.values.shape == (1, 60, 60)
    left, top, right, bottom = found.visible
    frame = ViewTransform("a.png", (height, width), left, top, right - left, bottom - top)
    dark = torch.from_numpy(found.values[0]).float() / 255
    answer = Segment(("rest", "square")).predictions(torch.stack([dark, 1 - dark])[None], [frame])[0]
    expected = picture(height, width)[..., 0] == 0
    assert answer.mask.shape == (height, width)
    assert (answer.mask.astype(bool) == expected).mean() > 0.98
