"""Boxes drawn on images keep their colour, also where the image is shown at half its size."""

import numpy as np
from PIL import Image

from convscope.tasks.drawing import TARGET_COLOR, with_boxes


def test_a_white_box_stays_bright_on_a_grey_image_shown_at_half_its_size():
    drawn = with_boxes(np.full((64, 64, 3), 128, np.uint8), [((16.0, 16, 48, 48), TARGET_COLOR)])
    assert drawn.shape == (192, 192, 3)
    half = np.asarray(Image.fromarray(drawn).resize((96, 96), Image.Resampling.BILINEAR)).astype(int)
    changed = half[np.abs(half - 128).max(2) > 20]
    assert changed.mean() > 170


def test_lines_grow_with_the_image():
    for side, line in ((192, 4), (480, 10)):
        drawn = with_boxes(np.zeros((side, side, 3), np.uint8), [((40.0, 40, side - 40, side - 40), TARGET_COLOR)])
        assert (drawn[side // 2, :, 0] == 255).sum() == 2 * line
