"""The end of a training: the best network's validation answers, and the report."""

import time
from dataclasses import replace
from pathlib import Path

from convscope.bundle import load_config, save_bundle, save_config
from convscope.pipeline.session import Trainee
from convscope.report.insights import keep_first_look
from convscope.report.report import crops_sentence, write_report
from convscope.runs.environment import add_seconds
from convscope.runs.events import Finished
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import Prepared
from convscope.runs.overfitting import overfitting
from convscope.runs.predictions import Answers, answered, ask


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
    crops, answers = answer(folder, prepared, trainee)
    tuned = answers.task.tuned(answers.meter)
    if tuned != answers.task:
        answers = replace(answers, task=tuned, meter=tuned.meter(answers.meter.arrays()))
    config = load_config(folder.model)
    save_config(folder.model, config.model_copy(update={"crops": crops, "task_settings": tuned.settings()}))
    scores = answers.meter.scores()
    before = time.monotonic()
    keep_first_look(folder, prepared, trainee.clock)
    total = add_seconds(folder, resumed_at, before - began)
    report: Path = write_report(folder, prepared.dataset)
    total += time.monotonic() - before
    told = crops_sentence(folder)
    return Finished(folder.path, report, scores, trainee.kept_epoch, overfitting(folder), total, tuned.name, told)


def answer(folder: RunFolder, prepared: Prepared, trainee: Trainee) -> tuple[str, Answers]:
    """The answers on the validation images, and the looks at each that they are the mean of.

    Several looks are kept where they are asked for, or where they make fewer mistakes beyond what may be chance.
    """
    crops, clock, free = trainee.crops, trainee.clock, trainee.recipe.train.crops == "auto"
    if free and clock and clock.seconds - clock.spent < trainee.answering(crops):
        crops = "1"
    answers = ask(folder, prepared, "validation", crops)
    if crops == "1" or not free:
        return crops, answers
    once = answered(folder, "validation")
    gain = answers.task.gained(once.meter, answers.meter)
    return (crops, answers) if gain and gain.low > 0 else ("1", once)
