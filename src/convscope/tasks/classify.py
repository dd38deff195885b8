"""Classification, one class per image: softmax, cross entropy, accuracy and scores per class."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from convscope.tasks.meter import Arrays, GatheringMeter
from convscope.tasks.sections import Interval, Matrix, Pictures, Section, Shown, Table
from convscope.tasks.task import Prediction, Task, TaskContext, TaskOptions, ViewTransform

Z95 = 1.959963984540054  # the normal distribution's 97.5 % point: two-sided 95 % intervals
SHOWN_IMAGES = 12  # images in a row of the report


class ClassifyOptions(TaskOptions):
    """`label_smoothing`: share of the target spread over all classes; `balanced` gives classes equal total weight."""

    label_smoothing: float = Field(0.0, ge=0, lt=1)
    class_weights: Literal["none", "balanced"] = "none"


@dataclass(frozen=True)
class ClassPrediction(Prediction):
    """The prediction for one file; `probabilities` is in the order of the classes, each in [0, 1]."""

    label: str
    confidence: float
    probabilities: tuple[float, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """File, label, its probability, and the probabilities of all classes."""
        probabilities = dict(zip(self.names, self.probabilities, strict=True))
        return {
            "file": self.file, "label": self.label, "confidence": self.confidence, "probabilities": probabilities,
        }  # fmt: skip

    def csv_row(self) -> list[Any]:
        """Label, its probability, and the probabilities of all classes."""
        return [self.label, self.confidence, *self.probabilities]

    def display(self, top: int) -> list[str]:
        """The most probable classes with their probabilities."""
        order = sorted(range(len(self.names)), key=lambda k: -self.probabilities[k])[:top]
        return [f"{self.names[k]} {100 * self.probabilities[k]:.1f} %" for k in order]


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class."""

    name: str
    images: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True)
class Classify(Task):
    """Predict one class per image.

    Args:
        classes: names in the order of the network's K outputs.
        label_smoothing: share of the target that is spread over all classes, in [0, 1). Szegedy et al. 2016, section 7.
        class_weights: K factors of the loss; None: all 1.
    """

    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None

    name: ClassVar[str] = "classify"
    target_kind: ClassVar[str] = "classes"
    hub_task: ClassVar[str] = "image-classification"
    primary: ClassVar[str] = "accuracy"
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "top5")
    options: ClassVar[type[TaskOptions]] = ClassifyOptions
    names_classes: ClassVar[bool] = True
    outputs_classes: ClassVar[bool] = True
    single_class: ClassVar[bool] = True
    averages_views: ClassVar[bool] = True
    small_images_model: ClassVar[str] = "airbench"
    supports_mixup: ClassVar[bool] = True
    default_settings: ClassVar[Mapping[str, Any]] = {"loss.label_smoothing": 0.1}

    @classmethod
    def format_score(cls, score: float) -> str:
        """As a percentage."""
        return f"{100 * score:.2f} %"

    @classmethod
    def from_data(cls, context: TaskContext, options: Mapping[str, Any]) -> Self:
        """The task; balanced class weights are N / (K n_k) over the training targets."""
        weights = None
        if options.get("class_weights") == "balanced":
            counts = np.bincount(context.targets, minlength=len(context.classes))
            balanced = len(context.targets) / (max((counts > 0).sum(), 1) * np.maximum(counts, 1))
            weights = tuple(np.where(counts > 0, balanced, 0.0).tolist())
        return cls(context.classes, options.get("label_smoothing", 0.0), weights)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Cross entropy, in nats; the mean over the batch, weighted if classes have weights.

        Args:
            output: (B, K) logits, before any softmax.
            target: (B,) class indices, or (B, K) class proportions of mixed images.
        """
        weight = None if self.class_weights is None else output.new_tensor(self.class_weights)
        return F.cross_entropy(output, target, weight, label_smoothing=self.label_smoothing)

    def decode(self, output: Tensor) -> Tensor:
        """(N, K) probabilities that sum to 1."""
        return output.float().softmax(dim=-1)

    def meter(self, arrays: Arrays | None = None) -> GatheringMeter:
        """A meter of all logits and targets."""
        return GatheringMeter(self.scores, arrays)

    def scores(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Loss without smoothing or weights, accuracy, top-5 (where K > 5) and macro F1 over (N, K) logits."""
        found = {
            "loss": float(F.cross_entropy(output.float(), target)),
            "accuracy": float((output.argmax(dim=1) == target).float().mean()),
        }
        if self.outputs > 5:
            found["top5"] = float((output.topk(5, dim=1).indices == target[:, None]).any(dim=1).float().mean())
        table = self.table(output, target)
        found["macro_f1"] = float(np.mean([row.f1.value for row in table if row.images]))
        return found

    def confusion(self, meter: GatheringMeter) -> NDArray[np.int64]:
        """(K, K) counts of images: row = true class, column = predicted class."""
        return confusion_matrix(meter.output, meter.target, self.outputs)

    def table(self, output: Tensor, target: Tensor) -> list[ClassScores]:
        """Precision, recall and F1 of each class with 95 % intervals."""
        counts = confusion_matrix(output, target, self.outputs)
        correct, support, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
        return [
            ClassScores(
                name,
                int(support[k]),
                wilson(int(correct[k]), int(predicted[k])),
                wilson(int(correct[k]), int(support[k])),
                f1_interval(int(correct[k]), int(predicted[k] + support[k] - correct[k])),
            )
            for k, name in enumerate(self.classes)
        ]

    def interval(self, meter: GatheringMeter) -> Interval:
        """The 95 % interval of the accuracy."""
        return wilson(int(self.confusion(meter).trace()), len(meter))

    def paired_gain(self, before: GatheringMeter, after: GatheringMeter) -> Interval:
        """Gain in accuracy, from the images that only one of them classifies correctly; Agresti 2013, section 11.1."""
        first, second = (meter.output.argmax(dim=1) == meter.target for meter in (before, after))
        count, better, worse = len(after), int((second & ~first).sum()), int((first & ~second).sum())
        gain = (better - worse) / count
        half_width = Z95 * math.sqrt((better + worse) / count - gain**2) / math.sqrt(count)
        return Interval(gain, gain - half_width, gain + half_width)

    def sections(self, meter: GatheringMeter) -> list[Section]:
        """Confusion matrix, scores per class, most confident mistakes and least confident correct predictions."""
        note = (
            "Validation scores. The band is the 95 % interval: it is wide for few images, and classes whose intervals "
            "overlap may not differ."
        )
        rows = [
            (row.name, row.images, row.precision, row.recall, row.f1) for row in self.table(meter.output, meter.target)
        ]
        counts = self.confusion(meter)
        return [
            Matrix(
                "Confusion matrix",
                "Validation images: a row is the true class, a column the predicted class.",
                self.classes,
                counts,
            ),
            Table("Scores per class", note, ("class", "images", "precision", "recall", "F1"), rows),
            *self._pictures(self.decode(meter.output), meter.target),
        ]

    def _pictures(self, probabilities: Tensor, target: Tensor) -> list[Section]:
        confidence, predicted = probabilities.max(1)
        correct, order = predicted == target, confidence.argsort(stable=True).tolist()
        mistakes = [i for i in reversed(order) if not correct[i]][:SHOWN_IMAGES]
        least_confident = [i for i in order if correct[i]][:SHOWN_IMAGES]

        def shown(rows: list[int]) -> list[Shown]:
            names = self.classes
            return [
                Shown(
                    i,
                    f"{names[int(predicted[i])]} {100 * float(confidence[i]):.0f} %",
                    "" if correct[i] else names[int(target[i])],
                )
                for i in rows
            ]

        note = "Common causes: a wrong label, classes that overlap, or a network that relies on the background."
        return [
            Pictures("Most confident mistakes", note, shown(mistakes), "None: every validation image is correct."),
            Pictures("Least confident correct predictions", "", shown(least_confident)),
        ]

    @property
    def columns(self) -> list[str]:
        """Label, its probability, and the probabilities of all classes."""
        return ["label", "confidence", *self.classes]

    def headings(self, top: int) -> list[str]:
        """The predicted class, then the ranks of the next ones."""
        return ["prediction", *[f"{rank}." for rank in range(2, min(top, self.outputs) + 1)]]

    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[ClassPrediction]:
        """The most probable class and all probabilities."""
        return self.from_answers({"probabilities": self.decode(output).cpu().numpy()}, frames)

    def answers(self, output: Tensor) -> dict[str, Tensor]:
        """The index of the most probable class, its probability, and all probabilities."""
        probabilities = self.decode(output)
        return {
            "label": probabilities.argmax(1), "confidence": probabilities.amax(1), "probabilities": probabilities,
        }  # fmt: skip

    def from_answers(
        self, answers: Mapping[str, NDArray[Any]], frames: Sequence[ViewTransform]
    ) -> list[ClassPrediction]:
        """The most probable class and all probabilities."""
        rows, found = answers["probabilities"].tolist(), []
        for row, frame in zip(rows, frames, strict=True):
            best = int(np.argmax(row))
            found.append(ClassPrediction(frame.file, self.classes[best], row[best], tuple(row), self.classes))
        return found


def confusion_matrix(scores: Tensor, target: Tensor, classes: int) -> NDArray[np.int64]:
    """(K, K) counts of (N, K) scores and (N,) classes: row = true class, column = class of the largest score."""
    cells = target * classes + scores.argmax(dim=1)
    return torch.bincount(cells, minlength=classes * classes).reshape(classes, classes).numpy()


def wilson(hits: int, trials: int) -> Interval:
    """A proportion with its 95 % interval (Wilson 1927), which stays in [0, 1] and is valid at 0 and 1.

    >>> wilson(9, 10)
    Interval(value=0.9, low=0.5958..., high=0.9821...)
    """
    if not trials:
        return Interval(math.nan, math.nan, math.nan)
    share, z2 = hits / trials, Z95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half_width = Z95 * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return Interval(share, min(share, max(0.0, centre - half_width)), max(share, min(1.0, centre + half_width)))


def f1_interval(intersection: int, union: int) -> Interval:
    """F1 with its 95 % interval, from the intersection and the union of true and predicted images of a class.

    F1 = 2s / (1 + s) with s = intersection / union, a proportion: its Wilson interval is transformed.
    Flores et al. 2022, "Confidence interval for micro- and macro-averaged F1", the indirect form.
    """
    share = wilson(intersection, union)
    return Interval(*(2 * s / (1 + s) for s in (share.value, share.low, share.high)))
