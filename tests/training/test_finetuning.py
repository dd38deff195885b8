"""Fine-tuning plans and freezing: frozen tensors do not change."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from convscope.errors import ConfigError
from convscope.models import MODELS
from convscope.models.layers import named
from convscope.training import (
    Epoch,
    ExponentialAverage,
    OptimiserSettings,
    PlanSettings,
    State,
    StepSettings,
    UnfreezingCheck,
    build_plan_optimiser,
    digests,
    forward_parts,
    freeze,
    is_part_chain,
    load,
    make_plan,
    num_fixed,
    parts,
    run,
    save,
    train_mode,
)
from helpers.narrow_networks import NARROW, make, quick

RATE = 0.05


def network(**changes) -> nn.Module:
    """Stem, two stages with batch norm, a head of two layers with dropout."""
    model = nn.Module()
    model.stem = named(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4), act=nn.ReLU())
    model.stages = nn.Sequential(
        named(conv=nn.Conv2d(4, 6, 3), norm=nn.BatchNorm2d(6), act=nn.ReLU()), named(conv=nn.Conv2d(6, 8, 3))
    )
    model.head = named(
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc1=nn.Linear(8, 8), act1=nn.ReLU(),
        drop1=nn.Dropout(0.5), fc=nn.Linear(8, 3),
    )  # fmt: skip
    for name, module in changes.items():
        setattr(model, name, module)
    model.forward = lambda x: model.head(model.stages(model.stem(x)))
    return model


def batches(side: int = 12, channels: int = 3, count: int = 2):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(count, 4, channels, side, side, generator=generator)
    return lambda _epoch: iter([(one, torch.tensor([0, 1, 2, 0])) for one in x])


def loss(output, y):
    while not isinstance(output, torch.Tensor):  # with auxiliary classifiers
        output = output[0]
    return functional.cross_entropy(output if output.dim() == 2 else output.mean((2, 3)), y)


def train(model, plan, data, epochs=2, **more) -> State:
    optimiser = build_plan_optimiser(model, OptimiserSettings(learning_rate=RATE, weight_decay=0.1), plan)
    average = ExponentialAverage(model) if more.pop("averaged", False) else None
    state = State(model, optimiser, average, StepSettings(**more))
    epoch = 1
    while epoch <= epochs:
        freeze(model, plan, epoch)
        list(run(state, data, loss, lambda _step: 1.0, epoch, lambda _model: {}))
        epoch += 1
    return state


@pytest.mark.parametrize(("layers", "trained"), [(1, 20_485), (2, 16_801_797), (3, 54_554_629)])
def test_alexnet_with_five_classes_trains_only_the_parameters_of_its_new_layers(layers, trained):
    with torch.device("meta"):
        model = MODELS["alexnet"](5)
    plan = make_plan(model, PlanSettings(replace_fc=layers), RATE)
    assert plan.num_trained(1) == trained
    freeze(model, plan, 1)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == trained


def test_parts_are_unfrozen_from_the_last_with_decreasing_rates():
    settings = PlanSettings(unfreeze_at=3, unfreeze_every=2, encoder_lr="0.1x", layer_lr_decay=0.5)
    plan = make_plan(network(), settings, RATE)
    summary = [(row.part, row.trained_from, row.lr_factor) for row in plan.rows if row.num_parameters]
    assert summary == [
        ("stem", 9, 0.0125), ("stages.0", 7, 0.025), ("stages.1", 5, 0.05), ("head.fc1", 3, 0.1), ("head.fc", 1, 1.0),
    ]  # fmt: skip
    assert plan.changes(epochs=8) == [1, 3, 5, 7]
    assert plan.unfreezes_at == 3
    assert [plan.num_frozen(epoch) for epoch in (1, 3, 5, 9)] == [6, 3, 2, 0]


def test_after_unfreezing_the_encoder_has_a_lower_rate_than_the_head():
    model = network()
    plan = make_plan(model, PlanSettings(unfreeze_at=2, encoder_lr="1e-3", layer_lr_decay=0.5), RATE)
    optimiser = build_plan_optimiser(model, OptimiserSettings(learning_rate=RATE), plan)
    rate = {p: group["lr"] for group in optimiser.param_groups for p in group["params"]}
    rates = [rate[next(part.parameters())] for _, part in parts(model) if next(part.parameters(), None) is not None]
    assert rates == pytest.approx([1.25e-4, 2.5e-4, 5e-4, 1e-3, RATE])


def test_the_number_of_unfrozen_parts_is_limited():
    plan = make_plan(network(), PlanSettings(unfreeze_at=2, unfreeze_every=1, unfreeze_parts=2), RATE)
    assert [row.trained_from for row in plan.rows if row.num_parameters] == [None, None, 3, 2, 1]
    assert plan.unfreezes_at == 2


def test_by_default_all_parts_are_unfrozen_in_one_epoch():
    plan = make_plan(network(), PlanSettings(unfreeze_at=2), RATE)
    assert [row.trained_from for row in plan.rows if row.num_parameters] == [2, 2, 2, 2, 1]


@pytest.mark.parametrize("update", [False, True])
def test_unfrozen_norms_keep_the_statistics_of_the_pretraining_unless_told_otherwise(update):
    model = network()
    plan = make_plan(model, PlanSettings(unfreeze_at=1, update_norms=update), RATE)
    norm = model.stages[0].norm
    before = [one.clone() for one in (norm.running_mean, norm.weight)]
    train(model, plan, batches(), epochs=1)
    assert torch.equal(norm.running_mean, before[0]) is not update
    assert not torch.equal(norm.weight, before[1]), "scale and shift are trained"


def test_a_plan_that_unfreezes_at_once_has_no_frozen_stage():
    plan = make_plan(network(), PlanSettings(unfreeze_at=1, unfreeze_parts=4), RATE)
    assert plan.unfreezes_at == 1


@quick
@pytest.mark.parametrize("micro_batch", [None, 3])
def test_frozen_tensors_are_bit_identical_after_training_in_every_family(name, micro_batch):
    """With weight decay, momentum and gradient accumulation; includes batch norm's running statistics."""
    model = make(name).train()
    plan = make_plan(model, PlanSettings(), RATE)
    before = digests(model, plan, 1)
    fresh = {key: one.clone() for key, one in model.state_dict().items() if key not in before}
    train(model, plan, batches(NARROW[name][1]), micro_batch=micro_batch)
    assert digests(model, plan, 1) == before
    moved = [key for key, one in model.state_dict().items() if key in fresh and not torch.equal(one, fresh[key])]
    assert moved
    if name not in ("mlp",):
        assert any(key.startswith("stages") for key in before)
    if "resnet" in name:
        assert "stem.norm.running_mean" in before


def test_a_planted_leak_is_detected():
    """The check itself is tested: batch norm in train mode changes its running statistics."""
    model = network()
    plan = make_plan(model, PlanSettings(), RATE)
    before = digests(model, plan, 1)
    freeze(model, plan, 1)
    model.stem.norm.train()
    with torch.no_grad():
        model(torch.rand(2, 3, 12, 12))
    changed = {name for name, digest in digests(model, plan, 1).items() if digest != before[name]}
    assert changed == {"stem.norm.running_mean", "stem.norm.running_var", "stem.norm.num_batches_tracked"}


def test_the_ema_does_not_change_frozen_parameters():
    model = network()
    plan = make_plan(model, PlanSettings(), RATE)
    before = digests(model, plan, 1)
    state = train(model, plan, batches(), averaged=True)
    assert digests(state.average.module, plan, 1) == before


def test_a_resumed_run_ends_with_the_same_bits_and_has_frozen_the_same(tmp_path):
    settings = PlanSettings(unfreeze_at=3, unfreeze_parts=1)

    def fresh():
        torch.manual_seed(0)
        model = network()
        return model, make_plan(model, settings, RATE)

    model, plan = fresh()
    before = digests(model, plan, 3)
    straight = train(model, plan, batches(), epochs=4)
    model, plan = fresh()
    save(train(model, plan, batches(), epochs=2), tmp_path)
    model, plan = fresh()
    state = State(model, build_plan_optimiser(model, OptimiserSettings(learning_rate=RATE, weight_decay=0.1), plan))
    state.load_state_dict(load(tmp_path))
    for epoch in (3, 4):
        freeze(model, plan, epoch)
        list(run(state, batches(), loss, lambda _step: 1.0, epoch, lambda _model: {}))
    assert all(
        torch.equal(a, b)
        for a, b in zip(model.state_dict().values(), straight.model.state_dict().values(), strict=True)
    )
    assert digests(model, plan, 3) == before


def test_evaluating_in_between_leaves_the_frozen_parts_in_eval_mode():
    model = network()
    plan = make_plan(model, PlanSettings(), RATE)
    freeze(model, plan, 1)
    with train_mode(model, training=False):
        assert not model.head.training
    assert not model.stem.norm.training
    assert not model.head.fc1.training
    assert model.head.drop1.training
    assert model.head.fc.training


def test_fixed_parts_include_pools_but_not_dropout():
    model = network()
    assert num_fixed(model, make_plan(model, PlanSettings(replace_fc=2), RATE), 1) == 5
    assert [name for name, _ in parts(model)][:5] == ["stem", "stages.0", "stages.1", "head.pool", "head.flatten"]
    assert num_fixed(model, make_plan(model, PlanSettings(replace_fc=1), RATE), 1) == 7, "the activation, not dropout"


@quick
def test_whether_a_network_equals_its_parts_in_sequence(name):
    model, side = make(name), NARROW[name][1]
    x = torch.rand(2, 3, side, side)
    assert is_part_chain(model, x) == (name not in ("unet", "segnet"))
    if is_part_chain(model, x):
        with torch.no_grad():
            assert torch.equal(forward_parts(model, forward_parts(model, x, 0, 2), 2), model(x))


def test_training_on_cached_features_equals_training_on_images():
    """Bit-identical weights, with the frozen part computed once or in each step."""
    model = network(head=named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(8, 3)))
    twin = copy.deepcopy(model)
    twin.forward = lambda x: twin.head(twin.stages(twin.stem(x)))
    plan = make_plan(model, PlanSettings(), RATE)
    anew = train(model, plan, batches(), epochs=3)
    freeze(twin, plan, 1)
    with torch.no_grad():
        kept = [(forward_parts(twin, x, 0, 5), y) for x, y in batches()(0)]
    state = State(twin, build_plan_optimiser(twin, OptimiserSettings(learning_rate=RATE, weight_decay=0.1), plan))
    freeze(twin, plan, 1)
    state.forward = lambda model, x: forward_parts(model, x, 5)
    epochs = list(run(state, lambda _epoch: iter(kept), loss, lambda _step: 1.0, 3, lambda _model: {}))
    assert sum(isinstance(one, Epoch) for one in epochs) == 3
    assert torch.equal(twin.head.fc.weight, anew.model.head.fc.weight)


def test_degradation_after_unfreezing_is_detected():
    watch = UnfreezingCheck()
    watch.update(1, 0.5, is_frozen=True)
    watch.update(2, 0.9, is_frozen=True)
    assert not watch.degraded
    watch.update(3, 0.9, is_frozen=False)
    assert not watch.degraded, "as good is no fall"
    watch.update(4, float("nan"), is_frozen=False)
    assert watch.degraded
    again = UnfreezingCheck()
    again.load_state_dict(watch.state_dict())
    assert (again.degraded, again.frozen, again.frozen_epoch) == (True, 0.9, 2)


def test_settings_beyond_the_network_raise_an_error():
    few = "transfer.replace_fc is 3, but the head has 2 layers with weights; give 0 to 2"
    with pytest.raises(ConfigError) as refused:
        make_plan(network(), PlanSettings(replace_fc=3), RATE)
    assert str(refused.value) == few
    with pytest.raises(ConfigError) as refused:
        make_plan(network(), PlanSettings(unfreeze_at=2, unfreeze_parts=5), RATE)
    assert str(refused.value) == ("transfer.unfreeze_parts is 5, but 4 parts can be frozen; give 1 to 4, or 0 for all")
    with pytest.raises(ConfigError) as refused:
        make_plan(nn.Linear(2, 2), PlanSettings(), RATE)
    assert str(refused.value) == ("transfer: Linear has no stem; give a network with stem, stages and head")


def test_muon_is_rejected():
    model = network()
    with pytest.raises(ConfigError) as refused:
        build_plan_optimiser(model, OptimiserSettings(name="muon"), make_plan(model, PlanSettings(), RATE))
    assert str(refused.value) == (
        "optimiser.name is muon, which supports only training from scratch; choose adamw or sgd with --from"
    )
