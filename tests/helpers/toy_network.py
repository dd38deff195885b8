"""A small problem with everything that makes resuming hard: dropout, batch norm, shuffled batches."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from convscope.training import (
    Epoch,
    ExponentialAverage,
    OptimiserSettings,
    PlateauSchedule,
    ScheduleSettings,
    State,
    StepSettings,
    build_optimiser,
    build_schedule,
    run,
    seed_everything,
)

IMAGES, BATCH = 24, 8
STEPS_PER_EPOCH = IMAGES // BATCH

cross_entropy = nn.functional.cross_entropy


def images(count: int = IMAGES, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Noise (N, 1, 6, 6) whose class is whether the left half is brighter than the right one."""
    x = torch.randn(count, 1, 6, 6, generator=torch.Generator().manual_seed(seed))
    return x, (x[..., :3].sum((1, 2, 3)) > x[..., 3:].sum((1, 2, 3))).long()


def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    x, y = images()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
    for chosen in order.split(BATCH):
        yield x[chosen], y[chosen]


def network(seed: int = 3) -> nn.Module:
    seed_everything(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(64, 2)
    )


def new_state(settings: StepSettings | None = None, average: bool = True, **optimiser: object) -> State:
    model = network()
    return State(
        model,
        build_optimiser(model, OptimiserSettings(**optimiser)),
        average=ExponentialAverage(model, 0.9) if average else None,
        settings=settings or StepSettings(),
    )


def schedule_for(state: State, name: str, epochs: int):
    """Lay the named schedule over the run; a plateau also goes into the state."""
    schedule = build_schedule(ScheduleSettings(name=name, patience=0), total_steps=epochs * STEPS_PER_EPOCH)
    if isinstance(schedule, PlateauSchedule):
        state.extras["plateau"] = schedule
    return schedule


def evaluate(model: nn.Module) -> dict[str, float]:
    x, y = images(16, seed=2)
    return {"loss": cross_entropy(model(x), y).item()}


def go_on(state: State, schedule, epochs: int) -> list:
    """Train until `epochs`, as a caller would: every epoch feeds the plateau."""
    records = []
    for record in run(state, batches, cross_entropy, schedule, epochs, evaluate):
        records.append(record)
        if isinstance(record, Epoch) and "plateau" in state.extras:
            state.extras["plateau"].update(1.0)  # flat, so that it drops
    return records


def same_bits(first: object, second: object) -> bool:
    """Whether two nested contents are equal in every bit, NaN included."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return first.dtype == second.dtype and first.numpy().tobytes() == second.numpy().tobytes()
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same_bits(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(same_bits, first, second))
    return first == second
