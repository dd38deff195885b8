"""Short training runs with a plain optimiser."""

from torch import nn

from convscope.training import (
    OptimiserSettings,
    State,
    StepSettings,
    build_optimiser,
    run,
)
from helpers.toy_network import (
    batches,
    cross_entropy,
)


def flat(_step: int) -> float:
    return 1.0


def trained(state: State, epochs: int = 1, schedule=flat, given=batches, loss=cross_entropy) -> list:
    return list(run(state, given, loss, schedule, epochs, lambda _model: {}))


def plain_state(model: nn.Module, rate: float = 0.1, momentum: float = 0.0, settings=None) -> State:
    optimiser = build_optimiser(model, OptimiserSettings(name="sgd", learning_rate=rate, momentum=momentum))
    return State(model, optimiser, settings=settings or StepSettings())


def line(weight: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, weight)
    return layer


def squared(output, y):
    return ((output - y) ** 2).mean()
