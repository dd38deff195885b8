"""Cached features of the frozen parts of a network: computed once per stage, within its share of a time budget."""

import hashlib
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from convscope.datasets import TARGET_KINDS, Batches, FeatureBatches, compute_features, max_views_in_memory
from convscope.pipeline.session import TrainingSession
from convscope.pipeline.stages import Stage
from convscope.training import digests, forward_parts, is_part_chain, mixed_order, num_fixed

FEATURE_TIME_SHARE = 0.4  # maximum share of the remaining time for features, where the encoder is fine-tuned later
FROZEN_TIME_SHARE = 0.8  # the same where it stays frozen
MEASURED_IMAGES = 4  # forwarded to measure the speed
FEWEST_PER_OUTPUT = 8  # images per output of the network that are used even if the time is over


@dataclass(frozen=True, eq=False)
class FrozenFeatures:
    """Batches of features for training and validation; `first_part` is the index of the first part that they enter."""

    first_part: int
    train: FeatureBatches
    validation: FeatureBatches

    def forward(self, model: nn.Module, x: Tensor) -> Tensor:
        """Return the network's output for features."""
        return forward_parts(model, x, self.first_part)


@dataclass(frozen=True)
class FeaturePlan:
    """How many views of how many images are affordable, in a share of the time left at `began`, by `TimeBudget.spent`.

    `fewest` images are used in any case.
    """

    views: int
    images: int
    fewest: int
    began: float = 0.0
    share: float = 1.0


def frozen_features(session: TrainingSession, stage: Stage) -> FrozenFeatures | None:
    """Compute the features of a stage, or read them from the cache; None where features cannot be cached."""
    assert session.stages is not None  # there is a plan
    model, plan, views = session.state.model, session.stages.plan, session.recipe.transfer.views
    first_part, train = num_fixed(model, plan, stage.first), session.train
    moving = train.settings.mix != "none" or TARGET_KINDS[train.settings.target_kind].spatial
    uneven = session.clock is not None and session.state.processes.count > 1  # each would measure its own speed
    if not first_part or not views or moving or uneven:
        return None
    example = next(iter(session.validation.restricted(torch.arange(min(2, len(session.validation.targets))))(0)))[0]
    if not is_part_chain(model, example):
        return None
    frozen = partial(_forward_frozen, session, first_part)
    room = max_views_in_memory(len(train.targets), frozen(example)[0])
    if room <= views or (stage.last + 1 - stage.first <= views and not session.recipe.transfer.fit_head):
        return None
    _measure(session, train, first_part)
    key = partial(_feature_key, session, stage)
    # Validation first: all its images are needed, and how many others there is time for depends on what they took.
    validation = compute_features([session.validation], frozen, key("validation", [session.validation]))
    if validation.seconds:
        seconds = validation.seconds / len(session.validation.targets)
        session.forward_seconds = min(session.forward_seconds, seconds)
    found = _plan_features(session, train, views)
    if session.clock:
        train = train.restricted(mixed_order(train.targets)[: found.images])
    passes = [train.single_pass(augmented=view > 0) for view in range(found.views)]
    stop = partial(_out_of_time, session, found)
    kept = compute_features(passes, frozen, key("train", passes), stop)
    if kept.x.shape[1] < len(train.targets):
        train = train.restricted(torch.arange(kept.x.shape[1]))
    stage.views, stage.images, stage.seconds = kept.x.shape[0], kept.images, kept.seconds
    return FrozenFeatures(first_part, FeatureBatches(train, kept), FeatureBatches(session.validation, validation))


def _out_of_time(session: TrainingSession, plan: FeaturePlan, view: int, done: int) -> bool:
    """Return whether to stop after `done` images of a view, from 0."""
    clock = session.clock
    if clock is None:
        return False
    clock.plan()
    used = clock.spent - plan.began
    return used > plan.share * (clock.left + used) and (view > 0 or done >= plan.fewest)


def _plan_features(session: TrainingSession, train: Batches, views: int) -> FeaturePlan:
    """Plan how many features the budget allows by the measured speed; everything without a budget."""
    images, clock = len(train.targets), session.clock
    fewest = min(images, max(train.settings.batch, FEWEST_PER_OUTPUT * session.task.outputs))
    if clock is None:
        return FeaturePlan(views, images, fewest)
    session.reserve_for_end()
    share = FROZEN_TIME_SHARE if session.last_frozen is None else FEATURE_TIME_SHARE
    began = clock.spent
    affordable = share * clock.left / max(session.forward_seconds, 1e-9)
    if affordable >= images:
        return FeaturePlan(int(min(views, affordable // images)), images, fewest, began, share)
    return FeaturePlan(1, int(max(affordable, fewest)), fewest, began, share)


def _measure(session: TrainingSession, train: Batches, first_part: int) -> None:
    """Measure the seconds for decoding, augmenting and forwarding an image, from the second of two passes."""
    if session.clock is None:
        return
    few = train.restricted(torch.arange(min(MEASURED_IMAGES, len(train.targets)))).single_pass(augmented=True)
    seconds = 0.0
    for epoch in range(2):
        started = session.clock.now()
        for x, _ in few(epoch):
            _forward_frozen(session, first_part, x).cpu()
        seconds = session.clock.now() - started
    session.forward_seconds = seconds / len(few.targets)


@torch.no_grad()
def _forward_frozen(session: TrainingSession, first_part: int, x: Tensor) -> Tensor:
    with session.state.precision():
        return forward_parts(session.state.model, x, 0, first_part)


def _feature_key(session: TrainingSession, stage: Stage, split: str, passes: list[Batches]) -> str:
    """Return a digest of everything that the features depend on."""
    assert session.stages is not None
    weights = digests(session.state.model, session.stages.plan, stage.first)
    settings = [one_pass.settings.model_dump_json() for one_pass in passes]
    rows = f"{len(passes[0].targets)} images, {'mixed' if session.clock and split == 'train' else 'in order'}"
    whole = (
        f"{session.data_fingerprint} {split} {rows} {sorted(weights.items())} {session.config.architecture} {settings}"
    )
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()
