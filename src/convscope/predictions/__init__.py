"""Predictions: what a network answers for files, as records and tables. No part of this room needs PyTorch."""

from convscope.predictions.boxes import BoxAnswers, BoxPrediction
from convscope.predictions.classes import ClassAnswers, ClassPrediction
from convscope.predictions.labels import LabelAnswers, LabelsPrediction
from convscope.predictions.masks import MaskAnswers, MaskPrediction
from convscope.predictions.numbers import NumberAnswers, NumbersPrediction
from convscope.predictions.prediction import AnswerPlace, Answers, Prediction, ViewTransform

ANSWERS: dict[str, type[Answers]] = {
    one.__name__: one for one in (ClassAnswers, LabelAnswers, NumberAnswers, MaskAnswers, BoxAnswers)
}
"""By the name that exported files carry."""

__all__ = [
    "ANSWERS",
    "AnswerPlace",
    "Answers",
    "BoxAnswers",
    "BoxPrediction",
    "ClassAnswers",
    "ClassPrediction",
    "LabelAnswers",
    "LabelsPrediction",
    "MaskAnswers",
    "MaskPrediction",
    "NumberAnswers",
    "NumbersPrediction",
    "Prediction",
    "ViewTransform",
]
