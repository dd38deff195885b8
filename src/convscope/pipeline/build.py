"""Build a training session from a recipe and the data."""

import hashlib
from itertools import islice

import torch
from torch import Tensor, nn

from convscope.bundle import BundleConfig
from convscope.datasets import Batches
from convscope.devices import requested_device, use_cores
from convscope.models import has_whitening_layer, whiten
from convscope.modules import channels_last
from convscope.pipeline.end_seconds import EndSeconds
from convscope.pipeline.network import architecture, matching_weights, network, task_for
from convscope.pipeline.session import TrainingSession
from convscope.pipeline.stages import Stages
from convscope.runs.batching import batch_settings
from convscope.runs.loaders import PreparedData
from convscope.runs.pretrained import PretrainedSource
from convscope.runs.recipe import Recipe
from convscope.tasks import Task
from convscope.training import (
    ONE_PROCESS,
    Compiled,
    EarlyStopping,
    ExponentialAverage,
    PlateauSchedule,
    Processes,
    State,
    TimeBudget,
    UnfreezingCheck,
    build_optimiser,
    build_plan_optimiser,
    build_schedule,
    deterministic,
    make_plan,
    precision_context,
    seed_everything,
)

NEVER = 10**9  # epochs of patience


def build_session(
    prepared: PreparedData,
    recipe: Recipe,
    started: float,
    origin: PretrainedSource | None = None,
    threads: int = 0,
    processes: Processes = ONE_PROCESS,
) -> TrainingSession:
    """Build a training session, with the threads, deterministic kernels and seeds of the recipe.

    Args:
        prepared: the images.
        recipe: all settings.
        started: the start of the run by `time.monotonic`, from which a budget counts.
        origin: pretrained weights; None: random ones, or those of a checkpoint that is loaded next.
        threads: used unless the recipe sets their number: of a resumed run the number with which it started, on which
            its sums depend; 0: one per core.
        processes: that train together.
    """
    use_cores(recipe.train.threads or threads or None)
    deterministic()
    seed_everything(recipe.seed)
    session = _assemble_session(prepared, recipe, requested_device(recipe.train.device), origin)
    session.state.processes = processes
    if session.clock:
        session.clock.agree = processes.from_first
        session.clock.started = started
    return session


def _assemble_session(
    prepared: PreparedData, recipe: Recipe, device: torch.device, origin: PretrainedSource | None = None
) -> TrainingSession:
    """Build the session; the initial weights come from torch's generator, which the caller has seeded."""
    train = prepared.batches("train", batch_settings(prepared, recipe, device, training=True))
    validation = prepared.batches("validation", batch_settings(prepared, recipe, device, training=False))
    task = task_for(recipe, prepared.dataset, prepared.dataset.targets[prepared.rows("train")])
    model = network(recipe, task)
    plan = make_plan(model, recipe.transfer, recipe.optimiser.rate) if recipe.transfer.checkpoint else None
    if origin:
        model.load_state_dict(matching_weights(model, origin, recipe.transfer.replace_fc), strict=False)
    model = channels_last(model, device).to(device)
    if has_whitening_layer(model) and not plan:
        whiten(model, first_images(train))
    clock, end_seconds = None, EndSeconds(len(validation.targets))
    if recipe.train.budget:
        clock = TimeBudget(recipe.train.budget, end_seconds())
        clock.evaluation_batches = len(validation.targets) / train.settings.batch
    best = EarlyStopping(recipe.train.stop_patience or NEVER, mode="max")
    schedule = build_schedule(recipe.schedule, total_steps=recipe.train.epochs * len(train), clock=clock, mode="max")
    average = ExponentialAverage(model, recipe.train.average) if recipe.train.average else None
    state = State(
        model,
        build_plan_optimiser(model, recipe.optimiser, plan) if plan else build_optimiser(model, recipe.optimiser),
        average,
        recipe.step,
        precision_context(recipe.train.precision, device),
    )
    stages, watch = (Stages(plan), UnfreezingCheck()) if plan else (None, None)
    plateau = schedule if isinstance(schedule, PlateauSchedule) else None
    compiled = None if plan else compile_for(recipe, device)
    state.forward = compiled or state.forward
    state.capture = captures(recipe, device)
    stateful = {
        "best": best, "clock": clock, "plateau": plateau, "stages": stages, "watch": watch, "compiled": compiled,
    }  # fmt: skip
    state.extras = {name: part for name, part in stateful.items() if part is not None}
    config, images = _bundle_config(prepared, recipe, task, model, origin), data_fingerprint(prepared)
    session = TrainingSession(
        recipe, task, config, state, train, validation, schedule, best, clock, images, stages, watch, compiled,
        end_seconds=end_seconds,
    )  # fmt: skip
    if clock:
        clock.update_reserve = session.reserve_for_end
    return session


def _bundle_config(
    prepared: PreparedData, recipe: Recipe, task: Task, model: nn.Module, origin: PretrainedSource | None
) -> BundleConfig:
    return BundleConfig(
        task=task.name,
        classes=task.classes,
        architecture=architecture(recipe, task),
        preprocessing=prepared.preprocessing,
        num_parameters=sum(parameter.numel() for parameter in model.parameters()),
        task_settings=task.settings(),
        origin=origin.provenance if origin else {},
        mirrored=recipe.augment.mirror,
    )


def compile_for(recipe: Recipe, device: torch.device) -> Compiled:
    """Return how to compile; "auto" decides by measurement on a GPU, and never compiles on a CPU.

    See docs/benchmarks/recipes.md.
    """
    mode = recipe.train.compile
    if mode == "auto" and device.type == "cuda" and recipe.train.processes == 1:
        without_graphs = captures(recipe, device) or recipe.step.micro_batch
        return Compiled(candidates=("always",) if without_graphs else ("always", "graphs"))
    return Compiled("never" if mode == "auto" else mode)


def captures(recipe: Recipe, device: torch.device) -> bool:
    """Return whether steps are launched as one CUDA graph each: on request, where all parts train from the start.

    `train.compile=graphs` makes graphs of its own, of the passes only.
    """
    wanted = recipe.train.cuda_graph and recipe.train.compile != "graphs"
    return wanted and device.type == "cuda" and not recipe.transfer.checkpoint and not recipe.step.micro_batch


def data_fingerprint(prepared: PreparedData) -> str:
    """Return a digest of the images, their preprocessing and their split."""
    whole = f"{prepared.dataset.fingerprint()} {prepared.preprocessing} {prepared.split.tolist()}"
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


def first_images(train: Batches, count: int = 5000) -> Tensor:
    """Return a fixed random sample of training images, preprocessed but not augmented."""
    plain = train.single_pass(shuffle=True)
    return torch.cat([x for x, _ in islice(plain(0), -(-count // plain.settings.batch))])
