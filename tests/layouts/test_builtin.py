"""The built-in datasets."""

import numpy as np
import pytest

from convscope.layouts.builtin import digits, shapes
from convscope.layouts.drawn_shapes import NAMES, draw_shapes


def test_digits_are_scikit_learns_in_bytes() -> None:
    from sklearn.datasets import load_digits

    dataset = digits()
    assert len(dataset) == 1797
    assert isinstance(dataset.images, np.ndarray)
    assert dataset.images.shape == (1797, 8, 8, 1)
    assert (np.round(dataset.images[..., 0] / 255 * 16) == load_digits().images).all()
    assert dataset.classes == tuple("0123456789")
    assert dataset.names[12] == "digits/0012"


def test_digits_are_loaded_by_scikit_learn_if_its_file_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from_file = digits()
    monkeypatch.setattr("convscope.layouts.builtin.find_spec", lambda _name: None)
    assert digits().fingerprint() == from_file.fingerprint()


def test_shapes_are_balanced_seeded_and_independent_of_the_count() -> None:
    dataset = shapes(50, seed=3)
    assert np.bincount(dataset.targets).tolist() == [10] * 5
    assert dataset.classes == NAMES
    assert dataset.channels == 3
    assert (shapes(20, seed=3).images == dataset.images[:20]).all()
    assert (shapes(20, seed=4).images != dataset.images[:20]).any()
    assert shapes(5).fingerprint() == shapes(5).fingerprint() != shapes(5, seed=1).fingerprint()


def test_images_masks_and_boxes_of_a_drawing_agree() -> None:
    drawn = draw_shapes(60)
    for i in range(60):
        kinds = drawn.box_classes[i]
        assert len(drawn.boxes[i]) == len(kinds) == drawn.counts[i]
        assert kinds[0] == drawn.classes[i]
        assert set(np.flatnonzero(drawn.labels[i])) == set(kinds.tolist())
        assert set(np.unique(drawn.masks[i])) - {0} == set((kinds + 1).tolist())
        for box, kind in zip(drawn.boxes[i].astype(int), kinds, strict=True):
            left, top, right, bottom = box
            inside = drawn.masks[i][top:bottom, left:right] == kind + 1
            assert inside[0].any()
            assert inside[-1].any()
            assert inside[:, 0].any()
            assert inside[:, -1].any()
        assert drawn.boxes[i].min() >= 1  # nothing touches the border
        assert drawn.boxes[i].max() <= 31
        assert (drawn.boxes[i][:, 2:] - drawn.boxes[i][:, :2]).max() <= 2 * 0.32 * 32 + 1
        covered = np.zeros((32, 32), bool)
        for left, top, right, bottom in drawn.boxes[i].astype(int):
            covered[top:bottom, left:right] = True
        assert not drawn.masks[i][~covered].any()
    assert set(drawn.counts.tolist()) == {1, 2, 3}


@pytest.mark.parametrize(
    ("name", "share"),
    [("disc", 1.0), ("ring", 0.75), ("square", 2 / np.pi), ("star", 0.421), ("triangle", 3 * np.sqrt(3) / 4 / np.pi)],
)
def test_each_main_shape_covers_its_share_of_the_circle_around_it(name: str, share: float) -> None:
    """Areas by hand; the star's is 5 r R sin 36 degrees with r = 0.45 R. The least radius is 7, the largest 10.2."""
    drawn = draw_shapes(100)
    kind = NAMES.index(name)
    for i in np.flatnonzero((drawn.classes == kind) & (drawn.counts == 1)):
        area = (drawn.masks[i] == kind + 1).sum()
        assert share * np.pi * 7**2 * 0.9 < area < share * np.pi * 10.3**2 * 1.1
