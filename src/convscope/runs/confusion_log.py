"""Confusion matrices on the validation images by epoch, in ``confusions.jsonl``."""

import numpy as np
from numpy.typing import NDArray

from convscope.files import append_line, read_lines
from convscope.runs.folder import RunFolder
from convscope.tasks import Meter, Task

MAX_CLASSES = 1000  # a line has at most as many cells as there are validation images


def save_confusion(folder: RunFolder, task: Task, meter: Meter | None, epoch: int, sync: bool = False) -> None:
    """Append the non-zero cells of an epoch's confusion matrix; nothing for tasks without one.

    With `sync`, it survives a power failure.

    Raises:
        RunError: it cannot be written.
    """
    if not task.single_class or meter is None or task.outputs > MAX_CLASSES:
        return
    counts = task.confusion(meter)
    if counts is None:
        return
    true, predicted = np.nonzero(counts)
    cells = np.stack([true, predicted, counts[true, predicted]], 1).tolist()
    append_line(folder.confusions_file, {"epoch": epoch, "cells": cells}, sync)


def load_confusion(folder: RunFolder, epoch: int, classes: int) -> NDArray[np.int64] | None:
    """Return the (K, K) counts of an epoch, row = true class, column = predicted class; None where not recorded."""
    matrix = None
    for line in read_lines(folder.confusions_file):
        if line["epoch"] == epoch:  # the last one counts: after a kill an epoch may have been repeated
            matrix = np.zeros((classes, classes), np.int64)
            cells = np.array(line["cells"], np.int64).reshape(-1, 3)
            matrix[cells[:, 0], cells[:, 1]] = cells[:, 2]
    return matrix


def confusion_epochs(folder: RunFolder) -> list[int]:
    """Return the epochs that have a matrix."""
    return sorted({line["epoch"] for line in read_lines(folder.confusions_file)})
