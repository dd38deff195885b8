"""A run's folder: what lies where, and the rules by which it is written.

recipe.toml         every setting, resolved
data.json           what was read, and the three sets file by file
environment.json    versions, machine, seconds
range_test.json     loss against learning rate, where that was measured
events.jsonl        one line per step or epoch
confusions.jsonl    which classes were taken for which, epoch by epoch
test_evaluations.jsonl  each evaluation on the test set
checkpoint/         the last state
model/              the best network so far: model.safetensors + config.json
frozen_model/       the network as it was before its encoder began to learn, when it began with trained weights
transfer.json       whose weights it began with, what was frozen until when, and the proof
predictions/        what the network answered on a set, for the report
probes/             feature maps of fixed images, epoch by epoch
explain/            what was seen inside: pictures and numbers
robustness.json     scores of transformed validation images, and their chart (.svg)
tensorboard/        scalars, where they were asked for
report.html         one file, pictures inside
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from convscope.bundle import is_bundle
from convscope.errors import RunError
from convscope.files import atomic_write, read_lines
from convscope.runs.parse import parse_recipe
from convscope.runs.recipe import Recipe
from convscope.runs.recipe_file import read_recipe
from convscope.training.checkpoint import LAST, PREVIOUS

FORMAT = 2  # of the files in a run folder; goes up when a file or a key is renamed or changes its meaning
LOCK = ".lock"
BEFORE_RECIPE = re.compile(
    r"\.lock|(data|environment|range_test|transfer)\.json|\.((data|environment|range_test|transfer)\.json|recipe\.toml)\.\d+"
)


class RunFolder:
    """The paths of a run and its line-by-line files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe_file = path / "recipe.toml"
        self.data_file = path / "data.json"
        self.environment_file = path / "environment.json"
        self.range_test_file = path / "range_test.json"
        self.events_file = path / "events.jsonl"
        self.confusions_file = path / "confusions.jsonl"
        self.test_evaluations_file = path / "test_evaluations.jsonl"
        self.checkpoint = path / "checkpoint"
        self.model = path / "model"
        self.frozen_model = path / "frozen_model"
        self.transfer_file = path / "transfer.json"
        self.predictions = path / "predictions"
        self.probes = path / "probes"
        self.explain_dir = path / "explain"
        self.report = path / "report.html"
        self.robustness_file = path / "robustness.json"
        self.robustness_chart = path / "robustness.svg"
        self.tensorboard = path / "tensorboard"

    @classmethod
    @contextmanager
    def create(cls, path: Path) -> Iterator["RunFolder"]:
        """A new run folder, held for writing; it is gone again when what follows fails before the recipe is written.

        What a run left that was killed before it began to train is overwritten.

        Raises:
            RunError: when something else is there already, or it cannot be written.
        """
        run = cls(path)
        if run.recipe_file.exists():
            raise RunError(
                f"{path}: a run already exists; choose another folder with --out, "
                f"or continue it: convscope train --resume {path}"
            )
        created = [folder for folder in (path, *path.parents) if not folder.exists()]
        if not created and not (path.is_dir() and (run._never_started() or not any(path.iterdir()))):
            raise RunError(f"{path}: already exists and is not a run; choose another folder with --out")
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / LOCK).touch()
        except OSError as error:
            raise RunError(f"{path}: cannot be written ({error.strerror}); choose another folder with --out") from None
        with run.locked():
            try:
                yield run
            finally:
                if not run.recipe_file.exists():
                    run._clear(created)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Open an existing run.

        Raises:
            RunError: when it is none, was written in another format, or its training was stopped before it had said
                what it would do.
        """
        run = cls(path)
        if not path.exists():
            raise RunError(f"{path}: no such run; create it with: convscope train DATA --out {path}")
        if run.recipe_file.exists():
            run._check_format()
            return run
        if path.is_dir() and run._never_started():
            raise RunError(
                f"{path}: stopped before training started, so nothing is lost; "
                f"start it again: convscope train DATA --out {path}"
            )
        raise RunError(f"{path}: not a run, because it has no recipe.toml; give a folder that convscope train wrote")

    def _check_format(self) -> None:
        try:
            found = json.loads(self.environment_file.read_text(encoding="utf-8")).get("format", 1)
        except (OSError, ValueError, AttributeError):  # who needs the file says what is wrong with it
            return
        if found != FORMAT:
            raise RunError(
                f"{self.path}: a run of format {found}, and this version of convscope reads format {FORMAT}; "
                "train it again or open it with the version that wrote it"
            )

    def _never_started(self) -> bool:
        """Whether the folder holds what a run writes before its recipe, and nothing else."""
        names = [file.name for file in self.path.iterdir()]
        return LOCK in names and all(BEFORE_RECIPE.fullmatch(name) for name in names)

    def _clear(self, created: list[Path]) -> None:
        """Delete what was written, and the folders that were made for it as far as they are empty."""
        with suppress(OSError):
            for file in self.path.iterdir():
                if BEFORE_RECIPE.fullmatch(file.name):
                    file.unlink()
            for folder in created:
                folder.rmdir()

    def has_checkpoint(self) -> bool:
        """Whether an epoch was ever finished and kept."""
        return (self.checkpoint / LAST).exists() or (self.checkpoint / PREVIOUS).exists()

    def trained_model(self) -> Path:
        """The folder of the run's network.

        Raises:
            RunError: when no epoch was finished yet.
        """
        if not self.model.exists():
            raise RunError(
                f"{self.path}: no network saved yet; continue training with: convscope train --resume {self.path}"
            )
        return self.model

    def has_predictions(self, split: str) -> bool:
        """Whether the network was asked about a set."""
        return (self.predictions / f"{split}.npz").exists()

    def recipe(self) -> Recipe:
        """The run's settings."""
        return parse_recipe(read_recipe(self.recipe_file))

    def data(self) -> dict[str, Any]:
        """The content of ``data.json``.

        Raises:
            RunError: when training never came so far as to write it, or it is damaged.
        """
        return self._json(self.data_file)

    def environment(self) -> dict[str, Any]:
        """The content of ``environment.json``."""
        return self._json(self.environment_file)

    def transfer(self) -> dict[str, Any]:
        """The content of ``transfer.json``, of a run that began with trained weights."""
        return self._json(self.transfer_file)

    def _json(self, file: Path) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise RunError(
                f"{file}: missing or damaged, so the run cannot be used; train again with another --out"
            ) from None
        return content

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The recorded events, all or of one kind; a line that a kill cut off is passed over."""
        return [e for e in read_lines(self.events_file) if kind is None or e["event"] == kind]

    def forget_after(self, epoch: int) -> None:
        """Drop the events of epochs that a resumed run will live through again."""
        for file in (self.events_file, self.confusions_file):
            kept = [e for e in read_lines(file) if e.get("epoch", 0) <= epoch]
            if kept or file.exists():
                atomic_write(file, "".join(json.dumps(e) + "\n" for e in kept).encode())

    def test_evaluations(self) -> list[dict[str, Any]]:
        """Each look at the test set so far, oldest first."""
        return read_lines(self.test_evaluations_file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for writing.

        Raises:
            RunError: when another process trains in it right now.
        """
        try:
            with FileLock(self.path / LOCK, timeout=0):
                yield
        except Timeout:
            raise RunError(f"{self.path}: locked by another training process; wait for it to end or choose another run") from None


def model_folder(path: Path) -> Path:
    """The folder of a network: a saved model's own, or that inside a run.

    Raises:
        RunError: there is no such run, or no network in it yet.
    """
    return path if is_bundle(path) else RunFolder.open(path).trained_model()


def next_name(source: str, runs: Path = Path("runs")) -> Path:
    """The first free ``runs/NAME-1``, ``-2`` ... for a data source."""
    stem = Path(source).expanduser().resolve().stem or "run"
    number = 1
    while (runs / f"{stem}-{number}").exists():
        number += 1
    return runs / f"{stem}-{number}"
