"""Training steps that are the same for any number of processes, and what is compared of them."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from convscope.models import build, resolve
from convscope.tasks import TASKS
from convscope.training import (
    ONE_PROCESS,
    OptimiserSettings,
    Processes,
    ProcessGroup,
    State,
    StepSettings,
    build_optimiser,
    run,
    seed_everything,
)

cross_entropy = nn.functional.cross_entropy


def group(statistics: str = "batch") -> Processes:
    """The processes of this test, or the only one."""
    return ProcessGroup(statistics) if dist.is_initialized() else ONE_PROCESS


def learned(
    build: Callable[[], nn.Module],
    batches: Callable[[int], Iterator[tuple[Tensor, Tensor]]],
    loss: Callable[[Any, Tensor], Tensor],
    micro_batch: int | None = None,
    rate: float = 0.02,
) -> tuple[dict[str, Tensor], list[tuple[int, float, float]]]:
    """Weights after an epoch, and images, loss and gradient norm of each step."""
    torch.set_num_threads(1)
    seed_everything(0)
    model = build()
    optimiser = build_optimiser(model, OptimiserSettings(name="sgd", learning_rate=rate, momentum=0.9))
    state = State(model, optimiser, settings=StepSettings(micro_batch=micro_batch), processes=group())
    steps = list(run(state, batches, loss, lambda _step: 1.0, 1, lambda _model: {}))[:-1]
    return model.state_dict(), [(step.images, step.loss, step.gradient_norm) for step in steps]


def noise(count: int, size: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randn(count, *size, generator=torch.Generator().manual_seed(seed))


def made(name: str, classes: int, channels: int, side: int, **options: Any) -> nn.Module:
    return build(resolve(name, classes, channels, (side, side), options))


def classified(steps: int, batch: int, shape: tuple[int, ...]) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of noise in three classes by brightness; the last has three images less."""
    for step in range(steps):
        x = noise(batch - 3 if step == steps - 1 else batch, shape, step)
        yield x, (x.flatten(1).mean(1) * 64).long().clamp(-1, 1) + 1


def fifty_of_lenet() -> Any:
    return learned(lambda: made("lenet", 3, 1, 32), lambda _epoch: classified(50, 8, (1, 32, 32)), cross_entropy)


def fifty_of_resnet(micro_batch: int | None = None) -> Any:
    return learned(
        lambda: made("resnet18", 3, 3, 16, width=8, dropout=0.2),
        lambda _epoch: classified(50, 8, (3, 16, 16)),
        cross_entropy,
        micro_batch,
        rate=0.01,  # batch norm over 8 values of the last stage amplifies rounding, the more the longer the steps
    )


def masked(steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of noise with the mask of the bright pixels; most pixels of the first image are not labelled."""
    for step in range(steps):
        x = noise(5, (1, 16, 16), step)
        y = (x[:, 0] > 0).long()
        y[0, 1:] = 255
        yield x, y


def fifty_of_unet() -> Any:
    task = TASKS["segment"](("dark", "bright"), dice=0.5)
    return learned(lambda: made("unet", 2, 1, 16, width=4, depth=2), lambda _epoch: masked(50), task.loss)


def small_network(outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.LazyLinear(outputs)
    )


UNKNOWN = float("nan")
CORNERS = [[1.0, 1.0, 5.0, 6.0], [UNKNOWN] * 4, [0.0, 2.0, 3.0, 8.0], [2.0, 2.0, 7.0, 7.0], [UNKNOWN] * 4]
TARGETS: dict[str, tuple[Any, Any]] = {
    "classify": (
        TASKS["classify"](("a", "b", "c"), label_smoothing=0.1, class_weights=(1.0, 5.0, 0.2)),
        torch.tensor([0, 1, 2, 1, 1]),
    ),
    "multilabel": (
        TASKS["multilabel"](("a", "b"), positive_weights=(1.0, 4.0)),
        torch.tensor([[1.0, UNKNOWN], [0.0, 1.0], [UNKNOWN, UNKNOWN], [1.0, 1.0], [UNKNOWN, 0.0]]),
    ),
    "regress": (
        TASKS["regress"](("x", "y"), (1.0, 2.0), (3.0, 0.5)),
        torch.tensor([[1.0, 2.0], [0.0, 3.0], [2.0, 2.0], [9.0, 1.0], [4.0, 0.0]]),
    ),
    "localise": (
        TASKS["localise"](("a", "b"), (8, 8), "giou"),
        torch.tensor([[float(row % 2), *corners] for row, corners in enumerate(CORNERS)]),
    ),
}
"""Tasks whose losses are means over what is known, not over images, with targets of five images."""


def few_steps(name: str, micro_batch: int | None = None) -> Any:
    """Three steps: of five images, of two, and of one, which leaves a process without any."""
    task, y = TARGETS[name]
    x = noise(5, (1, 8, 8))
    outputs = 6 if name == "localise" else len(task.classes)

    def build() -> nn.Module:
        network = small_network(outputs)
        network(x)  # makes the last layer
        seed_everything(0)
        return network

    def batches(_epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in (slice(0, 5), slice(2, 4), slice(3, 4)):
            yield x[rows], y[rows]

    return learned(build, batches, task.loss, micro_batch)


def evaluated() -> Any:
    """The scores and the stored outputs of five images, in batches of three and two."""
    from convscope.runs.evaluation import evaluate_batches

    task, y = TARGETS["classify"]
    x = noise(5, (1, 8, 8))
    seed_everything(0)
    network = small_network(3)
    network(x)
    batches = lambda _epoch: [(x[:3], y[:3]), (x[3:], y[3:])]  # noqa: E731
    meter = evaluate_batches(lambda x: group().forward(network.eval(), x), batches, task.meter())
    return meter.scores(), meter.arrays()


def with_statistics_per_process() -> Any:
    """Output and running mean of batch norm for rows 0 ... 3, where each process has two."""
    processes, norm = group("process"), nn.BatchNorm1d(1)
    x = torch.arange(4.0)[:, None]
    output = processes.forward(norm, x)
    processes.add_gradients(norm, [])
    return output.detach(), norm.running_mean


def sent_by_the_first() -> Any:
    """What `from_first`, `copy_from_first` and `all_equal` give where processes differ."""
    processes = group()
    tensor = torch.tensor([float(processes.rank)])
    processes.copy_from_first([tensor])
    alike = processes.all_equal("same"), processes.all_equal(processes.rank)
    return processes.from_first(f"from {processes.rank}"), tensor, alike
