"""Which classes the network took for which on the validation images, epoch by epoch, in ``confusions.jsonl``."""

import numpy as np
from numpy.typing import NDArray

from convscope.files import append_line, read_lines
from convscope.runs.folder import RunFolder
from convscope.tasks import Meter, Task

MOST = 1000  # classes; a line has at most as many cells as there are validation images


def save_confusion(folder: RunFolder, task: Task, meter: Meter | None, epoch: int) -> None:
    """Write down the cells of an epoch's confusion matrix that are not 0; of other tasks, nothing.

    Raises:
        RunError: it cannot be written.
    """
    if not task.single_class or meter is None or task.outputs > MOST:
        return
    counts = task.confusion(meter)
    if counts is None:
        return
    truth, answer = np.nonzero(counts)
    cells = np.stack([truth, answer, counts[truth, answer]], 1).tolist()
    append_line(folder.confusions_file, {"epoch": epoch, "cells": cells})


def load_confusion(folder: RunFolder, epoch: int, classes: int) -> NDArray[np.int64] | None:
    """(K, K) counts of an epoch, row = true class, column = answer; None where none were kept."""
    found = None
    for line in read_lines(folder.confusions_file):
        if line["epoch"] == epoch:  # the last one counts: a kill may have made it be lived through twice
            found = np.zeros((classes, classes), np.int64)
            cells = np.array(line["cells"], np.int64).reshape(-1, 3)
            found[cells[:, 0], cells[:, 1]] = cells[:, 2]
    return found


def confusion_epochs(folder: RunFolder) -> list[int]:
    """The epochs whose matrix was kept."""
    return sorted({line["epoch"] for line in read_lines(folder.confusions_file)})
