"""A run as an object, with the functions of the API as methods."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convscope.launching.training import resuming
from convscope.reports.text import as_lines
from convscope.runs.events import Event
from convscope.runs.folder import RunFolder

if TYPE_CHECKING:
    from convscope.analysis.method import MethodSettings
    from convscope.analysis.result import AnalysisResult
    from convscope.api.compare import Comparison
    from convscope.api.evaluate import Evaluation
    from convscope.api.features import Features
    from convscope.api.predict import Predictions
    from convscope.api.robustness import Robustness
    from convscope.diagnosis.diagnosis import Diagnosis
    from convscope.exporters import ExportedFiles
    from convscope.models import ModelSummary


class Run:
    """A finished or stopped run; in a notebook it shows its report.

    Each method calls the function of the same name in `convscope` (here `cs`) with this run.

    Args:
        path: the run's folder.

    Raises:
        RunError: it is not a run.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.folder = RunFolder.open(Path(path).expanduser())

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @property
    def history(self) -> list[dict[str, Any]]:
        """One record per epoch: "epoch", "train" and "validation" scores, "seconds", "learning_rate"."""
        return self.folder.events("epoch")

    def resume(self, *, check_data: bool = False) -> "Run":
        """Continue the training; see `cs.resume`."""
        print_events(resuming(self.path, check_data=check_data))
        return Run(self.path)

    def evaluate(self, split: str = "validation", *, tta_views: str | None = None) -> "Evaluation":
        """Scores on one of the run's splits; see `cs.evaluate`."""
        from convscope.api.evaluate import evaluate

        return evaluate(self.path, split, tta_views=tta_views)

    def predict(
        self, files: str | Path | Sequence[str | Path], *, tta_views: str | None = None, processes: int = 1
    ) -> "Predictions":
        """Predictions for image files or folders of them, in their order; see `cs.predict`."""
        from convscope.api.predict import predict

        return predict(self.path, files, tta_views=tta_views, processes=processes)

    def diagnose(self, checks: Sequence[str] | None = None) -> "Diagnosis":
        """What is wrong, where, and what to change; see `cs.diagnose`."""
        from convscope.api.diagnose import diagnose

        return diagnose(self.path, checks=checks)

    def explain(
        self,
        method: str,
        /,
        settings: "Mapping[str, Any] | MethodSettings | None" = None,
        *,
        out: str | Path | None = None,
        **options: Any,
    ) -> "AnalysisResult":
        """Run an explain method: ``run.explain("attribution", images=["mistakes"], per_class=8)``; see `cs.explain`."""
        from convscope.api.explain import explain

        return explain(self.path, method, settings, out=out, **options)

    def export(
        self,
        to: str = "onnx",
        *,
        bare: bool = False,
        images: str | Path | Sequence[str | Path] = (),
        out: str | Path | None = None,
    ) -> "ExportedFiles":
        """Write the network for other programs, with proof of its answers; see `cs.export`."""
        from convscope.api.export import export

        return export(self.path, to, bare=bare, images=images, out=out)

    def inspect(self, shape: Sequence[int] | None = None, *, objects: int | None = None) -> "ModelSummary":
        """Summary of the network layer by layer; see `cs.inspect`."""
        from convscope.api.inspect import inspect

        return inspect(self.path, shape, objects=objects)

    def compare(self, *others: "str | PathLike[str]") -> "Comparison":
        """Comparison of the run with others; see `cs.compare`."""
        from convscope.api.compare import compare

        return compare([self.path, *others])

    def features(self, data: str | Path | None = None, *, out: str | Path | None = None, seed: int = 0) -> "Features":
        """The encoder's feature vectors of a data set, by default the run's own; see `cs.features`."""
        from convscope.api.features import features

        source = self.folder.data()["source"] if data is None else data
        return features(self.path, source, out=self.path / "features" if out is None else out, seed=seed)

    def robustness(self) -> "Robustness":
        """Scores of transformed validation images; see `cs.robustness`."""
        from convscope.api.robustness import robustness

        return robustness(self.path)

    def report(self) -> Path:
        """Render the report from what the run folder holds now; see `cs.report`."""
        from convscope.api.report import report

        return report(self.path)

    def __fspath__(self) -> str:
        """The run's folder, so that a run is accepted wherever a path is."""
        return str(self.path)

    def _repr_html_(self) -> str:
        file = self.folder.report
        page = file.read_text(encoding="utf-8") if file.exists() else f"<p>{escape(repr(self))}</p>"
        return f'<iframe sandbox srcdoc="{escape(page)}" style="width:100%;height:720px;border:0"></iframe>'

    def __repr__(self) -> str:
        """The folder and the number of epochs."""
        count = len(self.history)
        return f"Run({str(self.path)!r}, {count} epoch{'' if count == 1 else 's'})"


def print_events(events: Iterable[Event]) -> None:
    """Print the events of a training, one line per epoch."""
    for event in events:
        for line in as_lines(event):
            print(line, flush=True)
