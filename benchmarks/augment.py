"""Changing training images: whole batches at once, against torchvision's v2 transforms image by image.

    python benchmarks/augment.py                      the standard policy at 224 and at 32 pixels, alternating, one core
    python benchmarks/augment.py --policy strong --size 96
    python benchmarks/augment.py --out benchmarks/results/augment.json

The aim is the whole of `standard` at 224 and at 32 px, at least twice as fast per core. Both begin with the same uint8
pixels and end with float32 in [0, 1]; each image gets its own draw of everything. The rival is what torchvision's guide
recommends: v2 on uint8 tensors, the same operations with the same bounds, then ToDtype. It fills what a shift opens up
with black, where ours mirrors the border, which costs more.
Time is the processor's, so that a busy machine does no harm.
"""

import argparse
import json
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from convscope.data.augment.pipeline import POLICIES, Policy, augment

SIZES = (224, 32)
BATCH = 64


def torchvision_v2() -> Any:
    """torchvision.transforms.v2; beside a PyTorch it was not built for, its own (unused) operators are missing."""
    try:
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torchvision_v2.library = library  # type: ignore[attr-defined]
    except RuntimeError:
        pass  # they are there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchvision.transforms import v2

        return v2


def ours(policy: Policy) -> Callable[[Tensor, int], Tensor]:
    """The whole batch at once."""
    change = augment(policy)
    return lambda pixels, seed: change(pixels, torch.Generator().manual_seed(seed))


def rivals(policy: Policy) -> Callable[[Tensor, int], Tensor]:
    """The same operations, image by image."""
    v2 = torchvision_v2()
    steps = [
        v2.RandomHorizontalFlip(0.5),
        v2.RandomAffine(
            policy.rotate,
            (policy.shift, policy.shift),
            (1 / policy.scale, policy.scale),
            [-policy.shear, policy.shear, 0.0, 0.0] if policy.shear else None,
            v2.InterpolationMode.BILINEAR,
        ),
        v2.ColorJitter(policy.brightness, policy.contrast, policy.saturation, policy.hue / 360),
        v2.ToDtype(torch.float32, scale=True),
    ]
    if policy.cutout:
        part = policy.cutout**2
        steps.append(v2.RandomErasing(0.5, (part, part), (1.0, 1.0)))
    change = v2.Compose(steps)

    def whole(pixels: Tensor, seed: int) -> Tensor:
        torch.manual_seed(seed)
        return torch.stack([change(image) for image in pixels])

    return whole


def measure(size: int, policy: Policy, rounds: int, seconds: float) -> dict[str, Any]:
    """Images per second of both, alternating every `seconds`."""
    pixels = torch.randint(256, (BATCH, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    kinds = {"convscope": ours(policy), "torchvision": rivals(policy)}
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    for change in kinds.values():
        change(pixels, 0)
    for turn in range(rounds):
        for kind, change in kinds.items():
            began, done = time.process_time(), 0
            while time.process_time() - began < seconds:
                change(pixels, 1000 * turn + done)
                done += 1
            rates[kind].append(done * BATCH / (time.process_time() - began))
    ratios = [a / b for a, b in zip(rates["convscope"], rates["torchvision"], strict=True)]
    middle = {kind: round(statistics.median(found), 1) for kind, found in rates.items()}
    return {"size": size, **middle, "ratio": round(statistics.median(ratios), 2), "least": round(min(ratios), 2)}


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", default="standard", choices=[name for name in POLICIES if name != "none"])
    parser.add_argument("--size", type=int, action="append", help="side in pixels; may be repeated [224, 32]")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = [measure(size, POLICIES[given.policy], given.rounds, given.seconds) for size in given.size or SIZES]
    for row in found:
        print(
            f"{given.policy} at {row['size']} px: convscope {row['convscope']:,.0f} images/s on one core, torchvision "
            f"{row['torchvision']:,.0f}: {row['ratio']:.2f} times (median of {given.rounds}, least {row['least']:.2f})"
        )
    if given.out:
        versions = {"python": platform.python_version(), "torch": torch.__version__, "machine": platform.machine()}
        values = {"policy": given.policy, "batch": BATCH, "rounds": given.rounds, **versions, "sizes": found}
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
