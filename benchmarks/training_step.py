"""C3: one training step of a ResNet-18 on 32 images of 128 pixels: our loop against every way to write it by hand.

    benchmarks/run c3 [-- NETWORK SIDE BATCH]

All run the same network with SGD and momentum on the same batches in memory, two threads. Ours is `train.run` with what
`_assemble_session` chooses: precision, layout, loss read at each step. The rivals are loops of five lines: eager as it
comes, in
`channels_last`, in bfloat16 with `channels_last`, and the last two compiled. Seconds are the median of ten steps.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from protocol import Comparison
from torch import Tensor, nn

RIVALS = {
    "eager": (False, False, False),  # channels_last, bfloat16, compiled
    "channels_last": (True, False, False),
    "bfloat16": (True, True, False),
    "compiled": (True, False, True),
    "compiled_bfloat16": (True, True, True),
}
COMPARISON = Comparison("training_step.py", dict.fromkeys(["ours", *RIVALS], "ours"), rounds=5)
WARM, STEPS = 4, 10


def network(name: str, side: int) -> nn.Module:
    """The same first weights for all."""
    from convscope.models import MODELS

    torch.manual_seed(0)
    small = {"stem": "small", "width": 32} if side < 64 else {}
    return MODELS[name](10, channels=3, size=(side, side), **(small if name.startswith("resnet") else {}))


def batches(side: int, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The same images over and over."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(batch, 3, side, side, generator=generator), torch.randint(0, 10, (batch,), generator=generator)
    while True:
        yield x, y


def ours(name: str, side: int, batch: int) -> list[tuple[float, float]]:
    """Each step, from record to record."""
    from convscope.devices import use_cores
    from convscope.modules import channels_last
    from convscope.training import (
        OptimiserSettings,
        State,
        Step,
        build_optimiser,
        deterministic,
        precision_context,
        run,
    )

    use_cores(2)
    deterministic()
    device = torch.device("cpu")
    model = channels_last(network(name, side), device)
    optimiser = build_optimiser(model, OptimiserSettings(learning_rate=0.01, weight_decay=5e-4))
    state = State(model, optimiser, precision=precision_context("auto", device))
    events = run(state, lambda _: batches(side, batch), nn.functional.cross_entropy, lambda _: 1.0, 1, lambda _: {})

    def step() -> None:
        while not isinstance(next(events), Step):
            pass

    return timed(step)


def by_hand(name: str, side: int, batch: int, kind: str) -> list[tuple[float, float]]:
    """A loop of five lines."""
    last, half, compiled = RIVALS[kind]
    torch.set_num_threads(2)
    model: Any = network(name, side).train()
    pairs = batches(side, batch)
    layout = torch.channels_last if last else torch.contiguous_format
    model = model.to(memory_format=layout)
    model = torch.compile(model) if compiled else model
    optimiser = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)

    def step() -> None:
        x, y = next(pairs)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = nn.functional.cross_entropy(model(x.contiguous(memory_format=layout)), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loss.item()

    return timed(step)


def timed(step: Callable[[], None]) -> list[tuple[float, float]]:
    """Seconds of each step after the first ones, by the clock and of the processor (all threads)."""
    took = []
    for _ in range(WARM + STEPS):
        began, before = time.perf_counter(), time.process_time()
        step()
        took.append((time.perf_counter() - began, time.process_time() - before))
    return took[WARM:]


def main(kind: str, name: str = "resnet18", side: str = "128", batch: str = "32") -> None:
    """Print the median step."""
    size, count = int(side), int(batch)
    took = ours(name, size, count) if kind == "ours" else by_hand(name, size, count, kind)
    clock, processor = (round(statistics.median(times), 5) for times in zip(*took, strict=True))
    values = {"step": clock, "step_of_processor": processor, "network": name, "side": side, "batch": batch}
    print(json.dumps(values))


if __name__ == "__main__":
    main(*sys.argv[1:])
