"""Activation maximisation of channels, classes and directions, and inversion of a layer's features."""

import numpy as np
import pytest
import torch
from torch import nn

from convscope import explainers
from convscope.errors import ConfigError, DataError, ModelError, TrainingError
from convscope.explainers import OptimisationSettings, PixelSpace, Transforms
from convscope.explainers.synthesis import objectives
from convscope.explainers.synthesis.maximise import CONTEXT_LIMITATION

SPACE = PixelSpace((0.3,), (0.2,))
SETTINGS = OptimisationSettings(steps=64, size=(24, 24), transforms=Transforms(crop=0.6))
NO_TRANSFORMS = Transforms(crop=1, noise=0, rotate=0)


@pytest.mark.parametrize("parameterisation", ["fourier", "pixel"])
def test_an_optimised_image_exceeds_noise_and_every_real_image(trained, unseen, parameterisation):
    maxima = explainers.channel_maxima(trained, "4", unseen.x.split(50))
    active = np.flatnonzero(maxima > 0)[:6].tolist()
    settings = SETTINGS.model_copy(update={"parameterisation": parameterisation})
    result = explainers.maximise_channels(trained, "4", active, SPACE, settings).with_data_maximum(maxima)
    assert (result.pictures.final > result.pictures.start).all()
    assert (result.pictures.final > result.data_maximum).all()
    assert result.to_json()["data_maximum"] == maxima[active].tolist()
    assert result.pictures.pixels.min() >= 0
    assert result.pictures.pixels.max() <= 1


def test_the_scores_are_those_of_the_returned_images(trained):
    result = explainers.maximise_channels(trained, "4", [0, 5], SPACE, SETTINGS)
    x = SPACE.to_input(torch.tensor(result.pictures.pixels))
    means = explainers.activations(trained, x, ["4"])["4"].maps.mean((2, 3))
    assert np.allclose([means[0, 0], means[1, 5]], result.pictures.final, rtol=1e-4)


def test_channel_maxima_equal_brute_force(trained, unseen):
    means = explainers.activations(trained, unseen.x, ["4"])["4"].maps.mean((2, 3))
    assert np.allclose(explainers.channel_maxima(trained, "4", unseen.x.split(7)), means.max(0), rtol=1e-5)


def test_maxima_with_middle_are_those_of_the_middle_unit(trained, unseen):
    maps = explainers.activations(trained, unseen.x, ["4"])["4"].maps
    middle = explainers.channel_maxima(trained, "4", unseen.x.split(50), middle=True)
    assert np.allclose(middle, maps[:, :, 6, 6].max(0), rtol=1e-5)


def test_an_image_does_not_depend_on_its_batch(trained):
    settings = SETTINGS.model_copy(update={"steps": 12})
    batched = explainers.maximise_channels(trained, "4", [0, 5, 9], SPACE, settings)
    single = explainers.maximise_channels(trained, "4", [0, 5, 9], SPACE, settings.model_copy(update={"batch": 1}))
    assert np.abs(batched.pictures.pixels - single.pictures.pixels).max() < 1e-3
    assert np.allclose(batched.pictures.final, single.pictures.final, rtol=1e-2)


def test_a_class_image_reaches_a_probability_of_90_percent(trained):
    result = explainers.maximise_classes(trained, [1, 2], SPACE, SETTINGS)
    assert (result.probability >= 0.9).all()
    with torch.no_grad():
        probabilities = trained(SPACE.to_input(torch.tensor(result.pictures.pixels))).softmax(1)
    assert np.allclose(probabilities[[0, 1], [1, 2]], result.probability, atol=1e-3)
    assert result.to_json()["limitation"] == CONTEXT_LIMITATION


def test_scores_of_neurons_layers_and_directions_increase(trained):
    direction = torch.zeros(1, 16)
    direction[0, 5] = 2.0
    for result in (
        explainers.maximise_neurons(trained, "4", [5], SPACE, SETTINGS),
        explainers.maximise_layer(trained, "4", SPACE, SETTINGS),
        explainers.maximise_directions(trained, "4", direction, SPACE, SETTINGS),
    ):
        assert result.pictures.final[0] > 2 * result.pictures.start[0]
    assert result.to_json()["kind"] == "direction"
    assert result.to_json()["limitation"] == ""


def test_copies_of_a_target_differ_and_more_so_with_the_diversity_term(trained, monkeypatch):
    settings = SETTINGS.model_copy(update={"copies": 3, "steps": 128})

    def similarity() -> float:
        result = explainers.maximise_channels(trained, "4", [2], SPACE, settings)
        assert result.targets.tolist() == [2, 2, 2]
        x = SPACE.to_input(torch.tensor(result.pictures.pixels))
        with explainers.record(trained, "4") as kept:
            kept.forward(x)
            return -objectives.diversity("4", 3).score(kept, x).mean().item()

    with_term = similarity()
    monkeypatch.setattr("convscope.explainers.synthesis.maximise.DIVERSITY", 0.0)
    assert with_term < similarity() - 0.05


def test_optimisation_stops_when_every_image_reached_the_score_and_stores_each_at_that_step(trained):
    settings = SETTINGS.model_copy(update={"stop_at": 1.0, "transforms": NO_TRANSFORMS})
    result = explainers.maximise_channels(trained, "4", [5, 9], SPACE, settings)
    steps = result.pictures.steps
    assert (steps < 64).all()
    assert len(result.pictures.history) == steps.max() + 1
    for index, step in enumerate(steps):
        assert result.pictures.history[step, index] >= 1.0 > result.pictures.history[step - 1, index]
        assert result.pictures.final[index] == pytest.approx(result.pictures.history[step, index], rel=1e-4)


def test_optimisation_stops_when_no_score_improves():
    flat = nn.Sequential(nn.Conv2d(1, 1, 1))
    nn.init.zeros_(flat[0].weight)
    progress = []
    result = explainers.maximise_channels(
        flat, "0", [0], SPACE, SETTINGS.model_copy(update={"patience": 5}), lambda *done: progress.append(done)
    )
    assert result.pictures.steps.tolist() == [5]
    assert progress[-1] == (5, 64)


def test_progress_is_reported_over_all_batches(trained):
    progress = []
    settings = SETTINGS.model_copy(update={"batch": 2, "steps": 2})
    explainers.maximise_channels(trained, "4", [0, 1, 2], SPACE, settings, lambda *done: progress.append(done))
    assert progress == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.slow
def test_inversion_reduces_the_feature_loss_by_90_percent_at_every_depth(trained, unseen):
    x = unseen.x[[0, 5]]
    progress = []
    settings = explainers.InversionSettings(steps=300)
    found = explainers.invert(trained, x, ["1", "4", "7"], SPACE, settings, lambda *done: progress.append(done))
    for inversion in found:
        assert inversion.converged.all()
        assert (inversion.loss_reduction >= 0.9).all()
        assert inversion.to_json()["warning"] == ""
        features, synthesised = (
            explainers.activations(trained, images, [inversion.layer])[inversion.layer].maps
            for images in (x, SPACE.to_input(torch.tensor(inversion.pictures.pixels)))
        )
        loss = ((features - synthesised) ** 2).sum((1, 2, 3)) / (features**2).sum((1, 2, 3))
        assert np.allclose(loss, inversion.loss_final, rtol=1e-2)
    similarities = [inversion.similarity.mean() for inversion in found]
    assert similarities[0] > similarities[1] > similarities[2]  # deeper features determine less of the image
    assert progress[-1] == (900, 900)


def test_settings_of_an_inversion_bring_no_transforms_back():
    settings = explainers.InversionSettings(steps=7, seed=3)
    assert settings.transforms.is_identity
    assert (settings.learning_rate, explainers.InversionSettings().steps) == (0.05, 512)
    assert not explainers.OptimisationSettings(steps=7).transforms.is_identity


def test_an_inversion_of_selected_channels_does_not_constrain_the_others(trained, unseen):
    settings = explainers.InversionSettings(steps=200)
    (found,) = explainers.invert(trained, unseen.x[[0]], {"4": [5, 9]}, SPACE, settings)
    assert found.converged.all()
    features, synthesised = (
        explainers.activations(trained, images, ["4"])["4"].maps
        for images in (unseen.x[[0]], SPACE.to_input(torch.tensor(found.pictures.pixels)))
    )
    error, energy = (((features - synthesised) ** 2).sum((2, 3))[0], (features**2).sum((2, 3))[0])
    matched = error[[5, 9]].sum() / energy[[5, 9]].sum()
    assert matched == pytest.approx(found.loss_final[0], rel=1e-2)
    assert np.delete(error, [5, 9]).sum() / np.delete(energy, [5, 9]).sum() > 5 * matched


def test_an_inversion_that_does_not_converge_returns_a_warning(trained, unseen):
    (inversion,) = explainers.invert(trained, unseen.x[:1], ["1"], SPACE, explainers.InversionSettings(steps=1))
    assert not inversion.converged.any()
    warning = "the feature loss fell by less than 90 % for images [0]; take more steps"
    assert inversion.to_json()["warning"] == warning


class WithoutGradients(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 1)

    def forward(self, x):
        with torch.no_grad():
            return self.layer(x)


def test_error_messages(trained):
    broken = nn.Sequential(nn.Conv2d(1, 1, 1))
    nn.init.constant_(broken[0].weight, float("nan"))
    for call, kind, message in [
        (lambda: explainers.channel_maxima(trained, "4", []), DataError,
         "channel maxima: no images; pass at least one batch"),
        (lambda: explainers.optimise(trained, objectives.smoothness(), SPACE, SETTINGS), ConfigError,
         "objective: no targets; add it to an objective with targets"),
        (lambda: explainers.maximise_channels(WithoutGradients(), "layer", [0], SPACE, SETTINGS), ModelError,
         "model: no gradient of the objective reaches the pixels; remove no_grad from its forward"),
        (lambda: explainers.maximise_channels(broken, "0", [0], SPACE, SETTINGS), TrainingError,
         "optimise: score nan after 64 steps; lower the learning rate"),
        (lambda: explainers.maximise_channels(trained, "4", [], SPACE, SETTINGS), ConfigError,
         "targets: none; name at least one"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            call()
        assert str(error.value) == message
