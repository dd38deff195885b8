"""The end of a training: the best network's validation answers, and the report."""

import time
from dataclasses import replace
from pathlib import Path

from convscope.deploy import load_config, save_bundle, save_config
from convscope.run.answers import ask
from convscope.run.environment import add_seconds
from convscope.run.events import Finished
from convscope.run.folder import RunFolder
from convscope.run.learned import keep_first_look
from convscope.run.prepare import Prepared
from convscope.run.report import overfitting, write_report
from convscope.run.trainee import Trainee


def conclude(folder: RunFolder, prepared: Prepared, trainee: Trainee, resumed_at: int, began: float) -> Finished:
    """Evaluate the kept network on the validation images and write the report.

    Args:
        folder: the run.
        prepared: its images.
        trainee: what was trained.
        resumed_at: the epoch at which this sitting began.
        began: when this sitting was started, by `time.monotonic`.
    """
    if not folder.model.exists():  # no epoch had a score that is a number: the last weights are all there is
        save_bundle(folder.model, trainee.state.result, trainee.config)
    answers = ask(folder, prepared, "validation")
    tuned = answers.task.tuned(answers.meter)
    if tuned != answers.task:
        answers = replace(answers, task=tuned, meter=tuned.meter(answers.meter.arrays()))
        config = load_config(folder.model)
        save_config(folder.model, config.model_copy(update={"task_settings": tuned.settings()}))
    scores = answers.meter.scores()
    before = time.monotonic()
    keep_first_look(folder, prepared, trainee.clock)
    total = add_seconds(folder, resumed_at, before - began)
    report: Path = write_report(folder, prepared.dataset)
    total += time.monotonic() - before
    return Finished(folder.path, report, scores, trainee.kept_epoch, overfitting(folder), total, tuned.name)
