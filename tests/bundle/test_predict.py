"""Predictions for files equal the network's output; unreadable files are reported."""

import numpy as np
import pytest
import torch
from PIL import Image

from convscope.bundle import AveragedViews, FailedFile, image_files, load_bundle, predict
from convscope.datasets import read_image
from convscope.errors import ConfigError, DataError
from convscope.tasks import ClassPrediction
from helpers.bundles import drawn, saved


def own_answer(model, pixels, config):
    """Softmax of the network on pixels (C, H, W) uint8, normalised here by hand."""
    mean, std = (np.array(values)[:, None, None] for values in (config.preprocessing.mean, config.preprocessing.std))
    x = torch.from_numpy((pixels / 255 - mean) / std).float()[None]
    with torch.no_grad():
        return model(x).softmax(1)[0].tolist()


def test_a_prediction_equals_the_networks_output_on_the_same_file(tmp_path):
    model, config = saved(tmp_path / "model")
    file = drawn(tmp_path / "a.png")
    (answer,) = predict(*load_bundle(tmp_path / "model"), [file])
    pixels = np.asarray(Image.open(file)).transpose(2, 0, 1)
    expected = own_answer(model, pixels, config)
    assert answer.probabilities == pytest.approx(expected, abs=1e-5)
    assert sum(answer.probabilities) == pytest.approx(1, abs=1e-6)
    best = int(np.argmax(expected))
    assert (answer.file, answer.label) == (str(file), config.classes[best])
    assert answer.confidence == answer.probabilities[best]


def test_files_of_any_size_are_fitted_as_in_training(tmp_path):
    model, config = saved(tmp_path / "model")
    file = drawn(tmp_path / "large.png", size=(50, 70))
    (answer,) = predict(model, config, [file])
    assert answer.probabilities == pytest.approx(own_answer(model, read_image(file, 3, (16, 12)), config), abs=1e-5)


def test_deep_greys_are_scaled_as_in_training(tmp_path):
    """12 bits in a 16-bit file: scaled by 16 bits the image would be nearly black."""
    model, config = saved(tmp_path / "model", channels=1, white=4095.0)
    file = tmp_path / "deep.png"
    grey = np.random.default_rng(0).integers(0, 4096, (16, 12)).astype(np.uint16)
    Image.fromarray(grey).save(file)
    (answer,) = predict(model, config, [file])
    pixels = np.rint(grey[None] * (255 / 4095)).astype(np.uint8)
    assert answer.probabilities == pytest.approx(own_answer(model, pixels, config), abs=1e-5)


def test_unreadable_files_are_reported_and_the_others_predicted_in_order(tmp_path):
    model, config = saved(tmp_path / "model")
    good, other = drawn(tmp_path / "good.png"), drawn(tmp_path / "other.png", seed=1)
    empty, text, cut = tmp_path / "empty.png", tmp_path / "notes.txt", tmp_path / "cut.png"
    empty.touch()
    text.write_text("these are notes")
    cut.write_bytes(good.read_bytes()[:200])
    answers = list(predict(model, config, [empty, good, text, cut, other]))
    assert [type(answer) for answer in answers] == [
        FailedFile,
        ClassPrediction,
        FailedFile,
        FailedFile,
        ClassPrediction,
    ]
    assert answers[0] == FailedFile(str(empty), "the file is empty, 0 bytes; copy it again or delete it")
    assert answers[2] == FailedFile(
        str(text), "not an image in a supported format; convert it to PNG or JPEG, or delete it"
    )
    assert answers[3] == FailedFile(str(cut), "damaged or truncated; copy it again or delete it")
    (alone,) = predict(model, config, [good])
    assert answers[1].probabilities == pytest.approx(alone.probabilities, abs=1e-5)


def test_many_files_are_predicted_in_batches(tmp_path):
    model, config = saved(tmp_path / "model")
    first, second = drawn(tmp_path / "a.png"), drawn(tmp_path / "b.png", seed=1)
    alone = [next(iter(predict(model, config, [file]))) for file in (first, second)]
    answers = list(predict(model, config, [first, second] * 40))
    assert [answer.file for answer in answers] == [str(first), str(second)] * 40
    for number, answer in enumerate(answers):
        assert answer.probabilities == pytest.approx(alone[number % 2].probabilities, abs=1e-5)


def test_folders_are_replaced_by_their_files_sorted_by_name(tmp_path):
    for name in ("b.png", "a.png", "inside/c.png", ".hidden.png", ".git/d.png"):
        drawn(tmp_path / "photos" / name)
    extra = drawn(tmp_path / "z.png")
    found = image_files([tmp_path / "photos", extra])
    assert [file.relative_to(tmp_path).as_posix() for file in found] == [
        "photos/a.png", "photos/b.png", "photos/inside/c.png", "z.png",
    ]  # fmt: skip


def test_a_path_without_files_is_rejected(tmp_path):
    with pytest.raises(DataError) as caught:
        image_files([tmp_path / "gone.png"])
    assert str(caught.value) == f"{tmp_path / 'gone.png'}: no such file or folder; check the path"
    with pytest.raises(DataError) as caught:
        image_files([tmp_path])
    assert str(caught.value) == f"{tmp_path}: contains no files; give image files or a folder that contains some"


@pytest.mark.parametrize("tta_views", ["5", "shifts"])
def test_test_time_augmentation_views_are_averaged(tmp_path, tta_views):
    model, config = saved(tmp_path / "model")
    config = config.model_copy(update={"mirrored": True})
    file = drawn(tmp_path / "a.png", size=(50, 70))
    (answer,) = predict(model, config, [file], tta_views)
    views = AveragedViews(model, (16, 12), tta_views)
    assert answer.probabilities == pytest.approx(
        own_answer(views, read_image(file, 3, views.input_size), config), abs=1e-5
    )
    assert answer.probabilities != next(predict(model, config, [file])).probabilities


def test_mirrored_views_are_used_only_if_training_images_were_mirrored(tmp_path):
    model, config = saved(tmp_path / "model")
    file = drawn(tmp_path / "a.png")
    once, twice = (
        next(predict(model, config.model_copy(update={"mirrored": mirrored}), [file], "shifts")).probabilities
        for mirrored in (False, True)
    )
    assert once != twice


def test_the_views_default_to_those_of_the_bundle(tmp_path):
    model, config = saved(tmp_path / "model")
    file = drawn(tmp_path / "a.png")
    once, several = (next(predict(model, config, [file], tta_views)).probabilities for tta_views in ("1", "shifts"))
    result = config.model_copy(update={"tta_views": "shifts"})
    assert next(predict(model, result, [file])).probabilities == several != once
    assert next(predict(model, result, [file], "1")).probabilities == once


def test_unknown_views_are_rejected_before_a_file_is_read(tmp_path):
    with pytest.raises(ConfigError, match="views: no shift; did you mean shifts"):
        predict(*saved(tmp_path / "model"), [tmp_path / "none.png"], "shift")
