"""Number formats and memory layout."""

from typing import NamedTuple

import pytest
import torch
from torch import nn

from convscope.errors import ConfigError
from convscope.modules import channels_last
from convscope.training import ExponentialAverage, State, build_optimiser, in_float32, precision_context, run
from helpers.toy_network import batches, cross_entropy, network

CPU = torch.device("cpu")


def says(monkeypatch, **capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)


def test_float32_changes_nothing_on_any_cpu(monkeypatch):
    says(monkeypatch, avx512_bf16=True)
    with precision_context("float32", CPU)():
        assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(
    ("capabilities", "wanted"),
    [({}, False), ({"avx512_f": True}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True)],
)
def test_auto_uses_bfloat16_if_the_cpu_supports_it(monkeypatch, capabilities, wanted):
    says(monkeypatch, **capabilities)
    with precision_context("auto", CPU)():
        assert torch.is_autocast_enabled("cpu") == wanted


def test_bfloat16_on_a_cpu_without_support_is_rejected(monkeypatch):
    says(monkeypatch, avx512_f=True)
    with pytest.raises(ConfigError) as caught:
        precision_context("bfloat16", CPU)
    assert str(caught.value) == (
        "precision: bfloat16 is slower than float32 on this CPU, which has no hardware support for it; "
        "choose float32 or auto"
    )


def test_the_network_computes_within_the_context_and_the_loss_in_float32():
    """Dense layers only, which are fast in bfloat16 on any CPU. Weights and gradients stay float32."""
    model, dtypes = nn.Sequential(nn.Flatten(), nn.Linear(36, 2)), []
    model.register_forward_hook(lambda _module, _given, output: dtypes.append(output.dtype))
    state = State(model, build_optimiser(model), precision=lambda: torch.autocast("cpu", torch.bfloat16))

    def loss(output, y):
        dtypes.append(output.dtype)
        return cross_entropy(output, y)

    next(run(state, batches, loss, lambda _: 1.0, 1, lambda _: {}))
    assert dtypes == [torch.bfloat16, torch.float32]
    assert {p.dtype for p in state.model.parameters()} == {p.grad.dtype for p in state.model.parameters()}


def test_every_tensor_of_an_output_is_converted_to_float32():
    class Pair(NamedTuple):
        logits: torch.Tensor
        more: tuple[torch.Tensor, ...]

    half, double = torch.zeros(1, dtype=torch.bfloat16), torch.zeros(1, dtype=torch.float64)
    found = in_float32(Pair(half, (half, double)))
    assert isinstance(found, Pair)
    assert [part.dtype for part in (found.logits, *found.more)] == [torch.float32, torch.float32, torch.float64]


def test_channels_last_changes_only_the_layout():
    model = nn.Sequential(nn.Conv2d(3, 4, 3))
    before = model[0].weight.clone()
    assert channels_last(model, torch.device("cuda")) is model
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(model[0].weight, before)


@pytest.mark.gpu
def test_on_a_gpu_it_trains_in_bfloat16_and_resumes():
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    device = torch.device("cuda")
    model = network().to(device)
    state = State(model, build_optimiser(model), ExponentialAverage(model), precision=precision_context("auto", device))

    def on_device(epoch):
        for x, y in batches(epoch):
            yield x.to(device), y.to(device)

    *_, last = run(state, on_device, cross_entropy, lambda _: 1.0, 2, lambda _: {})
    assert last.train["loss"] < 2
    state.load_state_dict(state.state_dict())


@pytest.mark.parametrize(("width", "last"), [(8, False), (15, False), (16, True)])
def test_networks_with_narrow_strided_shortcuts_keep_the_default_layout_on_a_cpu(width, last) -> None:
    """Their gradients in the other layout crash torch 2.13's CPU kernels."""
    network = nn.Sequential(nn.Conv2d(3, width, 3), nn.Conv2d(width, 32, 1, stride=2))
    channels_last(network, torch.device("cpu"))
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last) == last


def test_narrow_networks_without_strided_shortcuts_use_channels_last() -> None:
    network = channels_last(nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.Conv2d(8, 8, 1)), torch.device("cpu"))
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
