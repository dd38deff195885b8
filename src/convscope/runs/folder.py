"""The run folder: its layout, and how it is created, opened and locked.

recipe.toml         every setting, resolved
data.json           the data summary, and the files of each split
environment.json    versions, machine, wall-clock time
range_test.json     loss by learning rate, with train.find_lr
events.jsonl        one line per step or epoch
confusions.jsonl    confusion matrices by epoch
test_evaluations.jsonl  each evaluation on the test split
checkpoint/         the training state, to resume from
model/              the selected network: model.safetensors + config.json
frozen_model/       with --from, until training ends: the network of the last epoch before unfreezing
transfer.json       with --from: the source of the weights, the fine-tuning plan, and the check of the frozen layers
predictions/        the predictions on a split
probes/             feature maps of fixed images by epoch
explain/            results of the explain methods: images and numbers
export/             exported forms of the network, and parity.json: the proof of their answers
corrections/        corrected labels, set in the explorer: corrections.json, and data.csv to train on
robustness.json     scores of transformed validation images, and their chart (.svg)
tensorboard/        scalars, with --log tensorboard
report.html         the report, self-contained
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from convscope.bundle import is_bundle
from convscope.errors import LockedError, RunError
from convscope.files import atomic_write, delete_temporary, read_lines
from convscope.runs.file_records import checked, is_event, record
from convscope.runs.parse import parse_recipe
from convscope.runs.recipe import Recipe
from convscope.runs.recipe_file import read_recipe
from convscope.training.checkpoint import LAST, PREVIOUS, WRITING

FORMAT = 3  # of the files in a run folder; goes up when a file or a key is renamed or changes its meaning
LOCK = ".lock"
WRITTEN_BEFORE_RECIPE = re.compile(
    r"\.lock|(data|environment|range_test|transfer)\.json|\.((data|environment|range_test|transfer)\.json|recipe\.toml)\.\d+"
)


class RunFolder:
    """The paths of a run, and access to its files."""

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
        self.corrections = path / "corrections"
        self.report = path / "report.html"
        self.robustness_file = path / "robustness.json"
        self.robustness_chart = path / "robustness.svg"
        self.tensorboard = path / "tensorboard"

    @classmethod
    @contextmanager
    def create(cls, path: Path) -> Iterator["RunFolder"]:
        """Create and lock a run folder; it is deleted when the body fails before the recipe is written.

        The files of a run that was killed before training started are overwritten.

        Raises:
            RunError: the path exists and is not such a folder, or cannot be written.
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
            RunError: it is not a run, has another format, or was stopped before training started.
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
        except (OSError, ValueError, AttributeError):  # whoever needs the file reports the error
            return
        if found != FORMAT:
            raise RunError(
                f"{self.path}: a run of format {found}, but this version of convscope reads format {FORMAT}; "
                "train it again or open it with the version that wrote it"
            )

    def _never_started(self) -> bool:
        """Whether the folder contains only files that a run writes before its recipe."""
        names = [file.name for file in self.path.iterdir()]
        return LOCK in names and all(WRITTEN_BEFORE_RECIPE.fullmatch(name) for name in names)

    def _clear(self, created: list[Path]) -> None:
        """Delete the files written so far, and the folders created for them if empty."""
        with suppress(OSError):
            for file in self.path.iterdir():
                if WRITTEN_BEFORE_RECIPE.fullmatch(file.name):
                    file.unlink()
            for folder in created:
                folder.rmdir()

    def has_checkpoint(self) -> bool:
        """Whether there is a state to resume from."""
        return (self.checkpoint / LAST).exists() or (self.checkpoint / PREVIOUS).exists()

    def trained_model(self) -> Path:
        """Return the folder of the run's network.

        Raises:
            RunError: no epoch is complete yet.
        """
        if not self.model.exists():
            raise RunError(
                f"{self.path}: no network saved yet; continue training with: convscope train --resume {self.path}"
            )
        return self.model

    def has_predictions(self, split: str) -> bool:
        """Whether predictions on a split are stored."""
        return (self.predictions / f"{split}.npz").exists()

    def recipe(self) -> Recipe:
        """Return the run's settings."""
        return parse_recipe(read_recipe(self.recipe_file))

    def data(self) -> dict[str, Any]:
        """Return the content of ``data.json``.

        Raises:
            RunError: it is missing or damaged.
        """
        return self._json(self.data_file)

    def environment(self) -> dict[str, Any]:
        """Return the content of ``environment.json``."""
        return self._json(self.environment_file)

    def transfer(self) -> dict[str, Any]:
        """Return the content of ``transfer.json``, of a run with pretrained weights."""
        return self._json(self.transfer_file)

    def _json(self, file: Path) -> dict[str, Any]:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            raise RunError(
                f"{file}: missing or damaged, so the run cannot be used; train again with another --out"
            ) from None
        return checked(content, file)

    def events(self, event_type: str | None = None) -> list[dict[str, Any]]:
        """Return the recorded events, all or of one type such as "epoch"; broken lines are skipped."""
        found = self._lines(self.events_file)
        return [event for event in found if event_type is None or event.get("event") == event_type]

    def forget_after(self, epoch: int) -> None:
        """Delete the events of epochs that a resumed run repeats."""
        for file in (self.events_file, self.confusions_file):
            kept = [line for line in self._lines(file) if line.get("epoch", 0) <= epoch]
            if kept or file.exists():
                atomic_write(file, "".join(json.dumps(e) + "\n" for e in kept).encode())

    @staticmethod
    def _lines(file: Path) -> list[dict[str, Any]]:
        return [record(line, file) for line in read_lines(file) if is_event(line)]

    def test_evaluations(self) -> list[dict[str, Any]]:
        """Return the recorded evaluations on the test split, oldest first."""
        return self._lines(self.test_evaluations_file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the run for writing, and delete what a killed process left unfinished.

        Raises:
            LockedError: another process has locked it.
        """
        try:
            with FileLock(self.path / LOCK, timeout=0):
                delete_temporary(self.path)
                (self.checkpoint / WRITING).unlink(missing_ok=True)
                yield
        except Timeout:
            raise LockedError(
                f"{self.path}: locked by another training process; wait for it to end or choose another run"
            ) from None


def model_folder(path: Path) -> Path:
    """Return the folder of a network: of a saved model, or inside a run.

    Raises:
        RunError: there is no such run, or it has no network yet.
    """
    return path if is_bundle(path) else RunFolder.open(path).trained_model()


def next_name(source: str, runs: Path = Path("runs")) -> Path:
    """Return the first unused ``runs/NAME-1``, ``-2`` ... for a data source."""
    stem = Path(source).expanduser().resolve().stem or "run"
    number = 1
    while (runs / f"{stem}-{number}").exists():
        number += 1
    return runs / f"{stem}-{number}"
