"""The figures of seeing inside, other than speed: equality with other code, what maps point at, what snapshots cost.

    python benchmarks/inside.py [equality] [planted] [snapshots] [--data NAME ...] [--out FILE]

Equality: Grad-CAM, integrated gradients, gradients and occlusion beside captum's on a ResNet-18 that learnt the drawn
shapes, stimuli and neighbours beside brute force. Planted: a small network learns to name a bright square; maps are
scored by the pointing game and by what random weights leave of them. Snapshots: the share of a training's time that
keeping the probes' maps takes.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import keep
from torch import Tensor, nn

import convscope as cs
from convscope import explainers
from convscope.api import nest, training
from convscope.bundle import load_bundle
from convscope.layouts import draw_shapes
from convscope.pipeline.probes import Probes

SEEDS = range(3)


def equality() -> dict[str, float]:
    """Largest differences, as shares of the largest value; of ranks, how many places differ."""
    from captum import attr

    model, images = _trained()
    for module in model.modules():  # captum's hooks need layers that do not work in place
        if isinstance(module, nn.ReLU):
            module.inplace = False
    x, targets = images[:16], model(images[:16]).argmax(1)
    layer = "stages.2"
    occlusion = explainers.OcclusionSettings(window=7, stride=3)
    pairs = {
        "grad_cam": (
            explainers.grad_cam(model, x, layer, targets).values,
            attr.LayerGradCam(model, model.get_submodule(layer)).attribute(x, targets, relu_attributions=True),
        ),
        "input_gradients": (
            explainers.input_gradients(model, x, targets).values,
            attr.Saliency(model).attribute(x.clone().requires_grad_(), targets, abs=False),
        ),
        "integrated_gradients": (
            explainers.integrated_gradients(model, x, targets).values,
            attr.IntegratedGradients(model).attribute(x, torch.zeros_like(x), targets, n_steps=50),
        ),
        "occlusion": (
            explainers.occlusion(model, x, targets, occlusion).values,
            attr.Occlusion(model).attribute(x, (3, 7, 7), (3, 3, 3), baselines=0, target=targets)[:, :1],
        ),
    }
    found = {}
    for name, (ours, theirs) in pairs.items():
        found[name] = _difference(ours, theirs.detach().numpy())
        found[f"{name}: largest value"] = float(theirs.detach().abs().max())
    return found | _brute_force(model, layer, images)


def _trained() -> tuple[nn.Module, Tensor]:
    """A ResNet-18 after six epochs of the drawn shapes, and 300 shapes that it has not seen, as it takes them."""
    with tempfile.TemporaryDirectory() as folder:
        run = cs.train("shapes", out=Path(folder) / "run", epochs=6)
        print("trained to", run.history[-1]["validation"])
        model, config = load_bundle(run.path / "model")
    pixels = torch.from_numpy(draw_shapes(300, seed=1).images).movedim(-1, 1)
    return model.eval(), config.preprocessing(pixels)


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def _brute_force(model: nn.Module, layer: str, x: Tensor) -> dict[str, float]:
    from sklearn.neighbors import NearestNeighbors

    found = explainers.stimuli(model, layer, x.split(64), 9)
    maps = np.concatenate([explainers.activations(model, part, [layer])[layer].maps for part in x.split(64)])
    peaks = maps.max((2, 3)).T
    order = np.argsort(-peaks, axis=1, kind="stable")[:, :9]
    vectors = explainers.feature_vectors(model, layer, x.split(64)).astype(np.float64)
    theirs = NearestNeighbors(algorithm="brute").fit(vectors).kneighbors(n_neighbors=5)[1]
    return {
        "stimuli_ranks_that_differ": float((found.images != order).mean()),
        "stimuli_values": _difference(found.values, np.take_along_axis(peaks, order, 1)),
        "neighbours_ranks_that_differ": float((explainers.nearest(vectors, 5).indices != theirs).mean()),
    }


def planted(seed: int) -> dict[str, Any]:
    """The pointing game on images whose bright square decides the class, and the randomisation check."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2),
    )  # fmt: skip
    (x, targets, _), (unseen, truth, masks) = _squares(600, 2 * seed), _squares(300, 2 * seed + 1)
    adam = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(8):
        for part in torch.randperm(len(x)).split(32):
            adam.zero_grad()
            nn.functional.cross_entropy(model(x[part]), targets[part]).backward()
            adam.step()
    model.eval()
    x, masks = unseen[truth == 1], masks[truth == 1].numpy()
    ones = torch.ones(len(x), dtype=torch.int64)
    with torch.no_grad():
        accuracy = (model(unseen).argmax(1) == truth).float().mean().item()
    maps = {
        "grad_cam": lambda net: explainers.grad_cam(net, x, "7", ones).maps,
        "layer_cam": lambda net: explainers.layer_cam(net, x, "4", ones).maps,
        "integrated_gradients": lambda net: explainers.integrated_gradients(net, x, ones).maps,
        "occlusion": lambda net: explainers.occlusion(
            net, x, ones, explainers.OcclusionSettings(window=6, stride=3)
        ).maps,
    }  # fmt: skip
    found: dict[str, Any] = {"accuracy": accuracy, "images": len(x)}
    for name, made in maps.items():
        found[name] = explainers.pointing_game(made(model), masks).to_json()
        if name in ("grad_cam", "layer_cam"):
            found[name]["correlation_once_all_is_random"] = explainers.cascade(model, made).to_json()["all_random"]
    return found


def _squares(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Noise of which half the images hold a bright square; where it is, or would be."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.3 + 0.08 * torch.randn(count, 1, 32, 32, generator=generator)
    targets = torch.randint(2, (count,), generator=generator)
    masks = torch.zeros(count, 32, 32, dtype=torch.bool)
    for i, (top, left) in enumerate(torch.randint(0, 25, (count, 2), generator=generator).tolist()):
        masks[i, top : top + 7, left : left + 7] = True
        if targets[i]:
            x[i, 0, top : top + 7, left : left + 7] = 0.9
    return (x - 0.3) / 0.2, targets, masks


def snapshots(source: str, epochs: int) -> dict[str, float]:
    """The share of a training's time that choosing the probes and keeping their maps takes."""
    took: list[float] = []

    def timed(method: Any) -> Any:
        def call(*given: Any) -> Any:
            began = time.perf_counter()
            try:
                return method(*given)
            finally:
                took.append(time.perf_counter() - began)

        return call

    chosen, kept = Probes.choose, Probes.keep
    Probes.choose, Probes.keep = timed(chosen), timed(kept)  # type: ignore[method-assign]
    try:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            _drain(training(source, Path(folder) / "run", nest({"train.epochs": epochs})))
            whole = time.perf_counter() - began
            size = sum(file.stat().st_size for file in (Path(folder) / "run" / "probes").iterdir())
    finally:
        Probes.choose, Probes.keep = chosen, kept  # type: ignore[method-assign]
    return {
        "share": sum(took) / whole,
        "seconds_an_epoch": float(np.median(took[1:])),
        "whole_seconds": whole,
        "bytes": size,
    }


def _drain(events: Iterator[object]) -> None:
    for _ in events:
        pass


def main(given: argparse.Namespace) -> None:
    """Measure what was asked for, print it, and keep it."""
    found: dict[str, Any] = {}
    if "equality" in given.parts:
        found["equality"] = equality()
    if "planted" in given.parts:
        found["planted"] = {f"seed {seed}": planted(seed) for seed in SEEDS}
    if "snapshots" in given.parts:
        found["snapshots"] = {Path(name).name: snapshots(name, given.epochs) for name in given.data}
    for part, figures in found.items():
        print(part)
        for name, value in figures.items():
            print(f"  {name}: {value}")
    if given.out:
        keep(given.out, {"command": "benchmarks/inside.py", **found}, "captum", "scikit-learn")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = ["equality", "planted", "snapshots"]
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(every)} [all]")
    parser.add_argument("--data", nargs="*", default=["digits", "shapes"])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    given.parts = given.parts or every
    if unknown := set(given.parts) - set(every):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(every)}")
    main(given)
