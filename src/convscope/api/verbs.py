"""The verbs as functions, and a run as something to hold in a notebook."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from convscope.api.evaluate import evaluate
from convscope.api.explain import AnalysisResult, explain
from convscope.bundle import FailedFile, Prediction, image_files, load_bundle, load_config
from convscope.bundle import predict as predictions
from convscope.bundle.bundle import CONFIG_FILE
from convscope.modules import channels_last
from convscope.pipeline import resuming, training
from convscope.report.text import as_lines
from convscope.runs.events import Event
from convscope.runs.folder import RunFolder, next_name
from convscope.runs.overrides import lay, settings_from_options
from convscope.runs.recipe_file import Settings, as_overrides
from convscope.tasks import Task


class Run:
    """A finished or stopped run; in a notebook it shows its report.

    Args:
        path: the run's folder.

    Raises:
        RunError: when it is none.
    """

    def __init__(self, path: str | Path) -> None:
        self.folder = RunFolder.open(Path(path))

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @property
    def history(self) -> list[dict[str, Any]]:
        """One record per epoch: "epoch", "train" and "validation" scores, "seconds", "learning_rate"."""
        return self.folder.events("epoch")

    def evaluate(self, split: str = "validation", tta_views: str | None = None) -> dict[str, Any]:
        """Scores on one of the run's sets, see `run.evaluate`; each look at "test" is recorded."""
        return evaluate(self.path, split, tta_views)

    def predict(
        self, files: str | Path | Sequence[str | Path], tta_views: str | None = None
    ) -> list[Prediction | FailedFile]:
        """Answers for files or folders of files, in their order; `tta_views` as for `evaluate`."""
        return list(predict(self.path, files, tta_views)[1])

    def explain(self, name: str, /, *, out: str | Path | None = None, **settings: Any) -> AnalysisResult:
        """Run an explain method, e.g. ``run.explain("attribution", images=["mistakes"], per_class=8)``."""
        return explain(self.path, name, settings, out=out)

    def resume(self) -> "Run":
        """Go on with a stopped run."""
        return _run_events(self.path, resuming(self.path))

    def _repr_html_(self) -> str:
        from html import escape

        page = self.folder.report.read_text(encoding="utf-8") if self.folder.report.exists() else f"<p>{self!r}</p>"
        return f'<iframe srcdoc="{escape(page)}" style="width:100%;height:720px;border:0"></iframe>'

    def __repr__(self) -> str:
        """The folder and how far it came."""
        return f"Run({str(self.path)!r}, {len(self.history)} epochs)"


def train(
    source: str | Path,
    *,
    out: str | Path | None = None,
    epochs: int | None = None,
    budget: float | str | None = None,
    seed: int | None = None,
    settings: Settings | None = None,
) -> Run:
    """Train a network on a folder, a table or a built-in, printing a line per epoch.

    Args:
        source: as for ``convscope train``.
        out: the run's folder; by default runs/NAME-1, -2 ...
        epochs: passes over the training images; by default chosen from the data.
        budget: wall-clock time for all of it, in seconds or like "5m".
        seed: fixes the split, the weights to begin with and the order.
        settings: a recipe.toml's path, or settings, nested or by dotted names: ``{"optimiser.learning_rate": 0.1}``.

    Raises:
        ConvscopeError: as its subclasses say.
    """
    source = str(source)
    arguments = {"epochs": ("train.epochs", epochs), "budget": ("train.budget", budget), "seed": ("seed", seed)}
    given = settings_from_options({f"train(..., {name}=...)": pair for name, pair in arguments.items()})
    overrides = lay(as_overrides(settings, "train(..., settings=...)"), given)
    path = Path(out) if out is not None else next_name(source)
    return _run_events(path, training(source, path, overrides))


def predict(
    run: str | Path, files: str | Path | Sequence[str | Path], tta_views: str | None = None
) -> tuple[tuple[str, ...], Iterator[Prediction | FailedFile]]:
    """The classes and the answers for files and folders of files, from a run's folder or a saved model's.

    With `tta_views`, one of `bundle.TTA_VIEWS`, the answer is the mean over several looks at each image, as for
    `evaluate`; by default over as many as the run found to pay.

    Raises:
        ConfigError: there are no such crops, or the answers are places and cannot be averaged.
        RunError: when there is no such run, or no network in it yet.
        ModelError: when its network cannot be opened.
        DataError: when a path does not exist.
    """
    path, given = Path(run), [files] if isinstance(files, str | Path) else files
    found = image_files([Path(file) for file in given])
    if not (path / CONFIG_FILE).exists():
        path = RunFolder.open(path).trained_model()
    model, config = load_bundle(path)
    model = channels_last(model, torch.device("cpu"))
    return config.classes, predictions(model, config, found, tta_views)


def task_of(run: str | Path) -> Task:
    """The task of a run, or of a saved model, as its network was trained for it.

    Raises:
        RunError: when there is no such run, or no network in it yet.
        ModelError: when what is there is none.
    """
    path = Path(run)
    return load_config(path if (path / CONFIG_FILE).exists() else RunFolder.open(path).trained_model()).build_task()


def _run_events(path: Path, events: Iterator[Event]) -> Run:
    for event in events:
        for line in as_lines(event):
            print(line, flush=True)
    return Run(path)
