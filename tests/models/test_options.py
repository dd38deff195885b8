"""Options common to all networks, and auxiliary classifiers."""

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn

from convscope.errors import ModelError
from convscope.models import MODELS, Outputs, remove_auxiliary, with_auxiliary_loss
from convscope.models.components import ACTIVATIONS, NORMS, PADDINGS, POOLINGS, PoolSettings, resolve_component
from convscope.models.layers import LayerFactory
from convscope.models.shape_inference import run_on_meta
from convscope.models.summary.trace import trace
from helpers.narrow_networks import NARROW, meta_model

X = torch.rand(2, 3, 32, 32)


def narrow(**options) -> nn.Module:
    return MODELS["resnet18"](4, width=4, depths=(1, 1), stem="small", **options)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "leaky:0.3"])
def test_every_activation_can_be_chosen(activation) -> None:
    model = narrow(activation=activation)
    assert type(model.stem.act) is type(resolve_component(ACTIVATIONS, activation, "")())
    assert torch.isfinite(model(X)).all()


def test_activations_have_their_known_ranges() -> None:
    """Sigmoid is not centred on zero, tanh is; the leaky slope is set by the options."""
    x = torch.linspace(-5, 5, 101)
    made = {name: resolve_component(ACTIVATIONS, name, "")()(x) for name in ("relu", "sigmoid", "tanh", "leaky:0.2")}
    assert torch.equal(made["relu"], x.clamp(min=0))
    assert ((made["sigmoid"] > 0) & (made["sigmoid"] < 1)).all()
    assert made["sigmoid"].mean().item() == pytest.approx(0.5)
    assert made["tanh"].mean().item() == pytest.approx(0, abs=1e-6)
    assert made["leaky:0.2"][0].item() == pytest.approx(-1)


@pytest.mark.parametrize("norm", [*NORMS, "group:4", "batch:0.001", "lrn:3"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_every_norm_can_be_chosen_in_every_dimension(norm, rank) -> None:
    model = narrow(norm=norm, rank=rank)
    assert model(torch.rand(2, 3, *(12,) * rank)).shape == (2, 4)


@pytest.mark.parametrize(
    ("name", "behind"), [("resnet18", 9), ("resnet50", 33), ("googlenet", 57), ("mobilenet_v2", 35), ("unet", 18)]
)
def test_norms_can_follow_activations(name, behind) -> None:
    """Without an activation, as before an addition, the norm follows its convolution."""
    for last in (False, True):
        with torch.device("meta"):
            model = MODELS[name](4, channels=3, norm="batch", norm_last=last)
        kinds = [
            row.layer_type for row in trace(model, (3, 64, 64)) if row.layer_type.startswith(("Conv", "ReLU", "Batch"))
        ]
        before = [kind for kind, next_one in pairwise(kinds) if next_one.startswith("Batch")]
        assert sum(kind.startswith("ReLU") for kind in before) == last * behind
        assert len(before) == kinds.count("BatchNorm2d")


def test_the_momentum_of_batch_norm_can_be_chosen() -> None:
    norm = narrow(momentum=0.25).stem.norm
    norm(torch.ones(2, 4, 3, 3))
    assert torch.allclose(norm.running_mean, torch.full((4,), 0.25))
    assert narrow(norm="group:4", momentum=0.25)(X).shape == (2, 4)
    with pytest.raises(ModelError, match="option momentum is 2"):
        narrow(momentum=2)


def test_a_layer_with_norm_last_has_a_normalised_output() -> None:
    unit = LayerFactory(norm_last=True).conv_norm_act(3, 8, 3)
    assert unit.conv.bias is not None
    found = unit(X)
    assert found.mean((0, 2, 3)).abs().max() < 1e-5
    assert torch.equal(found, unit.norm(unit.conv(X).relu()))


def test_airbench_rejects_norm_last() -> None:
    with pytest.raises(ModelError, match="remove norm_last"):
        MODELS["airbench"](4, norm_last=True)


def test_batch_norm_has_momentum_a_tenth_and_ignores_the_batch_in_evaluation() -> None:
    norm = NORMS["batch"](3, 2)
    norm.running_mean.fill_(2.0)
    norm(X)
    assert torch.allclose(norm.running_mean, 0.9 * torch.full((3,), 2.0) + 0.1 * X.mean((0, 2, 3)))
    norm.eval()
    assert torch.equal(norm(X)[:1], norm(X[:1]))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_every_pooling_halves_the_map(pooling, rank) -> None:
    pool = POOLINGS[pooling](PoolSettings(3, 2, 2, rank=rank))
    assert pool(torch.rand(2, 3, *(8,) * rank)).shape == (2, 3, *(4,) * rank)
    assert (sum(one.numel() for one in pool.parameters()) > 0) == (pooling == "strided")


def test_blur_pooling_changes_less_under_a_shift_of_one_pixel() -> None:
    x = torch.rand(1, 1, 64, 64)

    def moves(name: str) -> float:
        pool = POOLINGS[name](PoolSettings(1))
        return float((pool(x)[..., 1:-1] - pool(x.roll(1, -1))[..., 1:-1]).abs().mean())

    assert moves("blur") < 0.5 * moves("max")


@pytest.mark.parametrize("padding", [name for name in PADDINGS if name != "none"])
def test_every_padding_keeps_the_size_and_all_but_zeros_keep_a_constant_map(padding) -> None:
    model = MODELS["vgg11"](4, width=4, head="gap", widths=(), padding=padding, activation="none")
    maps = model.stem(torch.ones(1, 3, 32, 32))
    assert maps.shape == (1, 4, 32, 32)
    assert (maps.std((2, 3)).max().item() < 1e-6) == (padding != "zeros")


def test_pooling_heads_accept_any_size_and_flatten_names_both_sizes_in_its_error() -> None:
    free = narrow()
    assert free.eval()(torch.rand(1, 3, 256 // 8, 224 // 8)).shape == (1, 4)
    fixed = narrow(head="flatten", size=(32, 32), widths=(16, 8))
    assert [name for name, _ in fixed.head.named_children()] == [
        "flatten", "fc1", "act1", "drop1", "fc2", "act2", "drop2", "fc",
    ]  # fmt: skip
    with pytest.raises(ModelError) as caught:
        fixed.eval()(torch.rand(1, 3, 36, 36))
    assert str(caught.value) == (
        "resnet: built for 32x32 and the input is 36x36; resize to 32x32 or build it with size=(36, 36)"
    )
    grid = narrow(head="grid:2").eval()
    assert grid.head.fc.in_features == 8 * 4
    assert grid(torch.rand(1, 3, 40, 48)).shape == (1, 4)


def test_dropout_is_in_the_head_keeps_the_mean_and_is_off_in_evaluation() -> None:
    model = narrow(dropout=0.3)
    drop = model.head.drop
    assert drop(torch.ones(100_000)).mean().item() == pytest.approx(1, abs=0.02)
    assert torch.equal(drop.eval()(torch.ones(9)), torch.ones(9))


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "googlenet", "mobilenet_v2", "alexnet"])
def test_networks_of_images_exist_for_series_and_volumes_too(name) -> None:
    narrow_options = {
        "resnet18": {"width": 4}, "mobilenet_v2": {"multiplier": 0.2},
        "vgg11": {"width": 4, "head": "gap", "widths": ()},
        "alexnet": {"filters": (4, 4, 4, 4, 4), "head": "gap", "widths": ()},
    }.get(name, {})  # fmt: skip
    with torch.device("meta"):
        for rank, kind in ((1, nn.Conv1d), (3, nn.Conv3d)):
            model = MODELS[name](4, channels=2, rank=rank, **narrow_options)
            assert any(isinstance(one, kind) for one in model.modules())
            assert model.eval()(torch.empty(2, 2, *(96,) * rank)).shape == (2, 4)


def test_custom_functions_can_be_given_instead_of_names() -> None:
    model = narrow(activation=nn.Hardswish, norm=lambda channels, rank: nn.InstanceNorm2d(channels, affine=True))  # noqa: ARG005
    assert isinstance(model.stem.act, nn.Hardswish)
    assert model(X).shape == (2, 4)


@pytest.mark.parametrize("name", ["resnet18", "vgg11_bn", "mobilenet_v2", "squeezenet1_1", "googlenet", "lenet"])
def test_auxiliary_classifiers_work_on_any_stage_in_training_only_and_can_be_removed(name) -> None:
    side = 32 if name == "lenet" else 64
    options = {"resnet18": {"width": 4}, "vgg11_bn": {"width": 4, "head": "gap", "widths": ()}}.get(name, {})
    model = MODELS[name](5, channels=3, auxiliary=(0, 1), **options)
    x, y = torch.rand(3, 3, side, side), torch.tensor([0, 1, 4])
    output = model.train()(x)
    assert isinstance(output, Outputs)
    assert [tuple(one.shape) for one in (output.logits, *output.auxiliary)] == [(3, 5)] * 3
    loss = nn.CrossEntropyLoss()
    by_hand = loss(output.logits, y) + 0.3 * loss(output.auxiliary[0], y) + 0.3 * loss(output.auxiliary[1], y)
    assert with_auxiliary_loss(loss)(output, y).item() == pytest.approx(by_hand.item())
    assert with_auxiliary_loss(loss, 0.1)(output.logits, y) == loss(output.logits, y)
    model.eval()
    bare = remove_auxiliary(model)
    assert torch.equal(model(x), bare(x))
    assert not [key for key in bare.state_dict() if key.startswith("auxiliary")]
    assert [key for key in model.state_dict() if key.startswith("auxiliary")]
    program = torch.export.export(bare, (x[:1],))
    assert not [key for key in program.state_dict if "auxiliary" in key]
    assert len(program.graph_signature.user_outputs) == 1


def test_auxiliary_classifiers_increase_the_gradient_of_early_layers() -> None:
    model = MODELS["vgg11"](5, width=4, head="gap", widths=(), auxiliary=(1,), activation="sigmoid")
    x, y, loss = torch.rand(4, 3, 64, 64), torch.arange(4), with_auxiliary_loss(nn.CrossEntropyLoss())

    def early(network: nn.Module) -> float:
        network = copy.deepcopy(network).train()
        loss(network(x), y).backward()
        return float(network.stem.conv1_1.conv.weight.grad.norm())

    assert early(model) > 2 * early(remove_auxiliary(model))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: narrow(auxiliary=(5,)),
            "resnet: no stage 5 for an auxiliary classifier; choose from 0 to 1",
        ),
        (
            lambda: MODELS["mlp"](4, size=8, head="gap"),
            "mlp: no option head; choose one of activation, dropout, norm, widths",
        ),
        (lambda: narrow(dropout=1.0), "resnet: option dropout is 1.0; it should be less than 1"),
        (lambda: MODELS["resnet18"](4, width=-1), "resnet: option width is -1; give whole numbers from 1"),
        (lambda: MODELS["vgg11"](4, depths=(2, 0)), "vgg: option depths is (2, 0); give whole numbers from 1"),
        (lambda: narrow(padding="mirror"), "padding: no mirror; choose one of circular, edge, none, reflect, zeros"),
    ],
)
def test_invalid_options_raise_an_error(make, message) -> None:
    with pytest.raises(ModelError) as caught:
        make()
    assert str(caught.value) == message


OVERLAPPING = ("lenet", "vgg11", "unet", "segnet", "resnet18", "googlenet", "squeezenet1_1", "alexnet")


@pytest.mark.parametrize("name", OVERLAPPING)
def test_the_window_of_every_pool_can_be_chosen_and_still_halves_the_maps(name) -> None:
    """A window of 3 with stride 2 overlaps; published pools of 3 keep their padding."""
    chosen = meta_model(name, pooling="max:3")
    default = meta_model(name)
    pools = [one for one in chosen.modules() if isinstance(one, nn.MaxPool2d)]
    assert pools
    assert all(pool.kernel_size == 3 for pool in pools if pool.stride == 2)
    side = NARROW[name][1]
    shapes = [
        [tuple(one.shape) for one in run_on_meta(model, model.features, (1, 3, side, side))]
        for model in (chosen, default)
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("pooling", ["average:3", "strided:3", "blur:3", "max:2", "max:4"])
def test_other_pools_have_a_window_too(pooling) -> None:
    model = MODELS["vgg11"](3, width=4, head="gap", widths=(), pooling=pooling).eval()
    assert model.features(torch.rand(1, 3, 64, 64))[-1].shape[2:] == (2, 2)


def test_a_window_of_a_pool_is_a_whole_number() -> None:
    for number, shown in (("0", "0"), ("2.5", "2.5"), ("-1", "-1")):
        with pytest.raises(ModelError) as caught:
            MODELS["vgg11"](3, width=4, pooling=f"max:{number}")
        assert str(caught.value) == f"pooling: window {shown}; give a whole number from 1, as in max:3"
