"""What the explorer computes on demand: explain methods on the run's network, and the predictions of a split."""

from dataclasses import dataclass, replace
from typing import Any

from convscope.analysis.method import Method, MethodSettings, Split, setting
from convscope.analysis.registry import METHODS
from convscope.analysis.result import Findings
from convscope.analysis.runner import run_method
from convscope.analysis.target import AnalysisTarget, ImageSet
from convscope.api.evaluate import scores
from convscope.errors import ConfigError, did_you_mean
from convscope.explorer.backend.image_sets import ID, ImageSets
from convscope.explorer.backend.inputs import Inputs
from convscope.explorer.backend.live_run import LiveRun, LoadedModel
from convscope.progress import Progress
from convscope.runs.loaders import reload
from convscope.runs.predictions import predict_split


@dataclass(frozen=True, eq=False)
class JobContext:
    """The context of a job: the run, a network, its images and the cached inputs."""

    run: LiveRun
    loaded_model: LoadedModel
    image_sets: ImageSets
    inputs: Inputs

    @property
    def target(self) -> AnalysisTarget:
        """A private copy of the network, made while no hooks are on the original; it accepts image ids."""
        with self.run.lock:
            return replace(self.loaded_model.private_copy, lookup=self._image)

    def _image(self, text: str) -> ImageSet | None:
        """Return the image of an id such as "validation-3" or "own-..."; None for other strings."""
        is_id = text.startswith("own-") or ID.fullmatch(text)
        return self.inputs.images(text) if is_id else None


class PredictionsSettings(MethodSettings, frozen=True):
    """Settings of `predictions`."""

    split: Split = setting("train", "Split to evaluate.")


def _no_target(*_given: Any) -> Findings:
    raise ConfigError("predictions: need a run; use convscope evaluate")


PREDICTIONS = Method(
    name="predictions",
    title="Predictions",
    summary="The network's predictions for a split, saved in the run.",
    limitations="Limitations: predictions for training images do not measure generalisation.",
    settings=PredictionsSettings,
    run=_no_target,
)


def job_method(name: str) -> Method:
    """Return a method that can run as a job, by its name.

    Raises:
        ConfigError: no such method.
    """
    known = {**METHODS, PREDICTIONS.name: PREDICTIONS}
    if name not in known:
        raise ConfigError(f"method: no {name[:40]}{did_you_mean(name, known)}")
    return known[name]


def findings(context: JobContext, method: Method, settings: MethodSettings, on_progress: Progress) -> Findings:
    """Run a method in a job's context.

    Raises:
        ConvscopeError: as the method raises it.
    """
    if isinstance(settings, PredictionsSettings):
        return _predictions(context, settings, on_progress)
    return run_method(context.target, method, settings, on_progress)


def _predictions(context: JobContext, settings: PredictionsSettings, on_progress: Progress) -> Findings:
    prepared = reload(context.run.folder, (settings.split,))
    found = predict_split(context.run.folder, prepared, settings.split, on_progress=on_progress)
    numbers = {"images": len(found.names), "scores": scores(found)}
    return Findings({}, numbers, (f"{len(found.names):,} images predicted",), data=numbers)
