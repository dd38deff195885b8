"""The recomputed arithmetic equals the values of the network."""

import re

import pytest
import torch
from torch import nn

from convscope.errors import ConfigError, ModelError
from convscope.explainers import unit
from convscope.explainers.arithmetic import trace_pass
from convscope.models import MODELS
from convscope.models.components import Blur

FAMILIES = {
    "mlp": {"size": 8}, "lenet": {"size": 28}, "alexnet": {"size": 80}, "alexnet_2012": {"size": 80},
    "vgg11": {"size": 32, "width": 8}, "vgg11_bn": {"size": 32, "width": 8}, "googlenet": {"size": 48},
    "resnet18": {"size": 32, "width": 8}, "resnet50": {"size": 32, "width": 8},
    "se_resnet18": {"size": 32, "width": 16},
    "squeezenet1_1": {"size": 48}, "mobilenet_v2": {"size": 32}, "unet": {"size": 16, "width": 4, "depth": 2},
    "segnet": {"size": 32, "width": 4},
}  # fmt: skip
LAYERS = 10  # per family, evenly spaced


def network(name: str, size: int, **options) -> nn.Module:
    """A network with random normalisation statistics, so that no norm is the identity."""
    torch.manual_seed(3)
    model = MODELS[name](5, channels=2, size=(size, size), **options)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.3)
    return model.train()


@pytest.mark.parametrize("name", FAMILIES)
def test_in_every_family_each_step_sums_to_the_networks_value_within_the_bound(name):
    size = FAMILIES[name]["size"]
    model = network(name, **FAMILIES[name])
    x = torch.randn(1, 2, size, size)
    with trace_pass(model, x) as trace:
        runs = {run.name: trace.values[run.output].tensor for run in trace.runs}
    assert model.training, "the mode is restored"
    names = [layer for layer, out in runs.items() if out.ndim in (2, 4) and layer]
    torch.manual_seed(5)
    for layer in [names[i] for i in torch.linspace(0, len(names) - 1, LAYERS).long().tolist()]:
        position = [int(torch.randint(side, ())) for side in runs[layer].shape[1:]] + [0, 0]
        found = unit(model, x, layer, position[0], (position[1], position[2]))
        assert found.value == pytest.approx(float(runs[layer][(0, *found.position)]), abs=0)
        assert found.steps[-1].value == found.value
        assert "other" not in {step.op for step in found.steps}
        for before, after in zip(found.steps, found.steps[1:], strict=False):
            assert after.terms[0].value == before.value, "the input of each step is the output of the previous one"
        for step in found.steps:
            assert abs(step.sum - step.value) <= step.bound, f"{layer}: {step.op}"
            listed = sum(term.product for term in step.terms) + step.rest + (step.bias or 0)
            if step.op in ("convolution", "fully connected", "average pool", "global average", "add", "gate"):
                assert listed == pytest.approx(step.sum, rel=1e-9, abs=1e-9)


def test_a_convolution_equals_the_result_computed_by_hand():
    net = nn.Conv2d(1, 1, 3, stride=2, padding=1)
    net.weight.data = torch.arange(9.0).reshape(1, 1, 3, 3)
    net.bias.data.fill_(0.5)
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    (step,) = unit(nn.Sequential(net), x, "0", 0, (0, 1)).steps
    # rows -1 .. 1 and columns 1 .. 3: the first row is padding
    assert step.sum == 3 * 1 + 4 * 2 + 5 * 3 + 6 * 5 + 7 * 6 + 8 * 7 + 0.5 == step.value
    assert (step.count, step.padding, step.bias) == (9, 3, 0.5)
    assert step.window == {"layer": 0, "channels": [0, 1], "rows": [-1, 2], "columns": [1, 4], "step": [1, 1]}
    assert step.terms[0].position == (0, 1, 3), "the largest product first"
    assert step.parameters == {
        "kernel": [3, 3], "stride": [2, 2], "padding": [1, 1], "dilation": [1, 1], "groups": 1, "border": "zeros",
    }  # fmt: skip
    assert step.description == "sum of 9 products, 3 of them zero padding, plus the bias"


def test_groups_and_dilation_select_the_input_values():
    net = nn.Sequential(nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2, bias=False))
    x = torch.randn(1, 4, 6, 6)
    (step,) = unit(net, x, "0", 3, (2, 2), most=100).steps
    assert {term.position[0] for term in step.terms} == {2, 3}
    assert {term.position[1] for term in step.terms} == {0, 2, 4}
    assert abs(step.sum - step.value) <= step.bound


def test_terms_that_are_not_listed_are_summed():
    net = nn.Sequential(nn.Conv2d(8, 1, 3, bias=False))
    (complete,) = unit(net, x := torch.randn(1, 8, 5, 5), "0", 0, most=1000).steps
    (few,) = unit(net, x, "0", 0, most=5).steps
    assert (len(few.terms), few.count) == (5, 72)
    assert few.rest == pytest.approx(sum(term.product for term in complete.terms[5:]))
    sizes = [abs(term.product) for term in complete.terms]
    assert sizes == sorted(sizes, reverse=True)


def test_a_max_pool_chooses_the_first_of_equal_values_and_never_padding():
    x = torch.tensor([[0.0, -3.0, -1.0], [-1.0, -2.0, -5.0], [-4.0, -4.0, -9.0]]).reshape(1, 1, 3, 3)
    net = nn.Sequential(nn.MaxPool2d(3, 2, padding=1))
    (step,) = unit(net, x, "0", 0, (0, 1)).steps
    (winner,) = [term for term in step.terms if term.chosen]
    assert (step.value, winner.position, step.padding) == (-1.0, (0, 0, 2), 5), "padding is never the maximum"
    tied = torch.tensor([[1.0, 2.0], [2.0, 0.0]]).reshape(1, 1, 2, 2)
    (step,) = unit(nn.Sequential(nn.MaxPool2d(2)), tied, "0", 0).steps
    assert [term.position for term in step.terms if term.chosen] == [(0, 0, 1)]
    assert unit(nn.Sequential(nn.MaxPool2d(2)), tied, "0", 0, most=1).steps[0].terms[0].chosen, (
        "truncation keeps the maximum"
    )


def test_a_batch_norm_is_an_affine_map_of_its_running_statistics():
    norm = nn.BatchNorm2d(1, eps=1e-12)  # 4 + eps is 4 in float32; PyTorch refuses 0
    norm.running_mean.fill_(3.0)
    norm.running_var.fill_(4.0)
    norm.weight.data.fill_(6.0)
    norm.bias.data.fill_(1.0)
    (step,) = unit(nn.Sequential(norm), torch.full((1, 1, 2, 2), 5.0), "0", 0).steps
    found = (step.value, step.parameters["scale"], step.parameters["shift"])
    assert (step.op, found) == ("norm", pytest.approx((7.0, 3.0, -8.0)))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.SiLU(), nn.ReLU6(), nn.LeakyReLU(0.2), nn.ReLU(inplace=True), nn.ELU(),
        nn.GroupNorm(2, 4), nn.GroupNorm(1, 4), nn.LocalResponseNorm(3), nn.AvgPool2d(3, 2, 1),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.AdaptiveAvgPool2d(1), nn.AdaptiveAvgPool2d(2),
        nn.AdaptiveMaxPool2d(2), nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.ConvTranspose2d(4, 4, 3, 2, 1), nn.ConvTranspose2d(4, 4, 2, 2, groups=2), Blur(4, 2, 2), nn.Dropout(0.5),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), nn.Conv2d(4, 4, 3, padding=1, padding_mode="replicate"),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), nn.Flatten(), nn.Hardswish(),
    ],
    ids=lambda layer: re.sub(r"\W+", "_", repr(layer))[:50],
)  # fmt: skip
def test_the_arithmetic_of_every_layer_type_is_available(layer):
    net = nn.Sequential(nn.Conv2d(4, 4, 1), layer)
    out = net.eval()(x := torch.randn(1, 4, 5, 5)).detach()
    for index in [(0,) * (out.ndim - 1), tuple(side - 1 for side in out.shape[1:])]:
        found = unit(net, x, "1", index[0], (*index[1:], 0, 0)[:2])
        assert found.value == float(out[(0, *index)])
        assert all(abs(step.sum - step.value) <= step.bound for step in found.steps)
        assert "other" not in {step.op for step in found.steps}


def test_a_residual_block_names_its_summands_and_a_gate_its_layer():
    model = network("se_resnet18", 32, width=16)
    found = unit(model, torch.randn(1, 2, 32, 32), "stages.0.0", 1, (3, 3))
    assert [step.op for step in found.steps] == ["add", "activation"]
    assert found.steps[0].description == "sum of stages.0.0.body and stages.0.pool"
    gate = unit(model, torch.randn(1, 2, 32, 32), "stages.0.0.body", 1, (3, 3)).steps[-1]
    names = unit(model, torch.randn(1, 2, 32, 32), "stages.0.0.body", 1, (3, 3)).names
    assert gate.op == "gate"
    assert names[gate.parameters["gate_layer"]].endswith("gate")


def test_terms_can_be_followed_to_the_pixels():
    model, x = network("unet", 16, width=4, depth=2), torch.randn(1, 2, 16, 16)
    layer, position, operations = "head", (0, 5, 6), []
    while layer != "input":
        found = unit(model, x, layer, position[0], position[1:])
        operations += [step.op for step in found.steps]
        term = next(term for term in found.steps[0].terms if term.chosen and not term.padded)
        layer, position = found.names[term.source], (*term.position, 0, 0)[:3]
        assert term.value == unit(model, x, layer, position[0], position[1:]).value
    assert {"convolution", "concatenate", "activation"} <= set(operations)


def test_the_networks_state_is_restored():
    model = network("resnet18", 32, width=8)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    unit(model, torch.randn(1, 2, 32, 32), "stem", 0)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(weight.requires_grad and weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("stm", 0), ModelError, "layer stm: the network has no such layer; did you mean stem?"),
        (("stem", 99), ConfigError, "channel: no 99 in layer stem, which has 8; choose from 0 to 7"),
        (("stem", 0, (0, 32)), ConfigError, "column: no 32 in layer stem, which has 32; choose from 0 to 31"),
        (("stem", 0, (-1, 0)), ConfigError, "row: no -1 in layer stem, which has 32; choose from 0 to 31"),
        (("@9999", 0), ModelError, "layer @9999: the trace has 69 values; choose a layer by its name"),
    ],
)
def test_an_unknown_layer_or_position_is_an_error(arguments, error, message):
    model = network("resnet18", 32, width=8, stem="small")
    with pytest.raises(error) as caught:
        unit(model, torch.randn(1, 2, 32, 32), *arguments)
    assert str(caught.value) == message
