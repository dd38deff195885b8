"""Requirements on every explainer: it restores all state, also after an error, and accepts any number of channels."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convscope import explainers
from convscope.explainers import OptimisationSettings, PixelSpace, Transforms

LAYER = "body.3"


class Network(nn.Module):
    """Samples random numbers in forward, works in place, has a frozen weight, and fails at a chosen pass."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
            nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Dropout(0.5), nn.ReLU(inplace=True)),
        )  # fmt: skip
        self.head = nn.Linear(4, 3)
        self.body[0].bias.requires_grad_(False)
        self.passes_left = -1

    def forward(self, x: Tensor) -> Tensor:
        if self.passes_left == 0:
            raise RuntimeError("intended")
        self.passes_left -= 1
        noise = torch.rand(1, device=x.device) + random.random() + np.random.rand()
        maps = self.body(x + 1e-3 * noise)
        return self.head(maps.mean((2, 3)))


SETTINGS = OptimisationSettings(steps=3, size=(12, 12), batch=2)


def _space(x: Tensor) -> PixelSpace:
    return PixelSpace((0.4,) * x.shape[1], (0.3,) * x.shape[1])


def _snapshot(model: nn.Module, x: Tensor, folder: Path) -> None:
    explainers.save_snapshot(model, x, [LAYER], folder, 1)


def _cascade(model: nn.Module, x: Tensor, _folder: Path) -> None:
    explainers.cascade(model, lambda net: explainers.grad_cam(net, x, LAYER).maps, ["head"])


def _probe_layers(model: nn.Module, x: Tensor, _folder: Path) -> None:
    def labelled() -> list[tuple[Tensor, Tensor]]:
        return [(x, torch.arange(len(x)))]

    explainers.probe_layers(model, [LAYER], labelled, labelled)


EXPLAINERS: dict[str, Callable[[nn.Module, Tensor, Path], object]] = {
    "activations": lambda model, x, _: explainers.activations(model, x, [LAYER]),
    "snapshots": _snapshot,
    "stimuli": lambda model, x, _: explainers.stimuli(model, LAYER, [x, x], 2),
    "receptive_field": lambda model, x, _: explainers.receptive_field(model, LAYER, x),
    "grad_cam": lambda model, x, _: explainers.grad_cam(model, x, LAYER),
    "grad_cam_plus_plus": lambda model, x, _: explainers.grad_cam_plus_plus(model, x, LAYER),
    "hires_cam": lambda model, x, _: explainers.hires_cam(model, x, LAYER),
    "layer_cam": lambda model, x, _: explainers.layer_cam(model, x, LAYER),
    "input_gradients": lambda model, x, _: explainers.input_gradients(model, x),
    "integrated_gradients": lambda model, x, _: explainers.integrated_gradients(model, x),
    "smooth_grad": lambda model, x, _: explainers.smooth_grad(model, x),
    "occlusion": lambda model, x, _: explainers.occlusion(
        model, x, settings=explainers.OcclusionSettings(window=6, stride=6)
    ),
    "cascade": _cascade,
    "invert": lambda model, x, _: explainers.invert(model, x, [LAYER], _space(x), SETTINGS),
    "maximise_channels": lambda model, x, _: explainers.maximise_channels(model, LAYER, [0, 1, 3], _space(x), SETTINGS),
    "maximise_neurons": lambda model, x, _: explainers.maximise_neurons(model, LAYER, [0], _space(x), SETTINGS),
    "maximise_layer": lambda model, x, _: explainers.maximise_layer(model, LAYER, _space(x), SETTINGS),
    "maximise_directions": lambda model, x, _: explainers.maximise_directions(
        model, LAYER, torch.ones(2, 4), _space(x), SETTINGS
    ),
    "maximise_classes": lambda model, x, _: explainers.maximise_classes(model, [0, 2], _space(x), SETTINGS),
    "channel_maxima": lambda model, x, _: explainers.channel_maxima(model, LAYER, [x, x]),
    "feature_vectors": lambda model, x, _: explainers.feature_vectors(model, LAYER, [x, x]),
    "probe_layers": _probe_layers,
    "unit": lambda model, x, _: explainers.unit(model, x[:1], LAYER, 0),
    "module_tree": lambda model, x, _: explainers.module_tree(model, x[:1]),
    "gate_layers": lambda model, x, _: explainers.gate_layers(model, x),
    "gates": lambda model, x, _: explainers.gates(model, [x, x], [LAYER]),
    "removal_costs": lambda model, x, _: explainers.removal_costs(model, lambda: [(x, torch.zeros(len(x)))], [LAYER]),
}


def state_of(model: nn.Module) -> dict[str, object]:
    """All state that an explainer could change."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "hooks": [len(getattr(module, kind)) for module in model.modules() for kind in hooks],
        "modes": [module.training for module in model.modules()],
        "requires_grad": [weight.requires_grad for weight in model.parameters()],
        "gradients": [None if weight.grad is None else weight.grad.tolist() for weight in model.parameters()],
        "storage": [(weight.data_ptr(), weight.stride()) for weight in model.parameters()],
        "state": {name: value.tolist() for name, value in model.state_dict().items()},
        "torch": torch.get_rng_state().tolist(),
        "numpy": str(np.random.get_state()),
        "python": random.getstate(),
        "grad mode": torch.is_grad_enabled(),
    }


def network_in_training(channels: int) -> Network:
    """A network with mixed train and eval modes and one gradient set."""
    model = Network(channels).train()
    model.body[1].eval()
    model.head.weight.grad = torch.ones_like(model.head.weight)
    return model


@pytest.fixture(params=[pytest.param(name, id=name) for name in EXPLAINERS])
def explainer(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[nn.Module, Tensor], object]:
    return lambda model, x: EXPLAINERS[request.param](model, x, tmp_path)


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_an_explainer_restores_all_state_for_any_number_of_channels(explainer, channels):
    model, x = network_in_training(channels), torch.rand(2, channels, 12, 12)
    before = state_of(model)
    explainer(model, x)
    assert state_of(model) == before
    assert x.grad is None
    assert not x.requires_grad


@pytest.mark.parametrize("passes", [0, 1])
def test_an_explainer_restores_all_state_after_an_error_inside_the_network(explainer, passes):
    model, x = network_in_training(1), torch.rand(2, 1, 12, 12)
    model.passes_left = passes
    before = state_of(model)
    try:
        explainer(model, x)
    except RuntimeError as error:
        assert str(error) == "intended"  # noqa: PT017 - some need a single pass only
    else:
        assert passes == 1
    assert state_of(model) == before


def test_an_explainer_works_where_the_caller_switched_gradients_off(explainer):
    model, x = network_in_training(1), torch.rand(2, 1, 12, 12)
    with torch.no_grad():
        explainer(model, x)
        assert not torch.is_grad_enabled()


def test_an_explainer_works_on_tensors_from_inference_mode(explainer):
    model = network_in_training(1)
    with torch.inference_mode():
        explainer(model, torch.rand(2, 1, 12, 12))


def test_the_same_seed_gives_the_same_image():
    model, x = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()), torch.rand(1, 1, 12, 12)
    settings = OptimisationSettings(steps=5, size=(12, 12), seed=3, transforms=Transforms(jitter=2))
    first, second = (explainers.maximise_channels(model, "0", [1, 2], _space(x), settings) for _ in range(2))
    assert np.array_equal(first.pictures.pixels, second.pictures.pixels)
    other = explainers.maximise_channels(model, "0", [1, 2], _space(x), settings.model_copy(update={"seed": 4}))
    assert not np.array_equal(first.pictures.pixels, other.pictures.pixels)


def test_every_function_that_takes_a_network_is_in_the_contract_suite():
    excluded = {
        "filters",
        "suggest_from_norms",
        "first_convolution",
        "find_layer",
        "record",
        "preserve_state",
        "class_map",
        "optimise",
    }
    runs_a_network = {
        name for name in explainers.__all__ if (code := getattr(explainers, name)) and callable(code)
        and "model" in getattr(code, "__annotations__", {})
    }  # fmt: skip
    assert runs_a_network - excluded - {"save_snapshot"} == set(EXPLAINERS) - {"snapshots"}
