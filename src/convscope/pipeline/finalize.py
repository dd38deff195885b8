"""The end of a training: final evaluation, and the report."""

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from convscope.bundle import load_config, save_bundle, save_config
from convscope.extras import MissingExtraError
from convscope.pipeline.session import TrainingSession
from convscope.reports.insights import write_first_insights
from convscope.reports.report import tta_sentence, write_report
from convscope.runs.environment import add_session
from convscope.runs.events import TrainingFinished
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData
from convscope.runs.overfitting import overfitting
from convscope.runs.predictions import SplitPredictions, load_predictions, predict_split, store_predictions


def finalize(
    folder: RunFolder, prepared: PreparedData, session: TrainingSession, resumed_at: int, started: float
) -> TrainingFinished:
    """Evaluate the selected network on the validation images and write the report.

    Args:
        folder: the run.
        prepared: its images.
        session: the training session.
        resumed_at: the epoch at which this session started.
        started: the start of this session by `time.monotonic`.
    """
    if not folder.model.exists():  # no epoch had a finite score: save the last weights
        save_bundle(folder.model, session.state.result, session.config)
    tta_views, predictions = _predict_validation(folder, prepared, session)
    calibrated = predictions.task.calibrate(predictions.meter)
    if calibrated != predictions.task:
        predictions = replace(predictions, task=calibrated, meter=calibrated.meter(predictions.meter.arrays()))
    config = load_config(folder.model)
    save_config(
        folder.model, config.model_copy(update={"tta_views": tta_views, "task_settings": calibrated.settings()})
    )
    scores = predictions.meter.scores()
    before = time.monotonic()
    used = session.energy.read(torch.get_num_threads())
    total, energy = add_session(folder, resumed_at, before - started, used)
    report: Path | None = None
    with suppress(MissingExtraError):  # the run is complete without a report too
        write_first_insights(folder, prepared, session.seconds_to_spare(insights=True))
        report = write_report(folder, prepared.dataset, session.state.result)
    total += time.monotonic() - before
    tta_note, (probe, neighbours) = tta_sentence(folder), session.feature_scores
    return TrainingFinished(
        folder.path,
        report,
        scores,
        session.kept_epoch,
        overfitting(folder),
        total,
        calibrated.name,
        tta_note,
        session.epoch_precision,
        probe,
        neighbours,
        energy,
    )


def _predict_validation(
    folder: RunFolder, prepared: PreparedData, session: TrainingSession
) -> tuple[str, SplitPredictions]:
    """Return the views of test-time augmentation, and the validation predictions averaged over them.

    Several views are used where the recipe sets them, or where they reduce the errors significantly.
    """
    known = session.last_evaluation if session.kept_epoch == session.state.epoch else None
    if known is not None and session.reuses_evaluation:
        return "1", store_predictions(folder, prepared, "validation", known)
    tta_views, automatic = session.tta_views, session.recipe.train.tta_views == "auto"
    if automatic and session.seconds_to_spare() < session.estimate_eval_seconds(tta_views):
        tta_views = "1"
    predictions = predict_split(folder, prepared, "validation", tta_views)
    if tta_views == "1" or not automatic:
        return tta_views, predictions
    single_view = load_predictions(folder, "validation")
    gain = predictions.task.paired_gain(single_view.meter, predictions.meter)
    return (tta_views, predictions) if gain and gain.low > 0 else ("1", single_view)
