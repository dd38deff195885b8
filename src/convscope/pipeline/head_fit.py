"""The last layer fitted to convergence on cached features, instead of epoch by epoch."""

import time
from collections.abc import Callable, Generator

import torch
from torch import Tensor, nn

from convscope.datasets import TARGET_KINDS
from convscope.pipeline.frozen_features import FrozenFeatures
from convscope.pipeline.session import TrainingSession
from convscope.pipeline.stages import Stage
from convscope.training import (
    Epoch,
    ProbeSettings,
    fit_probe,
    forward_parts,
    neighbour_votes,
    num_parameters,
    parts,
    scores,
    train_mode,
)

TIE = 1e-4  # weight of the loss in the choice of the penalty: it only breaks ties of the score
CHOICE_SHARE = 0.6  # of the time for fitting, for the choice of the penalty
LATER_SHARE = 0.5  # of a budget at which fitting ends where the encoder is fine-tuned afterwards


def fitted_layer(session: TrainingSession, features: FrozenFeatures) -> nn.Linear | None:
    """Return the fully connected layer that is all that is trained on the features; None if there is more or less.

    Sampling classes equally often is not a loss over the images, so it is left to training by epochs.
    """
    rest = [part for _, part in parts(session.state.model)[features.first_part :]]
    trained = [part for part in rest if num_parameters(part)]
    settings = session.train.settings
    if not session.recipe.transfer.fit_head or settings.balanced or len(trained) != 1 or rest[-1] is not trained[0]:
        return None
    return trained[0] if isinstance(trained[0], nn.Linear) and trained[0].bias is not None else None


def fit_head(
    session: TrainingSession,
    stage: Stage,
    features: FrozenFeatures,
    layer: nn.Linear,
    evaluate: Callable[[nn.Module], dict[str, float]],
) -> Generator[Epoch]:
    """Fit the layer, evaluate it, and record both as the last epoch of the stage."""
    started, state = time.perf_counter(), session.state
    inputs, validation = (_inputs(session, features, one.features.x) for one in (features.train, features.validation))
    targets = features.train.features.y
    fitted = fit_probe(inputs, targets, _settings(session))
    with torch.no_grad():
        for name, values in (("weight", fitted.weight), ("bias", fitted.bias)):
            getattr(layer, name).copy_(values)
        if state.average:
            state.average.module.load_state_dict(state.model.state_dict())
    loss = float(session.task.loss(fitted(inputs[0]), targets))
    found = scores(state, evaluate)
    stage.probe, stage.penalty, stage.held_out = found[session.task.primary], fitted.penalty, fitted.score
    stage.neighbours = _neighbours(session, features, inputs[0], validation[0])
    state.step += (stage.last - state.epoch) * len(session.train)
    state.epoch = stage.last
    state.remember_random()
    yield Epoch(state.epoch, state.step, {"loss": loss}, found, time.perf_counter() - started, 0.0)


def _settings(session: TrainingSession) -> ProbeSettings:
    """Return loss, score and limits: the score that the run reports chooses the penalty."""
    task, clock = session.task, session.clock

    def score(output: Tensor, target: Tensor) -> float:
        meter = task.meter()
        meter.add(output, target)
        found = meter.scores()
        return found[task.primary] - TIE * found["loss"]

    if clock is None:
        return ProbeSettings(task.outputs, task.loss, score)
    began, end = clock(), 1.0 if session.last_frozen is None else LATER_SHARE
    chosen = began + CHOICE_SHARE * max(0.0, end - began)

    def later_than(fraction: float) -> bool:
        clock.plan()
        return clock() >= fraction

    return ProbeSettings(task.outputs, task.loss, score, lambda: later_than(chosen), lambda: later_than(end))


@torch.no_grad()
def _inputs(session: TrainingSession, features: FrozenFeatures, x: Tensor) -> Tensor:
    """Return the inputs (V, N, C) of the last layer for features (V, N, ...)."""
    model = session.state.model
    with train_mode(model, training=False):
        rows = [forward_parts(model, view.to(session.state.device), features.first_part, -1) for view in x]
    return torch.stack(rows).float().cpu()


def _neighbours(session: TrainingSession, features: FrozenFeatures, x: Tensor, queries: Tensor) -> float | None:
    """Return the validation score of the nearest neighbours; None for targets other than one class per image."""
    if not TARGET_KINDS[session.task.target_kind].single_class:
        return None
    meter, classes = session.task.meter(), session.task.outputs
    votes = neighbour_votes(x, features.train.features.y, queries, classes)
    meter.add(votes, features.validation.features.y)
    return meter.scores()[session.task.primary]
