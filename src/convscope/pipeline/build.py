"""Builds a training session from a recipe and the data."""

import hashlib
from itertools import islice

import torch
from torch import Tensor

from convscope.bundle import BundleConfig, refuse_places
from convscope.data import Batches
from convscope.devices import chosen_device, use_cores
from convscope.errors import ConfigError
from convscope.models import begins_whitened, whiten
from convscope.modules import channels_last
from convscope.pipeline.network import architecture, fitting, network, task_for
from convscope.pipeline.session import REPORT_SECONDS, Trainee
from convscope.pipeline.stages import Legs
from convscope.runs.batching import batch_settings
from convscope.runs.loaders import Prepared
from convscope.runs.pretrained import Origin
from convscope.runs.recipe import Recipe
from convscope.tasks import Task
from convscope.training import (
    Average,
    Clock,
    Compiled,
    Patience,
    Plateau,
    State,
    Watch,
    build_optimiser,
    build_plan_optimiser,
    build_schedule,
    deterministic,
    make_plan,
    precision_context,
    seed_everything,
)

NEVER = 10**9  # epochs of patience


def begin(prepared: Prepared, recipe: Recipe, began: float, origin: Origin | None = None) -> Trainee:
    """Assemble everything anew, with cores, kernels and random generators as the recipe says.

    Args:
        prepared: the images.
        recipe: all settings.
        began: when the run was started, by `time.monotonic`: a budget counts from there.
        origin: the weights to begin with; None: new ones, or those of a checkpoint that is loaded next.

    Raises:
        ConfigError: the budget is spent already.
    """
    use_cores(recipe.train.threads or None)
    deterministic()
    seed_everything(recipe.seed)
    trainee = assemble(prepared, recipe, chosen_device(recipe.train.device), origin)
    if trainee.clock:
        trainee.clock.started = began
        _refuse_too_little_time(trainee.clock)
    return trainee


def _refuse_too_little_time(clock: Clock) -> None:
    if clock() >= 1:
        raise ConfigError(
            f"train.budget is {clock.seconds:g} s, of which {clock.spent:.1f} s went by before the first step and "
            f"{clock.reserve:g} s are kept for the report; give more"
        )


def assemble(prepared: Prepared, recipe: Recipe, device: torch.device, origin: Origin | None = None) -> Trainee:
    """Build everything new from the recipe; random weights come from torch's generator, which the caller has seeded."""
    train = prepared.batches("train", batch_settings(prepared, recipe, device, training=True))
    validation = prepared.batches("validation", batch_settings(prepared, recipe, device, training=False))
    task = task_for(recipe, prepared.dataset, prepared.dataset.targets[prepared.rows("train")])
    _refuse_what_does_not_fit(recipe, task)
    model = network(recipe, task)
    plan = make_plan(model, recipe.transfer, recipe.optimiser.rate) if recipe.transfer.weights else None
    if origin:
        model.load_state_dict(fitting(model, origin, recipe.transfer.replace_fc), strict=False)
    model = channels_last(model, device).to(device)
    if begins_whitened(model) and not plan:
        whiten(model, first_images(train))
    clock = Clock(recipe.train.budget, REPORT_SECONDS) if recipe.train.budget else None
    best = Patience(recipe.train.stop_patience or NEVER, mode="max")
    schedule = build_schedule(recipe.schedule, total_steps=recipe.train.epochs * len(train), clock=clock, mode="max")
    average = Average(model, recipe.train.average) if recipe.train.average else None
    state = State(
        model,
        build_plan_optimiser(model, recipe.optimiser, plan) if plan else build_optimiser(model, recipe.optimiser),
        average,
        recipe.step,
        precision_context(recipe.train.precision, device),
    )
    legs, watch = (Legs(plan), Watch()) if plan else (None, None)
    plateau = schedule if isinstance(schedule, Plateau) else None
    compiled = None if plan else compiled_for(recipe, device)
    state.enter = compiled or state.enter
    memories = {"best": best, "clock": clock, "plateau": plateau, "legs": legs, "watch": watch, "compiled": compiled}
    state.extras = {name: memory for name, memory in memories.items() if memory is not None}
    config = BundleConfig(
        task=task.name,
        classes=task.classes,
        architecture=architecture(recipe, task),
        preprocessing=prepared.preprocessing,
        weights=sum(parameter.numel() for parameter in model.parameters()),
        task_settings=task.settings(),
        origin=origin.told if origin else {},
        mirrored=recipe.augment.mirror,
    )
    images = told_apart(prepared)
    return Trainee(recipe, task, config, state, train, validation, schedule, best, clock, images, legs, watch, compiled)


def compiled_for(recipe: Recipe, device: torch.device) -> Compiled:
    """Open on a GPU; on a CPU nothing is compiled unless it is asked for (docs/recipes.md)."""
    wanted = recipe.train.compile
    if wanted == "auto" and device.type == "cuda":
        return Compiled(candidates=("always",) if recipe.step.micro_batch else ("always", "graphs"))
    return Compiled("never" if wanted == "auto" else wanted)


def told_apart(prepared: Prepared) -> str:
    """What changes with the images, how they are read, and which of them are trained on."""
    whole = f"{prepared.dataset.fingerprint()} {prepared.preprocessing} {prepared.role.tolist()}"
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


def _refuse_what_does_not_fit(recipe: Recipe, task: Task) -> None:
    if recipe.augment.mix != "none" and not task.mixes:
        raise ConfigError(f"augment.mix is {recipe.augment.mix!r}, which the task {task.name} cannot use; take it out")
    if recipe.train.crops != "auto":
        refuse_places(task.takes, recipe.train.crops)
    if recipe.train.compile == "graphs" and recipe.step.micro_batch:
        raise ConfigError(
            "train.compile is 'graphs', and CUDA graphs cannot add up the gradients of a step.micro_batch; "
            "set train.compile to 'always', or take step.micro_batch out"
        )
    if recipe.train.balanced_batches and task.takes != "classes":
        raise ConfigError(f"train.balanced_batches needs one class per image, not {task.takes}; take it out")


def first_images(train: Batches, count: int = 5000) -> Tensor:
    """Some training images as the network will see them, drawn at random but always the same."""
    plain = train.looking(shuffle=True)
    return torch.cat([x for x, _ in islice(plain(0), -(-count // plain.settings.batch))])
