"""Tasks: each is one file with its head, loss, scores, predictions and figures."""

from convscope.predictions import (
    BoxPrediction,
    ClassPrediction,
    LabelsPrediction,
    MaskPrediction,
    NumbersPrediction,
    Prediction,
    ViewTransform,
)
from convscope.tasks.classify import Classify, ClassScores
from convscope.tasks.localise import Localise
from convscope.tasks.meter import Meter
from convscope.tasks.multilabel import Multilabel
from convscope.tasks.regress import Regress
from convscope.tasks.restoring import check_options, restore_task
from convscope.tasks.sections import Interval, Matrix, Pictures, Scatter, Section, Shown, Table
from convscope.tasks.segment import Segment
from convscope.tasks.shown_answer import ImageErrors, ShownAnswer
from convscope.tasks.task import Task, TaskContext, TaskOptions

TASKS: dict[str, type[Task]] = {
    "classify": Classify,
    "multilabel": Multilabel,
    "regress": Regress,
    "segment": Segment,
    "localise": Localise,
}

DEFAULT_TASK: type[Task] = Classify
"""The task of a module that outputs (B, K) logits, if nothing else is known."""

__all__ = [
    "DEFAULT_TASK",
    "TASKS",
    "BoxPrediction",
    "ClassPrediction",
    "ClassScores",
    "Classify",
    "ImageErrors",
    "Interval",
    "LabelsPrediction",
    "Localise",
    "MaskPrediction",
    "Matrix",
    "Meter",
    "Multilabel",
    "NumbersPrediction",
    "Pictures",
    "Prediction",
    "Regress",
    "Scatter",
    "Section",
    "Segment",
    "Shown",
    "ShownAnswer",
    "Table",
    "Task",
    "TaskContext",
    "TaskOptions",
    "ViewTransform",
    "check_options",
    "restore_task",
]
