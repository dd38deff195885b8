"""Logits equal to those of the reference networks, with weights copied by the key mapping."""

import pytest
import torch

from convscope.models import MODELS
from convscope.models.pretrained.state_dicts import load_state
from helpers.oracles import empty, filled, torchvision_models

SAME = {
    "alexnet": ("alexnet", 224),
    "vgg11": ("vgg11", 224),
    "resnet18": ("resnet18", 224),
    "resnet34": ("resnet34", 96),
    "resnet50": ("resnet50", 96),
    "squeezenet1_0": ("squeezenet1_0", 224),
    "squeezenet1_1": ("squeezenet1_1", 97),
    "mobilenet_v2": ("mobilenet_v2", 224),
}
SLOW = {
    "vgg13_bn": ("vgg13_bn", 64),
    "vgg13": ("vgg13", 64),
    "vgg16": ("vgg16", 64),
    "vgg19": ("vgg19", 64),
    "vgg11_bn": ("vgg11_bn", 64),
    "vgg16_bn": ("vgg16_bn", 64),
    "vgg19_bn": ("vgg19_bn", 64),
    "resnet101": ("resnet101", 96),
    "resnet152": ("resnet152", 96),
}


def difference(ours: torch.nn.Module, theirs: torch.nn.Module, side: int) -> float:
    """Return the largest difference of logits for two random images."""
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return float((ours.eval()(x) - theirs(x)).abs().max())


@pytest.mark.parametrize("name", [*SAME, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_logits_equal_torchvisions(name) -> None:
    their_name, side = (SAME | SLOW)[name]
    theirs = filled(getattr(torchvision_models(), their_name))
    ours = empty(MODELS[name])
    loaded = load_state(ours, theirs.state_dict())
    assert (loaded.not_loaded, loaded.unused) == ((), ())
    assert difference(ours, theirs, side) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "auxiliary", "side"), [("googlenet", (2, 3), 224), ("inception_v3", (2,), 299)])
def test_logits_equal_torchvisions_also_those_of_the_auxiliary_classifiers(name, auxiliary, side) -> None:
    theirs = filled(lambda: getattr(torchvision_models(), name)(aux_logits=True, init_weights=False))
    ours = empty(lambda: MODELS[name](auxiliary=auxiliary))
    loaded = load_state(ours, theirs.state_dict())
    assert (loaded.not_loaded, loaded.unused) == ((), ())
    assert difference(ours, theirs, side) == 0
    # Train mode of the top module only, so that norms and dropout are in eval mode.
    ours.training = theirs.training = True
    x = torch.randn(1, 3, side, side)
    with torch.no_grad():
        got, expected = ours(x), theirs(x)
    pairs = {"googlenet": ("aux_logits1", "aux_logits2"), "inception_v3": ("aux_logits",)}[name]
    for mine, attribute in zip(got.auxiliary, pairs, strict=True):
        assert torch.equal(mine, getattr(expected, attribute))


@pytest.mark.parametrize(
    "number", [0, 1, 2, pytest.param(3, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)]
)
def test_logits_equal_timms_for_efficientnet_lite(number) -> None:
    """An odd side too, at which TensorFlow's padding is another."""
    timm = pytest.importorskip("timm")
    theirs = filled(lambda: timm.create_model(f"tf_efficientnet_lite{number}", pretrained=False))
    ours = empty(MODELS[f"efficientnet_lite{number}"])
    loaded = load_state(ours, theirs.state_dict())
    assert (loaded.not_loaded, loaded.unused) == ((), ())
    assert difference(ours, theirs, 96) == 0
    assert difference(ours, theirs, 65) == 0


def test_a_swapped_pair_of_layers_is_detected() -> None:
    theirs = filled(torchvision_models().resnet18)
    ours = empty(MODELS["resnet18"])
    load_state(ours, theirs.state_dict())
    first, second = (ours.get_submodule(f"stages.0.0.body.{place}.conv").weight.data for place in (0, 2))
    kept = first.clone()
    first.copy_(second)
    second.copy_(kept)
    assert difference(ours, theirs, 96) > 1


def test_logits_equal_timms_for_se_resnet_50() -> None:
    timm = pytest.importorskip("timm")
    theirs = filled(lambda: timm.create_model("seresnet50", pretrained=False))
    ours = empty(MODELS["se_resnet50"])
    loaded = load_state(ours, theirs.state_dict())
    assert (loaded.not_loaded, loaded.unused) == ((), ())
    assert difference(ours, theirs, 96) < 1e-5


@pytest.mark.parametrize("name", [pytest.param("vgg11", marks=pytest.mark.slow), "mobilenetv2_100"])
def test_the_names_of_timm_are_mapped(name) -> None:
    timm = pytest.importorskip("timm")
    theirs = filled(lambda: timm.create_model(name, pretrained=False))
    ours = empty(MODELS[{"mobilenetv2_100": "mobilenet_v2"}.get(name, name)])
    loaded = load_state(ours, theirs.state_dict())
    assert (loaded.not_loaded, loaded.unused) == ((), ())
    assert difference(ours, theirs, 224) < 1e-4
