import numpy as np
import pytest

from convscope import explainers
from convscope.errors import ConfigError


def test_tiles_are_grey_for_one_channel_colour_for_three_and_side_by_side_for_more():
    assert explainers.tile(np.full((1, 2, 3), 0.5)).tolist() == [[[128] * 3] * 3] * 2
    assert explainers.tile(np.array([[[1.0]], [[0.0]], [[0.5]]])).tolist() == [[[255, 0, 128]]]
    assert explainers.tile(np.zeros((5, 2, 3))).shape == (2, 15, 3)


def test_a_kernel_is_grey_at_zero_and_black_and_white_at_its_largest():
    assert explainers.kernel_tile(np.array([[[-2.0, 0.0, 2.0]]]))[0, :, 0].tolist() == [0, 128, 255]
    assert explainers.kernel_tile(np.array([[[-1.0, 0.0, 1.0]]]), 2.0)[0, :, 0].tolist() == [64, 128, 191]
    assert explainers.kernel_tile(np.zeros((1, 1, 1))).tolist() == [[[128] * 3]]


def test_a_map_is_dark_to_light_or_blue_to_red_when_signed():
    heat = explainers.map_tile(np.array([[0.0, 1.0]]))
    assert heat[0, 0].sum() < 50
    assert heat[0, 1].sum() > 600
    blue, white, red = explainers.map_tile(np.array([[-1.0, 0.0, 1.0]]))[0].astype(int)
    assert blue[2] > blue[0]
    assert white.tolist() == [245, 245, 245]
    assert red[0] > red[2]
    assert explainers.map_tile(np.zeros((2, 2))).shape == (2, 2, 3)


def test_enlarging_preserves_constant_maps_and_the_position_of_the_peak():
    assert np.allclose(explainers.enlarge(np.full((1, 2, 2), 3.0), (9, 7)), 3)
    maps = np.zeros((1, 4, 4), np.float32)
    maps[0, 1, 2] = 1
    row, column = np.unravel_index(explainers.enlarge(maps, (16, 16))[0].argmax(), (16, 16))
    assert 4 <= row < 8
    assert 8 <= column < 12


def test_an_overlay_is_the_grey_image_where_the_map_is_zero():
    image = np.full((3, 4, 4), 0.5)
    assert np.abs(explainers.overlay(image, np.zeros((2, 2))).astype(int) - 128).max() <= 1
    dark, light = (explainers.overlay(np.full((1, 2, 2), level), np.zeros((2, 2))) for level in (0.0, 1.0))
    assert (int(dark[0, 0, 0]), int(light[0, 0, 0])) == (32, 223), "colours stay visible on black and on white"
    positive = explainers.overlay(image, np.ones((2, 2)))
    assert positive.shape == (4, 4, 3)
    assert not np.array_equal(positive[..., 0], positive[..., 2])


def test_an_overlay_is_red_for_positive_and_blue_for_negative_values():
    red, blue = explainers.overlay(np.full((1, 1, 2), 1.0), np.array([[1.0, -1.0]]))[0].astype(int)
    assert red[0] > red[2] + 80
    assert blue[2] > blue[0] + 80


def test_a_grid_holds_every_tile_with_its_name_and_marks():
    tiles = [np.full((6, 6, 3), level, np.uint8) for level in (10, 20, 30)]
    plain = explainers.grid(tiles, columns=2, scale=2)
    assert plain.shape == (2 * 16 + 4, 2 * 16 + 4, 3)
    for (top, left), level in zip([(4, 4), (4, 20), (20, 4)], (10, 20, 30), strict=True):
        assert (plain[top : top + 12, left : left + 12] == level).all()
    named = explainers.grid(tiles, names=["0", "1", "2"], marked=[False, True, False])
    assert named.dtype == np.uint8
    red = (named == np.array([200, 30, 30])).all(-1)
    assert red.any()
    assert (named[:14] < 100).any()


def test_thumbnails_lie_at_their_points():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    tiles = [np.full((4, 4, 3), level, np.uint8) for level in (10, 20, 30)]
    picture = explainers.thumbnails(points, tiles, 100, np.array([[255, 0, 0]] * 3))
    rows, columns = (picture[..., 1] == 20).nonzero()
    assert (rows.min(), columns.min()) == (2, 48)
    rows, columns = (picture[..., 1] == 30).nonzero()
    assert (rows.min(), columns.min()) == (94, 2)
    assert (picture[1, 1] == [255, 0, 0]).all()


def test_error_messages():
    tile = np.zeros((2, 2, 3), np.uint8)
    for call, message in [
        (lambda: explainers.grid([]), "grid: no tiles; pass at least one"),
        (lambda: explainers.grid([tile, tile[:1]]),
         "grid: tiles of several sizes, such as (1, 2) and (2, 2); resize them to one size"),
        (lambda: explainers.grid([tile], ["a", "b"]), "grid: 2 names for 1 tiles; pass one per tile, or none"),
        (lambda: explainers.grid([tile], marked=[True, True]), "grid: 2 marks for 1 tiles; pass one per tile, or none"),
    ]:  # fmt: skip
        with pytest.raises(ConfigError) as error:
            call()
        assert str(error.value) == message
