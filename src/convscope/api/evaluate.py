"""A network's scores on one of the run's sets; the test set is only ever touched here, and each look is recorded."""

from datetime import datetime
from pathlib import Path
from typing import Any

from torch import nn

from convscope.bundle import load_config, with_tta
from convscope.errors import ConfigError, RunError, did_you_mean
from convscope.files import append_line
from convscope.progress import Progress
from convscope.report.report import write_report
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import SPLITS, reload
from convscope.runs.predictions import SplitPredictions, predict_split


def evaluate(
    run: str | Path, split: str = "validation", tta_views: str | None = None, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Scores of a run's network on its "train", "validation" or "test" images.

    Args:
        run: its folder.
        split: which of its sets.
        tta_views: how many looks at each image are averaged, one of `bundle.TTA_VIEWS`; None: as many as the run found
            to pay.
        on_progress: called with (images decoded, images in all).

    Returns:
        The scores, with "split", "images", "epoch" (of the network), "crops", where there is one "interval" (95 %, of
        the task's primary score) and, for the test set, "look": how many times it has been looked at by now.

    Raises:
        ConfigError: for another split or other crops.
        RunError: when there is no such run, it has no network yet, or its set is empty.
    """
    if split not in SPLITS:
        raise ConfigError(f"split: no set {split}{did_you_mean(split, SPLITS)}")
    folder = RunFolder.open(Path(run))
    folder.trained_model()
    if not folder.data()["splits"][split]:
        raise RunError(f"{folder.path}: its {split} set is empty; train anew with more images or a larger data.{split}")
    config = load_config(folder.model)
    network = with_tta(nn.Identity(), config, tta_views)
    prepared = reload(folder, (split,), on_progress, network.input_size)
    predictions = predict_split(folder, prepared, split, network.tta_views)
    found = {
        "split": split,
        "images": len(predictions.names),
        "epoch": config.epoch,
        "tta_views": network.tta_views,
        **scores(predictions),
    }
    if split == "test":
        append_line(folder.test_evaluations_file, {"when": f"{datetime.now():%Y-%m-%d %H:%M:%S}", **found})
        found["look"] = len(folder.test_evaluations())
    if folder.has_predictions("validation"):
        write_report(folder)
    return found


def scores(predictions: SplitPredictions) -> dict[str, Any]:
    """The task's scores, and the interval of its primary one where there is one."""
    found: dict[str, Any] = dict(predictions.meter.scores())
    interval = predictions.task.interval(predictions.meter)
    return found if interval is None else found | {"interval": [interval.low, interval.high]}
