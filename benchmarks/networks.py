"""Every network: lines of its file, parameters, MACs, seconds of `inspect`, and the largest difference of its logits to
the reference with the same weights.

    python benchmarks/networks.py                                     the table, as Markdown
    python benchmarks/networks.py --weights WEIGHTS --images FOLDER   also trained weights on one picture of each class

References are torchvision's networks, and timm's for SE-ResNet-50, with random weights copied in by the key maps.
FOLDER holds one picture of each of ImageNet's 1,000 classes, sorted names in the order of the classes.
"""

import argparse
import inspect
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from augment import torchvision_v2
from torch import nn

from convscope.datasets import read_image
from convscope.models import MODELS, Architecture, build, load_pretrained, summarize
from convscope.models.families.unet import unet
from convscope.models.pretrained.published import PUBLISHED, PublishedWeights
from convscope.models.pretrained.state_dicts import load_state
from convscope.models.published_inputs import published_input

TIMM = {"se_resnet50": "seresnet50"}
DERIVED = {
    "mobilenet_v2": "derived_mobilenet_v2_imagenet.pth",
    "squeezenet1_0": "derived_squeezenet1_0_deepcompression_fp16.pth",
}


def reference(name: str) -> nn.Module | None:
    """The reference's network with random weights, where there is one."""
    torchvision_v2()
    from torchvision import models

    torch.manual_seed(0)
    if name in TIMM or name.startswith("efficientnet"):
        import timm

        return timm.create_model(TIMM.get(name, f"tf_{name}"), pretrained=False).eval()
    if name in ("googlenet", "inception_v3"):
        return getattr(models, name)(aux_logits=False, init_weights=True).eval()
    return getattr(models, name)().eval() if hasattr(models, name) else None


def file_of(name: str, make: Callable[..., nn.Module]) -> Path:
    """The file of the family."""
    if name == "unet":
        make = unet
    while hasattr(make, "func"):
        make = make.func
    return Path(inspect.getsourcefile(make) or "")


@torch.inference_mode()
def difference(name: str, side: int) -> str:
    """The largest difference of logits for two random images."""
    theirs = reference(name)
    if theirs is None:
        return ""
    ours = build(Architecture(name=name, classes=1000, channels=3, size=(side, side))).eval()
    load_state(ours, theirs.state_dict())
    x = torch.randn(2, 3, side, side)
    return f"{float((ours(x) - theirs(x)).abs().max()):.2g}"


def rows() -> Iterator[list[str]]:
    """One row per network."""
    for name, make in MODELS.items():
        if name == "assembled":
            continue
        published = published_input(name)
        classes, (channels, side, _) = published.classes, published.shape
        with torch.device("meta"):
            network = build(Architecture(name=name, classes=classes, channels=channels, size=(side, side)))
        began = time.process_time()
        summary = summarize(network, (channels, side, side))
        took = time.process_time() - began
        family = file_of(name, make)
        lines = len(family.read_text().splitlines())
        far = difference(name, side)
        yield [
            f"`{name}`", f"{channels}x{side}x{side}", f"{summary.num_parameters:,}", f"{summary.macs:,}",
            far, f"{family.name}, {lines}", f"{took:.2f}",
        ]  # fmt: skip


@torch.inference_mode()
def trained(name: str, weights: Path, folder: Path) -> str:
    """Top-1 and top-5 of trained weights on one picture of each class."""
    known: PublishedWeights = PUBLISHED[name]
    architecture = Architecture(name=name, classes=1000, channels=3, size=(known.crop, known.crop))
    source = weights / DERIVED[name] if name in DERIVED else "imagenet"
    network = load_pretrained(architecture, source)[0].eval()
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in (known.mean, known.std))
    first = fifth = 0
    files = sorted(folder.iterdir())
    for label, file in enumerate(files):
        whole = torch.from_numpy(read_image(file, 3, size=(known.resize, known.resize))).float() / 255
        edge = (known.resize - known.crop) // 2
        pixels = whole[:, edge : edge + known.crop, edge : edge + known.crop]
        best = network(((pixels - mean) / std)[None]).topk(5).indices[0].tolist()
        first, fifth = first + (best[0] == label), fifth + (label in best)
    return f"{name}: top-1 {100 * first / len(files):.1f} %, top-5 {100 * fifth / len(files):.1f} % of {len(files):,}"


def main() -> None:
    """Print the table, and the trained networks' answers where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="the folder of trained weights")
    parser.add_argument("--images", type=Path, help="one picture of each class")
    given = parser.parse_args()
    if given.weights and given.images:
        for name in (*DERIVED, "efficientnet_lite0"):
            print(trained(name, given.weights, given.images), flush=True)
        return
    columns = ["network", "input", "parameters", "MACs", "largest logit difference", "file, lines", "inspect, s"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
    for row in rows():
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
