"""Pictures painted from noise: what channels, classes and directions want, and what a layer still knows of an image."""

import numpy as np
import pytest
import torch
from torch import nn

from convscope import explain
from convscope.errors import ConfigError, DataError, ModelError, TrainingError
from convscope.explain import OptimisationSettings, PixelSpace, Transforms
from convscope.explain.synthesis import objectives
from convscope.explain.synthesis.maximise import REMINDER

SPACE = PixelSpace((0.3,), (0.2,))
PAINT = OptimisationSettings(steps=64, size=(24, 24), transforms=Transforms(jitter=1, scale=0.05, rotate=5))
STILL = Transforms(jitter=0, scale=0, rotate=0)


@pytest.mark.parametrize("parameterisation", ["fourier", "pixel"])
def test_a_painted_picture_drives_its_channel_above_noise_and_above_every_image(trained, unseen, parameterisation):
    maxima = explain.channel_maxima(trained, "4", unseen.x.split(50))
    alive = np.flatnonzero(maxima > 0)[:6].tolist()
    settings = PAINT.model_copy(update={"parameterisation": parameterisation})
    wanted = explain.maximise_channels(trained, "4", alive, SPACE, settings).with_data_maximum(maxima)
    assert (wanted.pictures.final > wanted.pictures.start).all()
    assert (wanted.pictures.final > wanted.data_maximum).all()
    assert wanted.to_json()["data_maximum"] == maxima[alive].tolist()
    assert wanted.pictures.pixels.min() >= 0
    assert wanted.pictures.pixels.max() <= 1


def test_scores_told_are_those_of_the_pictures_given(trained):
    wanted = explain.maximise_channels(trained, "4", [0, 5], SPACE, PAINT)
    x = SPACE.to_input(torch.tensor(wanted.pictures.pixels))
    means = explain.activations(trained, x, ["4"])["4"].maps.mean((2, 3))
    assert np.allclose([means[0, 0], means[1, 5]], wanted.pictures.final, rtol=1e-4)


def test_channel_maxima_equal_brute_force(trained, unseen):
    means = explain.activations(trained, unseen.x, ["4"])["4"].maps.mean((2, 3))
    assert np.allclose(explain.channel_maxima(trained, "4", unseen.x.split(7)), means.max(0), rtol=1e-5)


def test_middle_maxima_are_those_of_the_middle_unit(trained, unseen):
    maps = explain.activations(trained, unseen.x, ["4"])["4"].maps
    middle = explain.channel_maxima(trained, "4", unseen.x.split(50), middle=True)
    assert np.allclose(middle, maps[:, :, 6, 6].max(0), rtol=1e-5)


def test_a_picture_does_not_depend_on_the_others_in_its_batch(trained):
    settings = PAINT.model_copy(update={"steps": 12})
    together = explain.maximise_channels(trained, "4", [0, 5, 9], SPACE, settings)
    alone = explain.maximise_channels(trained, "4", [0, 5, 9], SPACE, settings.model_copy(update={"batch": 1}))
    assert np.abs(together.pictures.pixels - alone.pictures.pixels).max() < 1e-3
    assert np.allclose(together.pictures.final, alone.pictures.final, rtol=1e-2)


def test_a_class_image_gets_a_probability_of_nine_tenths_from_noise(trained):
    wanted = explain.maximise_classes(trained, [1, 2], SPACE, PAINT)
    assert (wanted.probability >= 0.9).all()
    with torch.no_grad():
        probabilities = trained(SPACE.to_input(torch.tensor(wanted.pictures.pixels))).softmax(1)
    assert np.allclose(probabilities[[0, 1], [1, 2]], wanted.probability, atol=1e-3)
    assert wanted.to_json()["reminder"] == REMINDER


def test_neurons_layers_and_directions_rise_too(trained):
    direction = torch.zeros(1, 16)
    direction[0, 5] = 2.0
    for wanted in (
        explain.maximise_neurons(trained, "4", [5], SPACE, PAINT),
        explain.maximise_layer(trained, "4", SPACE, PAINT),
        explain.maximise_directions(trained, "4", direction, SPACE, PAINT),
    ):
        assert wanted.pictures.final[0] > 2 * wanted.pictures.start[0]
    assert wanted.to_json()["kind"] == "direction"
    assert wanted.to_json()["reminder"] == ""


def test_copies_of_a_target_differ_and_more_so_with_the_diversity_term(trained, monkeypatch):
    settings = PAINT.model_copy(update={"copies": 3, "steps": 128})

    def likeness() -> float:
        wanted = explain.maximise_channels(trained, "4", [5], SPACE, settings)
        assert wanted.targets.tolist() == [5, 5, 5]
        x = SPACE.to_input(torch.tensor(wanted.pictures.pixels))
        with explain.record(trained, "4") as kept:
            kept.forward(x)
            return -objectives.diversity("4", 3).score(kept, x).mean().item()

    apart = likeness()
    monkeypatch.setattr("convscope.explain.synthesis.maximise.DIVERSITY", 0.0)
    assert apart < likeness() - 0.05


def test_painting_stops_when_every_picture_reached_its_score_and_keeps_each_as_it_was_then(trained):
    settings = PAINT.model_copy(update={"stop_at": 1.0, "transforms": STILL})
    wanted = explain.maximise_channels(trained, "4", [5, 9], SPACE, settings)
    steps = wanted.pictures.steps
    assert (steps < 64).all()
    assert len(wanted.pictures.history) == steps.max() + 1
    for index, step in enumerate(steps):
        assert wanted.pictures.history[step, index] >= 1.0 > wanted.pictures.history[step - 1, index]
        assert wanted.pictures.final[index] == pytest.approx(wanted.pictures.history[step, index], rel=1e-4)


def test_painting_stops_when_nothing_rises_any_more():
    flat = nn.Sequential(nn.Conv2d(1, 1, 1))
    nn.init.zeros_(flat[0].weight)
    told = []
    wanted = explain.maximise_channels(
        flat, "0", [0], SPACE, PAINT.model_copy(update={"patience": 5}), lambda *done: told.append(done)
    )
    assert wanted.pictures.steps.tolist() == [5]
    assert told[-1] == (5, 64)


def test_progress_counts_over_all_batches(trained):
    told = []
    settings = PAINT.model_copy(update={"batch": 2, "steps": 2})
    explain.maximise_channels(trained, "4", [0, 1, 2], SPACE, settings, lambda *done: told.append(done))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_inversion_brings_the_feature_loss_down_by_nine_tenths_at_every_depth(trained, unseen):
    x = unseen.x[[0, 5]]
    told = []
    settings = explain.InversionSettings(steps=300)
    found = explain.invert(trained, x, ["1", "4", "7"], SPACE, settings, lambda *done: told.append(done))
    for inversion in found:
        assert inversion.converged.all()
        assert (inversion.loss_reduction >= 0.9).all()
        assert inversion.to_json()["warning"] == ""
        features, painted = (
            explain.activations(trained, images, [inversion.layer])[inversion.layer].maps
            for images in (x, SPACE.to_input(torch.tensor(inversion.pictures.pixels)))
        )
        loss = ((features - painted) ** 2).sum((1, 2, 3)) / (features**2).sum((1, 2, 3))
        assert np.allclose(loss, inversion.loss_final, rtol=1e-2)
    likeness = [inversion.similarity.mean() for inversion in found]
    assert likeness[0] > likeness[1] > likeness[2]  # the deeper, the less of the image is left
    assert told[-1] == (900, 900)


def test_an_inversion_of_some_channels_lets_the_others_answer_as_they_like(trained, unseen):
    settings = explain.InversionSettings(steps=200)
    (found,) = explain.invert(trained, unseen.x[[0]], {"4": [5, 9]}, SPACE, settings)
    assert found.converged.all()
    features, painted = (
        explain.activations(trained, images, ["4"])["4"].maps
        for images in (unseen.x[[0]], SPACE.to_input(torch.tensor(found.pictures.pixels)))
    )
    missed, whole = (((features - painted) ** 2).sum((2, 3))[0], (features**2).sum((2, 3))[0])
    assert missed[[5, 9]].sum() / whole[[5, 9]].sum() == pytest.approx(found.loss_final[0], rel=1e-2)
    assert np.delete(missed, [5, 9]).sum() > 0.2 * np.delete(whole, [5, 9]).sum()


def test_settings_of_an_inversion_bring_no_transforms_back():
    settings = explain.InversionSettings(steps=7, seed=3)
    assert settings.transforms.is_identity
    assert (settings.learning_rate, explain.InversionSettings().steps) == (0.01, 512)
    assert not explain.OptimisationSettings(steps=7).transforms.is_identity


def test_an_inversion_that_does_not_get_there_says_so(trained, unseen):
    (inversion,) = explain.invert(trained, unseen.x[:1], ["1"], SPACE, explain.InversionSettings(steps=1))
    assert not inversion.converged.any()
    warning = "the feature loss fell by less than 90 % for images [0]; take more steps"
    assert inversion.to_json()["warning"] == warning


class Blind(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 1)

    def forward(self, x):
        with torch.no_grad():
            return self.layer(x)


def test_errors_are_told(trained):
    broken = nn.Sequential(nn.Conv2d(1, 1, 1))
    nn.init.constant_(broken[0].weight, float("nan"))
    for call, kind, message in [
        (lambda: explain.channel_maxima(trained, "4", []), DataError,
         "channel maxima: no images; give at least one batch"),
        (lambda: explain.optimise(trained, objectives.smoothness(), SPACE, PAINT), ConfigError,
         "objective: has no targets of its own; add it to one that has"),
        (lambda: explain.maximise_channels(Blind(), "layer", [0], SPACE, PAINT), ModelError,
         "model: no gradient of the objective reaches the pixels; is there a no_grad inside it?"),
        (lambda: explain.maximise_channels(broken, "0", [0], SPACE, PAINT), TrainingError,
         "optimise: a score is nan after 64 steps; lower the rate"),
        (lambda: explain.maximise_channels(trained, "4", [], SPACE, PAINT), ConfigError,
         "targets: none; name at least one"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            call()
        assert str(error.value) == message
