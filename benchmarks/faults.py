"""Plant faults in data and in trainings, and count what `convscope diagnose` finds of them and in healthy controls.

    python benchmarks/faults.py FOLDER [FOLDER ...] [--networks lenet mlp] [--seeds 0] [--out lines.jsonl]

Each FOLDER has a subfolder per class, also inside train/. Of each class, 60 images are copied. Every fault is planted
in every data set, with every network where it trains one. A control is the same without the fault. A finding in a
control is false, but for those of the data set itself that --known names. One JSON line per case; then recall (one of
the fault's kinds is among the findings shown), how often it is the first, how often learning faults are named while
training, and precision (cases with the fault found, of these and the controls with a finding).
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import convscope as cs
from convscope.api import ProblemFound, training
from convscope.errors import TrainingError

SIDE, EACH, MOST_CLASSES = 32, 60, 6
Plant = Callable[[Path, random.Random], None]
LEARNING: dict[str, tuple[dict, set[str]]] = {
    "zero weights": ({"model.init": "zeros"}, {"identical_units"}),
    "unit variance": ({"model.init": "normal"}, {"high_initial_loss", "exploding_gradients", "loss_not_finite"}),
    "rate 1e-7": ({"optimiser.learning_rate": 1e-7, "optimiser.name": "sgd"}, {"small_updates"}),
    "rate 1e4": (
        {"optimiser.learning_rate": 1e4, "optimiser.name": "sgd", "optimiser.nesterov": False},
        {"loss_not_finite", "diverging_loss"},
    ),
    "decay 10": (
        {"optimiser.name": "sgd", "optimiser.weight_decay": 10.0, "optimiser.learning_rate": 0.1},
        {"strong_weight_decay"},
    ),
    "20 sigmoid layers": ({"model.name": "SIGMOID"}, {"vanishing_gradients"}),
    "20 tanh layers, small weights": (
        {"model.name": "TANH", "model.init": "small_normal"}, {"vanishing_gradients"},
    ),
    "ReLU after the logits": ({"model.name": "RELU_END"}, {"activation_after_logits"}),
    "sigmoid after the logits": ({"model.name": "SIGMOID_END"}, {"activation_after_logits"}),
    "batches of 2 with batch norm": ({"model.name": "NORMS", "train.batch": 2}, {"batches_too_small"}),
}  # fmt: skip
BLOCKS = {
    "SIGMOID": '{blocks = [{conv = 16}, {act = "sigmoid"}], repeat = 20}, {gap = true}, {linear = "classes"}',
    "TANH": '{blocks = [{conv = 16}, {act = "tanh"}], repeat = 20}, {gap = true}, {linear = "classes"}',
    "RELU_END": '{conv = 16}, {act = "relu"}, {pool = "max"}, {gap = true}, {linear = "classes"}, {act = "relu"}',
    "SIGMOID_END": '{conv = 16}, {act = "relu"}, {pool = "max"}, {gap = true}, {linear = "classes"}, {act = "sigmoid"}',
    "NORMS": '{conv = 8}, {norm = "batch"}, {act = "relu"}, {pool = "max"}, {gap = true}, {linear = "classes"}',
}


def main() -> None:
    """Print one line per case and the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--networks", nargs="+", default=["lenet", "mlp"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--known", nargs="*", default=[], help="kinds that are true of the data sets themselves")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    cases = []
    for folder in given.folders:
        for seed in given.seeds:
            for case in chain(data_cases(folder, seed), learning_cases(folder, seed, given)):
                case["false"] = [kind for kind in case["found"] if case["fault"] == "none" and kind not in given.known]
                cases.append(case)
                print(json.dumps(case), flush=True)
                if given.out:
                    with given.out.open("a") as file:
                        file.write(json.dumps(case) + "\n")
    summarise(cases)


def summarise(cases: list[dict]) -> None:
    """Print the shares over all cases, by group."""
    for group in ("data", "learning"):
        planted = [case for case in cases if case["group"] == group and case["fault"] != "none"]
        controls = [case for case in cases if case["group"] == group and case["fault"] == "none"]
        hits = [case for case in planted if set(case["kinds"]) & set(case["found"])]
        first = [case for case in hits if case["found"][0] in case["kinds"]]
        false = [case for case in controls if case["false"]]
        print(
            f"{group}: {len(hits)} of {len(planted)} faults found, {len(first)} of them first; {len(false)} of "
            f"{len(controls)} controls with a finding; precision {len(hits) / max(len(hits) + len(false), 1):.2f}"
        )
        for case in planted:
            if case not in hits:
                print(f"  missed: {case['fault']} in {case['data']}, {case['network']}: found {case['found']}")
        if group == "learning":
            early = [case for case in hits if case["epoch"] is not None and case["epoch"] <= 1]
            print(f"  named after the first epoch: {len(early)} of {len(hits)}")


def sample(folder: Path, out: Path, generator: random.Random) -> Path:
    """Copy 60 images of each of at most six classes as 32 px PNG files."""
    source = folder / "train" if (folder / "train").is_dir() else folder
    classes = sorted(path for path in source.iterdir() if path.is_dir())
    for path in sorted(generator.sample(classes, min(MOST_CLASSES, len(classes)))):
        (out / path.name).mkdir(parents=True)
        files = sorted(path.iterdir())
        for number, file in enumerate(generator.sample(files, min(EACH, len(files)))):
            try:
                with Image.open(file) as image:
                    ImageOps.fit(image.convert("RGB"), (SIDE, SIDE)).save(out / path.name / f"{number:03}.png")
            except OSError:
                continue
    return out


def changed(share: float, change: Callable[[np.ndarray], np.ndarray]) -> Plant:
    """A change of the pixels of a share of the first class's images."""

    def plant(folder: Path, generator: random.Random) -> None:
        for file in sorted(next(iter(sorted(folder.iterdir()))).iterdir()):
            if generator.random() < share:
                with Image.open(file) as image:
                    pixels = np.array(image)
                Image.fromarray(change(pixels).astype(np.uint8)).save(file)

    return plant


def marked(pixels: np.ndarray) -> np.ndarray:
    """A red square in a corner."""
    pixels[-5:, -5:] = (255, 0, 0)
    return pixels


def with_border(pixels: np.ndarray) -> np.ndarray:
    """A white border."""
    pixels[:3] = pixels[-3:] = 255
    pixels[:, :3] = pixels[:, -3:] = 255
    return pixels


def as_jpeg(folder: Path, _generator: random.Random) -> None:
    """The first class as JPEG files."""
    for file in sorted(next(iter(sorted(folder.iterdir()))).iterdir()):
        with Image.open(file) as image:
            image.save(file.with_suffix(".jpg"), quality=60)
        file.unlink()


def relabelled(folder: Path, generator: random.Random) -> None:
    """Copies of five images in the folder of another class."""
    first, second = sorted(folder.iterdir())[:2]
    for file in generator.sample(sorted(first.iterdir()), 5):
        shutil.copy(file, second / f"copy{file.name}")


def blank(folder: Path, generator: random.Random) -> None:
    """Five images of one value."""
    for file in generator.sample(sorted(folder.rglob("*.png")), 5):
        Image.new("RGB", (SIDE, SIDE), (128, 128, 128)).save(file)


def two_names(folder: Path, _generator: random.Random) -> None:
    """Half of the first class under its name in upper case and with a hyphen."""
    first = sorted(folder.iterdir())[0]
    other = folder / f"{first.name[:1]}-{first.name[1:]}"
    other.mkdir()
    for file in sorted(first.iterdir())[::2]:
        shutil.move(file, other)


def rare(folder: Path, _generator: random.Random) -> None:
    """Five images left of the first class."""
    for file in sorted(sorted(folder.iterdir())[0].iterdir())[5:]:
        file.unlink()


def leaking(folder: Path, generator: random.Random) -> None:
    """Own splits, of which test has copies of ten training images."""
    for path in sorted(folder.iterdir()):
        for split in ("train", "test"):
            (folder / split / path.name).mkdir(parents=True)
        for number, file in enumerate(sorted(path.iterdir())):
            shutil.move(file, folder / ("test" if number % 4 == 0 else "train") / path.name)
        path.rmdir()
    for file in generator.sample(sorted((folder / "train").rglob("*.png")), 10):
        shutil.copy(file, folder / "test" / file.parent.name / f"again{file.name}")


DATA: dict[str, tuple[Plant, set[str]]] = {
    "darker": (changed(1, lambda x: x * 0.35), {"shortcuts"}),
    "low contrast": (changed(1, lambda x: 100 + (x.astype(float) - 100) * 0.2), {"shortcuts"}),
    "tinted": (changed(1, lambda x: x * [1.0, 0.75, 0.6]), {"shortcuts"}),
    "corner mark": (changed(0.95, marked), {"shortcuts"}),
    "border": (changed(0.95, with_border), {"shortcuts"}),
    "JPEG files": (as_jpeg, {"shortcuts"}),
    "copies with other labels": (relabelled, {"copies_with_different_labels"}),
    "blank": (blank, {"blank_images", "copies_with_different_labels"}),
    "two names": (two_names, {"similar_class_names"}),
    "rare class": (rare, {"imbalance"}),
    "leaks": (leaking, {"leaks"}),
}


def data_cases(folder: Path, seed: int) -> Iterator[dict]:
    """Each fault of the data, and as many controls of other samples."""
    for number, (name, (plant, kinds)) in enumerate(DATA.items()):
        for fault in (name, "none"):
            with tempfile.TemporaryDirectory() as temporary:
                generator = random.Random(f"{seed} {number} {fault}")
                data = sample(folder, Path(temporary) / "data", generator)
                if fault != "none":
                    plant(data, generator)
                started = time.perf_counter()
                found = [one.kind for one in cs.diagnose(data).shown if one.kind != "few_images_to_evaluate"]
                yield {
                    "group": "data", "data": folder.name, "network": "", "seed": seed, "fault": fault,
                    "kinds": sorted(kinds), "found": found, "seconds": round(time.perf_counter() - started, 1),
                }  # fmt: skip


def learning_cases(folder: Path, seed: int, given: argparse.Namespace) -> Iterator[dict]:
    """Each fault of the training with each network, and as many healthy trainings."""
    for network in given.networks:
        for number, (name, (settings, kinds)) in enumerate(LEARNING.items()):
            own = "model.name" in settings
            if own and network != given.networks[0]:
                continue
            for fault in (name, "none"):
                with tempfile.TemporaryDirectory() as temporary:
                    data = sample(folder, Path(temporary) / "data", random.Random(f"{seed} {number} {network}"))
                    changes = dict(settings) if fault != "none" else {}
                    if changes.get("model.name") in BLOCKS:
                        changes["model.name"] = toml(Path(temporary), changes["model.name"], len(list(data.iterdir())))
                    fixed = {"model.name": network, "train.epochs": given.epochs, "train.threads": 1, "seed": seed}
                    found, epoch = learned(data, Path(temporary) / "run", {**fixed, **changes})
                yield {
                    "group": "learning", "data": folder.name, "network": "own" if own else network, "seed": seed,
                    "fault": fault, "kinds": sorted(kinds), "found": found, "epoch": epoch,
                }  # fmt: skip


def toml(folder: Path, name: str, classes: int) -> str:
    """Write a network of blocks; return its path."""
    file = folder / f"{name.lower()}.toml"
    file.write_text(f"input = [3, {SIDE}, {SIDE}]\nclasses = {classes}\nblocks = [{BLOCKS[name]}]\n")
    return str(file)


def learned(data: Path, run: Path, settings: dict) -> tuple[list[str], int | None]:
    """Train; return the kinds of the findings about the learning, and the epoch of the first warning."""
    epoch = None
    try:
        for event in training(str(data), run, settings):
            if isinstance(event, ProblemFound) and epoch is None:
                epoch = event.epoch
    except TrainingError:
        epoch = 1 if epoch is None else epoch
    # overfitting is true of most trainings on 60 images of a class, and a short training may still improve
    expected = {"overfitting", "still_improving"}
    found = cs.diagnose(run, checks=["learning"]).shown
    return [one.kind for one in found if one.kind not in expected], epoch


if __name__ == "__main__":
    sys.exit(main())
