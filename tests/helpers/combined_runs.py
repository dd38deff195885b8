"""Trainings with combined options, and what can be done with their runs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
import torch
from fastapi.testclient import TestClient

from convscope.api import Epoch, RunFolder, Step, training
from convscope.bundle import BundleConfig, load_config, save_bundle
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.explorer import Session, application
from convscope.models import build, resolve
from convscope.tasks import TASKS
from helpers.combined_options import CHANNELS, DENSE, MODELS_OF, SIZES, TASKS_OF, model_options
from helpers.explorer_client import HOME, TOKEN
from helpers.layout_writers import COUNT, HEIGHT, WIDTH, examples, image_file, write
from helpers.pairwise import Case

Run = Callable[..., tuple[int, str, str]]
"""The command line: from arguments to exit code, output and error output."""

BUDGETS = {"none": 0.0, "used up": 1.0, "a fifth of a second": 3.2}
"""Seconds; three are reserved for the report."""
UNFREEZE = {"run, frozen": 0, "run, unfrozen": 2}
VALIDATION = 0.25
NO_FILES = ("arrays", "idx", "cifar", "builtin")  # layouts whose images are no files


@dataclass(frozen=True)
class Place:
    """Folders of a case: `data` and `weights` may be shared by cases."""

    case: Case
    number: int
    shared: Path
    own: Path

    @property
    def model(self) -> str:
        """The network: that of its kind whose turn it is."""
        names = MODELS_OF[self.case["model"]]
        return names[self.number % len(names)]

    @property
    def run(self) -> Path:
        return self.own / "run"

    def data(self) -> str:
        """What is trained on; written once for all cases with the same layout, task and channels."""
        case = self.case
        held, task = TASKS_OF[case["layout"]], case["task"]
        target = TASKS[task if task in held else held[0]].target_kind
        channels = CHANNELS[case["channels"]][0]
        folder = self.shared / f"{case['layout']}-{target}-{channels}"
        place = folder / "source.txt"
        if not place.exists():
            inner = folder / "data"
            inner.mkdir(parents=True)
            place.write_text(write(case["layout"], inner, target, channels))
        return place.read_text()

    def weights(self) -> Path:
        """The folder of a saved network with random weights, of the family, channels and size of the case."""
        case = self.case
        channels = max(CHANNELS[case["channels"]][1], 0) or CHANNELS[case["channels"]][0]
        side = SIZES[case["size"]] or [HEIGHT, WIDTH]
        size = (side, side) if isinstance(side, int) else tuple(side)
        folder = self.shared / f"weights-{self.model}-{channels}-{size[0]}"
        if not folder.exists():
            save_weights(folder, self.model, channels, size)
        return folder


def save_weights(folder: Path, model: str, channels: int, size: tuple[int, ...]) -> None:
    """Save a narrow network of a family with random weights."""
    torch.manual_seed(0)
    task = "segment" if model in DENSE else "classify"
    config = BundleConfig(
        task=task,
        classes=("w", "x", "y", "z"),
        architecture=resolve(model, 4, channels, size, model_options(model)),
        preprocessing=ImagePreprocessing(size=size, channels=channels, mean=(0.4,) * channels, std=(0.2,) * channels),
        num_parameters=1,
    )
    save_bundle(folder, build(config.architecture), config)


def settings_of(place: Place) -> dict[str, Any]:
    """The settings of a training, nested as in a recipe."""
    case = place.case
    found: dict[str, Any] = {
        "task": case["task"],
        "data": {"layout": case["layout"], "validation": VALIDATION, "test": 0.15},
        "train": {
            "epochs": 2, "batch": 8, "threads": 1, "probes": 1, "precision": case["precision"],
            "budget": BUDGETS[case["budget"]],
        },
        "augment": {"policy": case["augmentation"], "mix": case["mix"]},
    }  # fmt: skip
    if SIZES[case["size"]]:
        found["data"]["size"] = SIZES[case["size"]]
    if CHANNELS[case["channels"]][1]:
        found["data"]["channels"] = CHANNELS[case["channels"]][1]
    named = {"name": place.model, "options": model_options(place.model)}
    if case["transfer"] == "scratch":
        return {**found, "model": named, "transfer": {"checkpoint": "scratch"}}
    weights = place.weights()
    if case["transfer"] == "weights file":
        file = weights.with_name(f"{weights.name}.safetensors")
        file.write_bytes((weights / "model.safetensors").read_bytes())
        return {**found, "model": named, "transfer": {"checkpoint": str(file)}}
    unfreeze = {"unfreeze_at": UNFREEZE[case["transfer"]]} if case["transfer"] in UNFREEZE else {}
    return {**found, "transfer": {"checkpoint": str(weights), **unfreeze}}


def trained(place: Place, convscope: Run) -> list[tuple[int, str, str]]:
    """Train, stop and resume as the case says; what the command line answered."""
    settings, resume = settings_of(place), place.case["resume"]
    if resume in STOPS:
        stop_at(place, settings, STOPS[resume])
        return [convscope("train", "--resume", place.run)]
    recipe = place.own / "settings.toml"
    flags = ["--task", settings.pop("task"), "--layout", settings["data"].pop("layout")]
    flags += ["--from", settings.pop("transfer")["checkpoint"]] if set(settings["transfer"]) == {"checkpoint"} else []
    flags += ["--budget", f"{settings['train'].pop('budget'):g}s"] if place.case["budget"] != "none" else []
    recipe.write_text(tomli_w.dumps(settings))
    answers = [convscope("train", place.data(), "--recipe", recipe, "--out", place.run, *flags)]
    if resume == "finished" and not answers[0][0]:
        answers.append(convscope("train", "--resume", place.run))
    return answers


STOPS = {"stopped in an epoch": Step, "stopped after an epoch": Epoch}


def stop_at(place: Place, settings: dict[str, Any], kind: type) -> None:
    """Train until the first event of a kind."""
    events = training(place.data(), place.run, settings)
    for event in events:
        if isinstance(event, kind):
            break
    events.close()


def images_of(place: Place) -> list[str]:
    """A few files to predict, of the data of the case where it lies in files, else of the same channels."""
    source = Path(place.data())
    if place.case["layout"] == "series":
        return [str(source)]  # with a prediction for each of its rows
    folder = source if source.is_dir() else source.parent
    if place.case["layout"] in NO_FILES:
        folder = place.own / "pictures"
        for number, example in enumerate(examples(CHANNELS[place.case["channels"]][0], 3)):
            image_file(folder / f"{number}", example)
    found = sorted(file for ending in ("png", "tif", "wav") for file in folder.rglob(f"*.{ending}"))
    return [str(file) for file in found if file.parent.name not in ("masks", "targets")][:3]


def check_predict(place: Place, answer: str) -> None:
    lines = [json.loads(line) for line in answer.splitlines()]
    assert len(lines) == (COUNT if place.case["layout"] == "series" else len(images_of(place)))
    assert "NaN" not in answer
    assert all("error" not in line for line in lines)


def check_report(place: Place, _answer: str) -> None:
    task = load_config(RunFolder(place.run).model).build_task()
    page = (place.run / "report.html").read_text(encoding="utf-8")
    assert f"validation {task.score_name(task.primary)}" in page


def check_json(_place: Place, answer: str) -> None:
    """One object, or one for each line."""
    assert json.loads(answer) if answer.startswith("{\n") else [json.loads(line) for line in answer.splitlines()]


def check_features(place: Place, _answer: str) -> None:
    vectors = np.load(place.own / "features" / "features.npy")
    assert len(vectors)
    assert np.isfinite(vectors).all()


def explored(place: Place) -> tuple[int, str, str]:
    """What the explorer answers about a run, its network and an image; a refusal as the command line gives it."""
    app = application(Session.open(place.run), TOKEN)
    with TestClient(app, base_url=HOME, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for path in ("run", "network", "curves", "images?count=3", "inputs/validation-0"):
            response = client.get(f"/api/{path}")
            if response.status_code != 200:
                return 2, "", f"{path}: {response.status_code} {response.text}"
    return 0, "", ""


def anything(_place: Place, _answer: str) -> None:
    """The exit code says enough."""


VERBS: dict[str, tuple[Callable[[Place], list[Any]], Callable[[Place, str], None]]] = {
    "predict": (lambda place: ["predict", place.run, *images_of(place), "--json"], check_predict),
    "report": (lambda place: ["report", place.run], check_report),
    "diagnose": (lambda place: ["diagnose", place.run, "--json"], check_json),
    "attribution": (lambda place: ["explain", place.run, "attribution"], anything),
    "stimuli": (lambda place: ["explain", place.run, "stimuli"], anything),
    "features": (
        lambda place: ["features", place.run, place.data(), "--out", place.own / "features"], check_features
    ),
    "onnx": (lambda place: ["export", place.run, "--json"], check_json),
    "hub": (lambda place: ["export", place.run, "--to", "hub", "--json"], check_json),
    "robustness": (lambda place: ["robustness", place.run, "--json"], check_json),
    "compare": (lambda place: ["compare", place.run, place.run, "--json"], check_json),
    "inspect": (lambda place: ["inspect", place.run, "--json"], check_json),
}  # fmt: skip
