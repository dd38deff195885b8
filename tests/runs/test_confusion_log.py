"""Confusion matrices by epoch."""

import numpy as np

from convscope.api import Epoch, Run, RunFolder, resuming
from convscope.files import append_line
from convscope.runs.confusion_log import confusion_epochs, load_confusion
from helpers.small_runs import start


def test_every_epoch_s_matrix_has_its_accuracy_and_a_resumed_run_has_each_once(tmp_path, few, no_report):  # noqa: ARG001
    training = start(tmp_path / "run", few, train__epochs=3, train__probes=0)
    count = 0
    while count < 2:
        count += isinstance(next(training), Epoch)
    training.close()
    folder = RunFolder.open(tmp_path / "run")
    assert confusion_epochs(folder) == [1, 2]
    append_line(folder.confusions_file, {"epoch": 3, "cells": [[0, 1, 99]]})  # of an epoch that a kill cut short
    for _ in resuming(tmp_path / "run"):
        pass
    assert confusion_epochs(folder) == [1, 2, 3]
    assert len(folder.confusions_file.read_text().splitlines()) == 3
    for event in Run(tmp_path / "run").history:
        counts = load_confusion(folder, event["epoch"], 2)
        assert np.isclose(counts.trace() / counts.sum(), event["validation"]["accuracy"])
    assert load_confusion(folder, 9, 2) is None
