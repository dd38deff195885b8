"""Training and inference of ResNet-50 at 224 px in bfloat16 on one GPU: our loop and network beside PyTorch's own ways.

    python benchmarks/resnet50_on_gpu.py [--batch 256] [--steps 60] [--only ours_graphs eager ...] [--out FILE]

All train on the same synthetic batch with SGD and momentum, bfloat16 autocast and channels_last. Rates are images per
second of the median block of ten steps; joules per image are from the card's energy counter (NVML).
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

SIDE, CLASSES, BLOCK = 224, 1000, 10


class Energy:
    """The card's counter of energy since the driver started, in joules; nan where NVML is not installed."""

    def __init__(self) -> None:
        try:
            import pynvml

            pynvml.nvmlInit()
            handle = pynvml.nvmlDeviceGetHandleByIndex(0)
            self.read: Callable[[], float] = lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000
            self.read()
        except Exception:
            self.read = lambda: float("nan")


def timed(step: Callable[[], Any], batch: int, steps: int, warm: int = 20) -> dict[str, float]:
    """Rates, energy and memory of a step."""
    for _ in range(warm):
        step()
    torch.cuda.synchronize()
    energy = Energy()
    took, before = [], energy.read()
    for _ in range(max(1, steps // BLOCK)):
        began = time.perf_counter()
        for _ in range(BLOCK):
            step()
        torch.cuda.synchronize()
        took.append((time.perf_counter() - began) / BLOCK)
    joules = (energy.read() - before) / (len(took) * BLOCK * batch)
    return {
        "images_per_second": round(batch / statistics.median(took), 1),
        "slowest": round(batch / max(took), 1),
        "joules_per_image": round(joules, 4),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2),
    }


def pair(batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    """One batch on the card, for all."""
    torch.manual_seed(0)
    x = torch.randn(batch, 3, SIDE, SIDE, device="cuda").to(memory_format=torch.channels_last)
    return x, torch.randint(0, CLASSES, (batch,), device="cuda")


def our_network() -> nn.Module:
    """Ours, with the same first weights each time."""
    from convscope.models import MODELS

    torch.manual_seed(0)
    return MODELS["resnet50"](CLASSES, channels=3, size=(SIDE, SIDE))


def torchvisions() -> nn.Module:
    """The reference."""
    import torchvision

    network: nn.Module = torchvision.models.resnet50()
    return network


def timms() -> nn.Module:
    """The other reference."""
    import timm

    network: nn.Module = timm.create_model("resnet50")
    return network


NETWORKS: dict[str, Callable[[], nn.Module]] = {"ours": our_network, "torchvision": torchvisions, "timm": timms}


def ours(choice: str, batch: int, steps: int) -> dict[str, float]:
    """Our loop, with `train.compile` as given."""
    from convscope.modules import channels_last
    from convscope.training import Compiled, OptimiserSettings, State, Step, build_optimiser, precision_context, run

    device = torch.device("cuda")
    model = channels_last(our_network().to(device), device)
    optimiser = build_optimiser(model, OptimiserSettings(name="sgd", learning_rate=0.01, weight_decay=5e-5))
    state = State(model, optimiser, precision=precision_context("auto", device))
    state.forward = Compiled(choice)
    x, y = pair(batch)

    def batches(_: int):
        while True:
            yield x, y

    events = run(state, batches, nn.functional.cross_entropy, lambda _: 1.0, 1, lambda _: {})

    def step() -> None:
        while not isinstance(next(events), Step):
            pass

    found = timed(step, batch, steps)
    events.close()
    return found


def by_hand(network: str, mode: str | None, batch: int, steps: int) -> dict[str, float]:
    """A loop of five lines."""
    model: Any = NETWORKS[network]().cuda().to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-5, fused=True)
    if mode:
        model = torch.compile(model, mode=None if mode == "default" else mode)
    x, y = pair(batch)

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast("cuda", torch.bfloat16):
            loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimiser.step()

    return timed(step, batch, steps)


@torch.inference_mode()
def inference(network: str, mode: str | None, half: bool, batch: int, steps: int) -> dict[str, float]:
    """A forward pass of a network in bfloat16, or of one in float32 under autocast."""
    model: Any = NETWORKS[network]().cuda().to(memory_format=torch.channels_last).eval()
    x, _ = pair(batch)
    if half:
        model, x = model.bfloat16(), x.bfloat16()
    if mode:
        model = torch.compile(model, mode=None if mode == "default" else mode)

    def step() -> None:
        with torch.autocast("cuda", torch.bfloat16, enabled=not half):
            model(x)

    return timed(step, batch, steps)


KINDS: dict[str, Callable[[int, int], dict[str, float]]] = {
    "ours_never": lambda b, s: ours("never", b, s),
    "ours_always": lambda b, s: ours("always", b, s),
    "ours_graphs": lambda b, s: ours("graphs", b, s),
    "eager_torchvision": lambda b, s: by_hand("torchvision", None, b, s),
    "compile_torchvision": lambda b, s: by_hand("torchvision", "default", b, s),
    "graphs_torchvision": lambda b, s: by_hand("torchvision", "reduce-overhead", b, s),
    "compile_timm": lambda b, s: by_hand("timm", "default", b, s),
    "infer_eager_torchvision": lambda b, s: inference("torchvision", None, True, b, s),
    "infer_compile_torchvision": lambda b, s: inference("torchvision", "default", True, b, s),
    "infer_compile_ours": lambda b, s: inference("ours", "default", True, b, s),
    "infer_autotune_ours": lambda b, s: inference("ours", "max-autotune", True, b, s),
    "infer_autocast_ours": lambda b, s: inference("ours", None, False, b, s),
}


def main() -> None:
    """Measure the kinds one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--only", nargs="*", default=list(KINDS))
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    found: dict[str, Any] = {"device": torch.cuda.get_device_name(0), "torch": torch.__version__, "batch": chosen.batch}
    for name in chosen.only:
        torch._dynamo.reset()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        began = time.perf_counter()
        try:
            found[name] = KINDS[name](chosen.batch, chosen.steps)
        except Exception as error:
            found[name] = {"failed": f"{type(error).__name__}: {error}"[:300]}
        found[name]["seconds"] = round(time.perf_counter() - began, 1)
        print(name, json.dumps(found[name]), flush=True)
        if chosen.out:
            chosen.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
