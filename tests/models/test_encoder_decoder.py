"""U-Net and SegNet: upsampling by hand, any encoder, any size."""

import copy

import pytest
import torch
from torch import nn

from convscope.errors import ModelError
from convscope.models import MODELS, Architecture, build, summarize
from convscope.models.shape_inference import run_on_meta
from convscope.models.summary.trace import trace
from convscope.models.upsample import bilinear, max_unpool, nearest
from helpers.gradient_support import agrees, positive

TWO = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])


def test_nearest_upsampling_repeats_each_value_and_has_no_parameters() -> None:
    """2x2 to 4x4."""
    assert nearest(TWO, (4, 4))[0, 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]


def test_unpooling_puts_values_at_the_pooling_indices() -> None:
    """2x2 to 4x4 with the pooling indices."""
    fine = torch.tensor([[[[9.0, 0, 0, 0], [0, 0, 0, 9], [0, 0, 9, 0], [0, 9, 0, 0]]]])
    by_hand = [[1, 0, 0, 0], [0, 0, 0, 2], [0, 0, 4, 0], [0, 3, 0, 0]]
    assert max_unpool(TWO, fine)[0, 0].tolist() == by_hand
    pooled, indices = nn.functional.max_pool2d(fine, 2, return_indices=True)
    assert torch.equal(max_unpool(pooled, fine), nn.functional.max_unpool2d(pooled, indices, 2))


@pytest.mark.parametrize("sides", [(5, 7), (6, 4), (9, 4)])
def test_unpooling_to_sides_that_are_no_multiple_keeps_every_value(sides) -> None:
    fine = torch.rand(2, 3, *sides)
    out = max_unpool(torch.rand(2, 3, 2, 2) + 1, fine)
    assert out.shape == fine.shape
    assert ((out != 0).sum((2, 3)) >= 3).all()


def test_bilinear_keeps_a_constant_map_in_all_dimensions() -> None:
    for rank in (1, 2, 3):
        assert torch.equal(bilinear(torch.ones(1, 1, *[2] * rank), (4,) * rank), torch.ones(1, 1, *[4] * rank))


def test_the_published_u_net_crops_borders_and_the_padded_one_keeps_the_size() -> None:
    with torch.device("meta"):
        published, padded = MODELS["unet"](padding="none"), MODELS["unet"]()
    assert run_on_meta(published, published, (1, 1, 572, 572)).shape == (1, 2, 388, 388)
    assert run_on_meta(padded, padded, (1, 1, 101, 67)).shape == (1, 2, 101, 67)
    with pytest.raises(ModelError) as caught:
        published(torch.empty(1, 1, 100, 100, device="meta"))
    assert str(caught.value) == "unet: an input of 100x100 is too small; the smallest that works is 188x188"


@pytest.mark.parametrize("upsample", ["nearest", "bilinear", "max_unpool", "transposed"])
@pytest.mark.parametrize("encoder", ["resnet18", "vgg11_bn", "alexnet", "squeezenet1_1", "mobilenet_v2"])
def test_every_encoder_works_in_a_u_net_with_every_upsampling(encoder, upsample) -> None:
    architecture = Architecture(
        name="unet", classes=3, channels=3, size=(75, 90), options={"encoder": encoder, "upsample": upsample}
    )
    with torch.device("meta"):
        model = build(Architecture.model_validate_json(architecture.model_dump_json()))
    assert run_on_meta(model, model, (2, 3, 75, 90)).shape == (2, 3, 75, 90)
    assert [name for name, _ in model.named_children()] == ["stem", "stages", "head", "auxiliary", "decoder"]


@pytest.mark.parametrize("upsample", ["nearest", "bilinear", "max_unpool", "transposed"])
def test_gradients_reach_every_parameter_with_every_upsampling(upsample) -> None:
    model = MODELS["unet"](2, channels=1, width=4, depth=2, upsample=upsample, activation="leaky:0.2")
    model(torch.rand(2, 1, 19, 22)).square().sum().backward()
    assert [name for name, one in model.named_parameters() if not one.grad.abs().sum() > 0] == []


@pytest.mark.parametrize("upsample", ["nearest", "bilinear", "transposed"])
def test_the_receptive_field_of_a_u_net_is_the_support_of_the_gradient(upsample) -> None:
    model = positive(
        MODELS["unet"](2, channels=1, width=2, depth=2, upsample=upsample, activation="none", pooling="average")
    )
    agrees((1, 96, 96), model, trace(model, (1, 96, 96))[-1])


def test_the_receptive_field_of_segnet_is_the_support_of_the_gradient() -> None:
    """With nearest upsampling, since the zeros of unpooling have no gradient."""
    model = positive(
        MODELS["segnet"](
            2, channels=1, width=2, depths=(1, 1, 2), upsample="nearest", activation="none", pooling="average"
        )
    )
    agrees((1, 96, 96), model, trace(model, (1, 96, 96))[-1])


def test_u_nets_and_segnets_exist_for_series_and_volumes() -> None:
    for name in ("unet", "segnet"):
        options = {"depth": 2} if name == "unet" else {"depths": (1, 1)}
        for rank, size in ((1, (50,)), (3, (9, 10, 11))):
            model = MODELS[name](3, channels=2, rank=rank, width=4, **options)
            assert model(torch.rand(2, 2, *size)).shape == (2, 3, *size)


def test_segnet_has_thirteen_convolutions_down_and_thirteen_up() -> None:
    with torch.device("meta"):
        model = MODELS["segnet"](12)
    convs = [name for name, one in model.named_modules() if isinstance(one, nn.Conv2d)]
    assert len([name for name in convs if name.startswith(("stem", "stages"))]) == 13
    assert len([name for name in convs if name.startswith(("decoder", "head"))]) == 13
    assert sum(one.numel() for one in model.parameters()) == 29_449_932
    assert summarize(model, (3, 64, 64)).other_parameters == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"padding": "none", "upsample": "max_unpool"},
            "unet: padding none needs the published encoder without max_unpool; choose zeros or edge",
        ),
        ({"upsample": "repeat"}, "upsample: no repeat; choose one of bilinear, max_unpool, nearest, transposed"),
        ({"encoder": "resnet17"}, "model: no network resnet17; did you mean resnet18?"),
        (
            {"encoder": "lenet"},
            "lenet: head flatten fits one image size and none is given; give size=(H, W) or head='gap'",
        ),
        (
            {"encoder": "resnet18", "width": 8},
            "unet: width applies to the published encoder only; set options of resnet18 in encoder_options",
        ),
        (
            {"encoder": "mlp", "encoder_options": {"size": 32}},
            "unet: encoder mlp accepts a single image size; choose another, such as resnet18",
        ),
    ],
)
def test_invalid_u_net_options_raise_an_error(options, message) -> None:
    with pytest.raises(ModelError) as caught:
        MODELS["unet"](2, channels=3, **options)
    assert str(caught.value) == message


def test_a_timm_network_works_as_encoder_and_as_classifier() -> None:
    pytest.importorskip("timm")
    model = build(Architecture(name="timm:resnet10t", classes=4, channels=3, size=(64, 64))).eval()
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(x), model.head(model.features(x)[-1]))
        assert [64 // one.shape[2] for one in model.features(x)] == [2, 4, 8, 16, 32]
    dense = build(
        Architecture(name="unet", classes=2, channels=3, size=(64, 50), options={"encoder": "timm:resnet10t"})
    )
    assert dense.eval()(x[..., :50]).shape == (2, 2, 64, 50)
    swin = build(Architecture(name="timm:swin_tiny_patch4_window7_224", classes=4, channels=3, size=(224, 224)))
    assert [one.shape[1] for one in run_on_meta(swin, swin.features, (1, 3, 224, 224))] == [96, 192, 384, 768]
    with pytest.raises(ModelError) as caught:
        build(Architecture(name="timm:resnet10tt", classes=4))
    assert str(caught.value) == "timm:resnet10tt: timm has no such network; did you mean resnet10t?"
    with pytest.raises(ModelError) as caught:
        build(Architecture(name="timm:resnet10t", classes=4, size=(64,)))
    assert str(caught.value) == "timm:resnet10t: rank is 1, but timm's networks need images; choose rank=2"


def test_without_timm_the_error_says_how_to_install_it(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(ModelError) as caught:
        build(Architecture(name="timm:resnet10t", classes=4))
    assert str(caught.value) == (
        "timm:resnet10t: timm cannot be used (import of timm halted; None in sys.modules); "
        "pip install 'convscope[timm]'"
    )


def test_the_full_resolution_network_keeps_the_size_and_has_a_small_receptive_field():
    summary = summarize(MODELS["full_resolution"](4, channels=3, width=8, depth=5), (3, 20, 30))
    assert {layer.output_shape[1:] for layer in summary.layers} == {(20, 30)}
    assert summary.last_maps().rf_size == (11, 11)


@pytest.mark.parametrize(
    ("name", "options"), [("unet", {"width": 4}), ("segnet", {"width": 2}), ("full_resolution", {"width": 4})]
)
def test_encoder_and_head_compose_to_the_network_at_any_size(name, options) -> None:
    """The head receives the maps of all stages, and crops what was added as padding; also in a copy."""
    model = MODELS[name](3, channels=3, **options).eval()
    duplicate = copy.deepcopy(model)
    for parameter in model.parameters():
        parameter.data.zero_()
    for one in (model, duplicate):
        for sides in ((64, 64), (37, 50)):
            x = torch.rand(1, 3, *sides)
            with torch.no_grad():
                encoded = one.encoder(x)
                assert encoded.sides == sides
                assert torch.equal(one.head(encoded), one(x))
                assert one(x).shape == (1, 3, *sides)
    assert duplicate(torch.rand(1, 3, 64, 64)).abs().max() > 0
