"""Detection of duplicate images."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from convscope.datasets.duplicates import detail_threshold, find_duplicates
from convscope.datasets.inputs.fitting import fit
from convscope.datasets.store.store import build_store
from convscope.layouts.builtin import digits, shapes

Change = Callable[[Image.Image], Image.Image]


def photographs(count: int, size: int = 48, seed: int = 0, colour: float = 0.3) -> np.ndarray:
    """(N, 3, H, W) noise at several scales, fine scales and colours weaker, as in photographs."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None]) + 1 / size
    white = random.normal(size=(count, 1, size, size)) + colour * random.normal(size=(count, 3, size, size))
    noise = np.fft.fft2(white) / frequency
    clouds = np.fft.ifft2(noise).real
    clouds -= clouds.mean((1, 2, 3), keepdims=True)
    return np.clip(128 + 55 * clouds / clouds.std((1, 2, 3), keepdims=True), 0, 255).astype(np.uint8)


def changed(pixels: np.ndarray, change: Change) -> np.ndarray:
    size = pixels.shape[2:]
    images = [np.asarray(change(Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))))) for image in pixels]
    return np.stack([fit(image, image.shape[:2], size).transpose(2, 0, 1) for image in images])


def compressed(quality: int) -> Change:
    def change(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file)

    return change


def resized(factor: float) -> Change:
    return lambda image: image.resize((int(image.width * factor), int(image.height * factor)), Image.Resampling.BICUBIC)


def test_equal_pixels_are_one_group_named_for_the_first() -> None:
    pixels = photographs(4)[[0, 1, 0, 2, 1, 0]]
    found = find_duplicates(pixels)
    assert found.groups.tolist() == [0, 1, 0, 3, 1, 0]
    assert found.pairs == ((0, 2, 0.0), (0, 5, 0.0), (1, 4, 0.0))


def test_only_the_requested_rows_are_compared() -> None:
    pixels = photographs(4)[[0, 1, 0, 2, 1, 0]]
    found = find_duplicates(pixels, np.array([1, 3, 4, 5]))
    assert found.groups.tolist() == [0, 1, 0, 3]
    assert found.pairs == ((0, 2, 0.0),)


@pytest.mark.parametrize(
    "change",
    [
        compressed(75),
        compressed(40),
        resized(0.5),
        resized(0.8),
        resized(2.0),
        lambda image: ImageEnhance.Brightness(image).enhance(1.15),
        lambda image: ImageEnhance.Brightness(image).enhance(0.8),
        lambda image: ImageEnhance.Contrast(image).enhance(1.2),
        lambda image: ImageEnhance.Color(image).enhance(0.7),
    ],
    ids=["JPEG 75", "JPEG 40", "half", "0.8", "double", "brighter", "darker", "contrast", "pale"],
)
def test_a_changed_copy_is_a_duplicate_and_different_images_are_not(change: Change) -> None:
    originals = photographs(150)
    found = find_duplicates(np.concatenate([originals, changed(originals[:60], change)]))
    assert found.groups[:150].tolist() == list(range(150))
    assert (found.groups[150:] == np.arange(60)).mean() >= 0.98


def test_the_result_does_not_depend_on_the_order() -> None:
    originals = photographs(80)
    pixels = np.concatenate([originals, changed(originals[:20], compressed(60))])
    order = np.random.default_rng(1).permutation(100)
    one, two = find_duplicates(pixels), find_duplicates(pixels[order])
    pairs = {tuple(sorted((int(order[i]), int(order[j])))) for i, j, _ in two.pairs}
    assert pairs == {(i, j) for i, j, _ in one.pairs}


def test_a_copy_in_another_colour_is_not_a_duplicate() -> None:
    originals = photographs(60, colour=3)
    assert not find_duplicates(np.concatenate([originals, originals[:, [2, 0, 1]]])).pairs


def test_near_duplicates_are_not_transitive() -> None:
    for dataset, size in ((digits(), (8, 8)), (shapes(300), (32, 32))):
        assert not find_duplicates(build_store(dataset, size).pixels).pairs


def test_the_threshold_is_stricter_if_different_images_are_similar() -> None:
    pixels = build_store(digits(), (8, 8)).pixels
    assert detail_threshold(pixels, np.arange(len(pixels))) > 0.99
    assert detail_threshold(photographs(200), np.arange(200)) == 0.6


def test_video_frames_are_one_group_within_bounded_memory() -> None:
    scenes = photographs(3, seed=5)
    noise = np.random.default_rng(0).integers(-3, 4, (3, 100, 3, 48, 48))
    film = np.clip(scenes[:, None].astype(int) + noise, 0, 255).astype(np.uint8).reshape(-1, 3, 48, 48)
    found = find_duplicates(np.concatenate([film, photographs(300, seed=6)]))
    assert np.unique(found.groups[:300]).tolist() == [0, 100, 200]
    assert len(found.pairs) < 300 * 8 * 16


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("side", [1, 8, 50])
def test_few_small_and_blank_images_are_accepted(count: int, side: int) -> None:
    blank = np.zeros((count, 1, side, side), np.uint8)
    assert find_duplicates(blank).groups.tolist() == [0] * count
    blank[:] = np.arange(count)[:, None, None, None] * 40
    assert find_duplicates(blank).groups.tolist() == list(range(count))


@pytest.mark.parametrize("axis", [3, 2])
def test_a_mirrored_copy_is_a_duplicate(axis: int) -> None:
    originals = photographs(60)
    copies = changed(np.flip(originals[:20], axis), compressed(60))
    found = find_duplicates(np.concatenate([originals, copies]))
    assert {(first, second) for first, second, _ in found.pairs} == {(i, 60 + i) for i in range(20)}
