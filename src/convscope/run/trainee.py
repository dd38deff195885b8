"""What a recipe and the data make: the network, its optimiser and schedule, the batches, and what counts as best."""

import hashlib
from collections.abc import Generator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn

from convscope.data import Batches, BatchSettings
from convscope.data.augment import Moved
from convscope.deploy import BundleConfig, looking, refuse_places
from convscope.errors import ConfigError
from convscope.models import begins_whitened, whiten, with_auxiliary_loss
from convscope.run.asking import Answering, Questions, asked
from convscope.run.defaults import SMALL_SIDE
from convscope.run.device import chosen_device
from convscope.run.network import architecture, fitting, network, task_for
from convscope.run.origin import Origin
from convscope.run.phases import Legs, phases
from convscope.run.prepare import Prepared
from convscope.run.recipe import Recipe
from convscope.tasks import Meter, Task
from convscope.train import (
    Average,
    Clock,
    Compiled,
    Epoch,
    Note,
    Patience,
    Plateau,
    Schedule,
    State,
    Step,
    Watch,
    build_optimiser,
    build_plan_optimiser,
    build_schedule,
    channels_last,
    closed,
    computes_bfloat16,
    deterministic,
    make_plan,
    precision_context,
    run,
    seed_everything,
    use_cores,
)

TIE = 1e-4  # what a nat of loss counts beside the score when the best epoch is chosen: it only breaks ties
NEVER = 10**9  # epochs of patience
MOVED: dict[str, Moved] = {"masks": "masks", "boxes": "boxes"}  # kinds of targets that move with their images
FLOAT32_TAKES = 2.0  # times as long as bfloat16 where the latter is used
MOST_FOR_CROPS = 0.1  # of a budget: what finding out whether several looks pay may cost
REPORT_SECONDS = 3.0  # kept of a budget for the report; seen on two cores with 12 + 12 pictures


@dataclass
class Trainee:
    """A network about to be trained, and all that its training needs.

    `images` tells them apart from all others. `legs` and `watch` are there where it began with trained weights.
    """

    recipe: Recipe
    task: Task
    config: BundleConfig
    state: State
    train: Batches
    validation: Batches
    schedule: Schedule | Plateau
    best: Patience
    clock: Clock | None
    images: str
    legs: Legs | None = None
    watch: Watch | None = None
    compiled: Compiled | None = None
    judged: Meter | None = None
    """The answers on the validation images at the end of the last epoch."""

    @property
    def kept_epoch(self) -> int:
        """The epoch whose network is the answer so far."""
        by_score = self.recipe.train.keep == "best" or self.recipe.train.stop_patience
        if by_score:
            return self.best.best_epoch
        return self.watch.frozen_epoch if self.watch and self.watch.fell else self.state.epoch

    @property
    def last_frozen(self) -> int | None:
        """The last epoch before the encoder begins to learn; None where it never does."""
        turn = self.legs.plan.unfreezes_at if self.legs else None
        return turn - 1 if turn is not None and turn <= self.recipe.train.epochs else None

    @property
    def training_features(self) -> bool:
        """Whether it trains on features that were kept, with all of the encoder frozen, so that epochs are short."""
        if self.legs is None or not self.legs.done or not self.legs.done[-1].views:
            return False
        return self.last_frozen is None or self.state.epoch <= self.last_frozen

    def epochs(self) -> Generator[Step | Epoch | Note]:
        """Train, judging each epoch; ends early when patience or the clock says so."""
        if self.best.bad_epochs > self.best.patience:  # a run that was killed after its last epoch
            return
        for event in phases(self) if self.legs else self._straight():
            if not isinstance(event, Epoch):
                yield event
                continue
            if self.clock:
                self.clock.reserve = REPORT_SECONDS + self.answering(self.crops)
            score = event.validation[self.task.primary]
            if self.watch and self.legs:
                self.watch.see(event.epoch, score, self.last_frozen is None or event.epoch <= self.last_frozen)
            exhausted = self.best.see(score - TIE * event.validation["loss"])
            if isinstance(self.schedule, Plateau) and self.schedule.see(score):
                rate = self.recipe.optimiser.rate * self.schedule.current
                yield Note(event.epoch, event.step, f"no better for a while: learning rate down to {rate:.3g}")
            yield event
            if exhausted:
                patience = self.recipe.train.stop_patience
                yield Note(event.epoch, event.step, f"stopped: more than {patience} epochs without a better score")
                return

    @property
    def crops(self) -> str:
        """The looks, of `deploy.CROPS`, by which the validation images are answered at the end.

        Several are tried for the classes of small images; those of photographs gain nothing (docs/recipes.md).
        """
        wanted = self.recipe.train.crops
        if wanted != "auto":
            return wanted
        small = max(self.config.preprocessing.size) <= SMALL_SIDE and self.legs is None
        dear = self.clock is not None and self.answering("shifts") > MOST_FOR_CROPS * self.clock.seconds
        return "shifts" if self.task.takes == "classes" and small and not dear else "1"

    def answering(self, crops: str) -> float:
        """Seconds that the answers at the end take, in float32, where an evaluation takes as long as the clock saw."""
        half = self.recipe.train.precision != "float32" and computes_bfloat16(self.state.device)
        looks = looking(nn.Identity(), self.config, crops).count
        return looks * (FLOAT32_TAKES if half else 1.0) * (self.clock.evaluation if self.clock else 0.0)

    def _straight(self) -> Generator[Step | Epoch | Note]:
        """All of the network from the first epoch to the last."""
        batches, until = self.train, self.recipe.train.epochs
        loss = with_auxiliary_loss(self.task.loss)
        if self.compiled and self.compiled.way is None:
            with closed(batches(self.state.epoch)) as pairs:
                told = self.compiled.decide(self.state.model, next(iter(pairs)), loss, self.state.precision, self._left)
            if told:
                yield Note(self.state.epoch, self.state.step, told)
        if self.clock is None:
            yield from run(self.state, batches, loss, self.schedule, until, self.judge)
            return
        yield from run(self.state, self.clock.limit(batches), loss, self.schedule, None, self.clock.timing(self.judge))

    def _left(self, step: float) -> float:
        """Seconds of training to come, when a step takes so many."""
        if self.clock:
            return self.clock.seconds - self.clock.spent
        return step * (self.recipe.train.epochs * len(self.train) - self.state.step)

    def judge(self, model: Answering, batches: Questions | None = None) -> dict[str, float]:
        """The scores of a network, or of what stands in for it, on the validation images."""
        self.judged = asked(model, batches or self.validation, self.task.meter())
        return self.judged.scores()


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


def batch_settings(prepared: Prepared, recipe: Recipe, device: torch.device, training: bool) -> BatchSettings:
    """How the recipe wants batches: augmented and shuffled for training, plain and in order otherwise."""
    return BatchSettings(
        batch=recipe.train.batch if training else max(recipe.train.batch, 128),
        mean=prepared.preprocessing.mean,
        std=prepared.preprocessing.std,
        policy=recipe.augment.chosen() if training else "none",
        mirror=recipe.augment.mirror,
        moved=MOVED.get(prepared.dataset.kind, "none"),
        mix=recipe.augment.mix if training else "none",
        mix_alpha=recipe.augment.mix_alpha,
        kinds=len(prepared.dataset.classes),
        shuffle=training,
        balanced=training and recipe.train.balanced_batches,
        seed=recipe.seed,
        device=str(device),
    )
