"""Contract suite for every network of the registry, with narrow widths to be fast."""

import copy
import io
from dataclasses import replace

import pytest
import torch
from torch import nn

from convscope.errors import ModelError
from convscope.models import MODELS, Architecture, EncoderDecoder, build
from convscope.models.components import SqueezeExcite
from convscope.models.input_check import accepts, smallest_side
from convscope.models.shape_inference import run_on_meta
from convscope.models.summary.trace import trace
from helpers.narrow_networks import NARROW, every, make, meta_model, quick


def images(name: str, count: int = 2, channels: int = 3) -> torch.Tensor:
    side = NARROW[name][1]
    return torch.rand(count, channels, side, side)


def test_every_registered_network_is_tested() -> None:
    assert set(NARROW) == set(MODELS)


@every
def test_logits_are_the_head_of_the_last_features(name) -> None:
    """The network is the composition of encoder and head."""
    model, x = make(name), images(name)
    with torch.no_grad():
        logits = model(x)
        if isinstance(model, EncoderDecoder):
            assert logits.shape == (2, 3, *x.shape[2:])
            assert torch.equal(logits, model.head(model.decode(model.pyramid(x))))
        else:
            assert logits.shape == (2, 3)
            assert torch.equal(logits, model.head(model.features(x)[-1]))
            assert torch.equal(model.features(x)[-1], model.encoder(x))
        assert torch.equal(logits, model.head(model.encoder(x)))
        assert torch.equal(model.features(x)[0], model.stages[0](model.stem(x)))
    assert torch.isfinite(logits).all()


@every
def test_features_are_finest_first_with_the_documented_strides(name) -> None:
    if name == "mlp":
        return
    model = meta_model(name, **({"head": "gap"} if name == "lenet" else {}))
    small, large = (run_on_meta(model, model.features, (1, 3, side, side)) for side in (512, 1536))
    assert len(small) == len(model.stages)
    assert [1024 / (b.shape[2] - a.shape[2]) for a, b in zip(small, large, strict=True)] == NARROW[name][2]
    sides = [one.shape[2] for one in run_on_meta(model, model.pyramid, (1, 3, 512, 512))]
    assert sides == sorted(set(sides), reverse=True)


@every
def test_gradients_reach_every_parameter(name) -> None:
    model = make(name, **({} if name == "assembled" else {"activation": "leaky:0.2", "dropout": 0.0}))
    for module in model.modules():  # a block initialised to the identity would give its convolutions no gradient
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.weight.data.uniform_(0.2, 0.6)
        if isinstance(module, SqueezeExcite):
            module.fc1.bias.data.fill_(3.0)  # its ReLU, with one or two units here, could be dead by chance
    (model(images(name)) * torch.randn(3, *[1] * (model(images(name)).dim() - 2))).square().sum().backward()
    learned = [(key, one) for key, one in model.named_parameters() if one.requires_grad]
    unreached = [key for key, one in learned if one.grad is None or not one.grad.abs().sum() > 0]
    assert unreached == []


@every
def test_the_output_of_an_image_does_not_depend_on_its_batch(name) -> None:
    model, x = make(name), images(name)
    with torch.no_grad():
        torch.testing.assert_close(model(x[:1]), model(x)[:1], rtol=1e-4, atol=1e-4)


@every
@pytest.mark.parametrize("channels", [1, 5])
def test_any_number_of_channels_is_accepted(name, channels) -> None:
    model = meta_model(name, channels=channels)
    assert run_on_meta(model, model, (2, channels, *images(name).shape[2:])).shape[:2] == (2, 3)


@every
def test_shape_inference_on_zeros_equals_the_meta_device(name, monkeypatch) -> None:
    shape = images(name).shape[1:]
    monkeypatch.setattr("convscope.models.shape_inference.MAX_REAL_PIXELS", 10**9)
    runs = [trace(made(name), shape) for made in (make, meta_model)]
    monkeypatch.setattr("convscope.models.shape_inference.MAX_REAL_PIXELS", 0)
    runs.append(trace(make(name), shape))
    by_zeros, by_zeros_as_weights, by_shapes = ([replace(row, module=None) for row in rows] for rows in runs)
    assert by_zeros == by_zeros_as_weights == by_shapes


@every
def test_odd_and_oblong_sizes_work_and_too_small_ones_are_rejected(name) -> None:
    model, side = meta_model(name), NARROW[name][1]
    if model.input_spec.size:
        with pytest.raises(ModelError) as caught:
            model(torch.empty(1, 3, side + 4, side, device="meta"))
        assert str(caught.value) == (
            f"{model.name}: built for {side}x{side} and the input is {side + 4}x{side}; "
            f"resize to {side}x{side} or build it with size=({side + 4}, {side})"
        )
        return
    for sides in ((side + 1, side + 13), (2 * side + 3, side)):
        logits = run_on_meta(model, model, (1, 3, *sides))
        assert logits.shape == ((1, 3, *sides) if isinstance(model, EncoderDecoder) else (1, 3))
    least = smallest_side(model)
    assert accepts(model, (3, least, least))
    if least > 1:
        with pytest.raises(ModelError) as caught:
            model(torch.empty(1, 3, least - 1, least - 1, device="meta"))
        given, works = f"{least - 1}x{least - 1}", f"{least}x{least}"
        assert (
            str(caught.value) == f"{model.name}: an input of {given} is too small; the smallest that works is {works}"
        )


@every
def test_an_architecture_in_json_rebuilds_the_network_and_loads_its_state(name) -> None:
    options, side, _ = NARROW[name]
    options = {key: value for key, value in options.items() if key != "size"}
    architecture = Architecture(name=name, classes=3, channels=3, size=(side, side), options=options)
    with torch.device("meta"):
        first = build(architecture)
        again = build(Architecture.model_validate_json(architecture.model_dump_json()))
    shapes = [(key, tensor.shape) for key, tensor in first.state_dict().items()]
    assert shapes == [(key, tensor.shape) for key, tensor in again.state_dict().items()]


@every
def test_copies_and_saved_states_have_the_same_output_and_share_no_memory(name) -> None:
    model, x = make(name), images(name, 1)
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    twin, loaded = copy.deepcopy(model), make(name)
    loaded.load_state_dict(torch.load(file, weights_only=True))
    with torch.no_grad():
        expected = model(x)
        assert torch.equal(twin(x), expected)
        assert torch.equal(loaded(x), expected)
        next(iter(twin.parameters())).zero_()
        assert torch.equal(model(x), expected)


@pytest.mark.slow
@quick
def test_torch_compile_traces_the_whole_network(name) -> None:
    model, x = make(name), images(name, 1)
    torch._dynamo.reset()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), model(x))


@quick
def test_torch_export_returns_the_networks_output_as_one_tensor(name) -> None:
    model, x = make(name), images(name, 1)
    program = torch.export.export(model, (x,))
    with torch.no_grad():
        torch.testing.assert_close(program.module()(x), model(x))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")  # inductor's own
@pytest.mark.parametrize("name", ["lenet", "resnet18", "unet"])
def test_inductor_compiles_it_too(name) -> None:
    model, x = make(name), images(name, 1)
    torch._dynamo.reset()
    with torch.no_grad():
        torch.testing.assert_close(torch.compile(model)(x), model(x), rtol=1e-4, atol=1e-4)
