"""Classification, one class per image: softmax, cross entropy, accuracy and scores per class."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from convscope.predictions import ClassAnswers, ClassPrediction, ViewTransform
from convscope.tasks.calibration import LEAST_IMAGES, error_interval, fitted_temperature, most_probable, reliability
from convscope.tasks.meter import Arrays, GatheringMeter
from convscope.tasks.proportions import Z95, confusion_matrix, f1_interval, wilson
from convscope.tasks.sections import Interval, Matrix, Pictures, Scatter, Section, Shown, Table
from convscope.tasks.shown_answer import ImageErrors
from convscope.tasks.task import Task, TaskContext, TaskOptions

SHOWN_IMAGES = 12  # images in a row of the report


class ClassifyOptions(TaskOptions):
    """`label_smoothing`: share of the target spread over all classes; `balanced` gives classes equal total weight."""

    label_smoothing: float = Field(0.0, ge=0, lt=1)
    class_weights: Literal["none", "balanced"] = "none"


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class."""

    name: str
    images: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True)
class Classify(ClassAnswers, Task):
    """Predict one class per image.

    Args:
        classes: names in the order of the network's K outputs.
        label_smoothing: share of the target that is spread over all classes, in [0, 1). Szegedy et al. 2016, section 7.
        class_weights: K factors of the loss; None: all 1.
        temperature: by which logits are divided before softmax, greater than 0; see `calibrate`.
    """

    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    temperature: Annotated[float, Field(gt=0)] = 1.0

    name: ClassVar[str] = "classify"
    purpose: ClassVar[str] = "one of {count} classes for each image"
    target_kind: ClassVar[str] = "classes"
    hub_task: ClassVar[str] = "image-classification"
    primary: ClassVar[str] = "accuracy"
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "top5")
    score_names: ClassVar[Mapping[str, str]] = {"top5": "top-5 accuracy", "macro_f1": "macro F1"}
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
        """(N, K) probabilities that sum to 1, calibrated by `temperature`."""
        return (output.float() / self.temperature).softmax(dim=-1)

    def class_probabilities(self, scores: Tensor) -> Tensor:
        """(B, K) probabilities of logits, as `decode` gives them."""
        return self.decode(scores)

    def calibrate(self, meter: GatheringMeter) -> Self:
        """The task with the temperature that fits the probabilities to the meter's targets, from 100 images on."""
        if len(meter) < LEAST_IMAGES or not meter.output.isfinite().all():
            return self
        return replace(self, temperature=round(fitted_temperature(meter.output, meter.target), 4))

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

    def trivial_score(self, meter: GatheringMeter) -> tuple[str, float]:
        """The most frequent class for every image."""
        counts = np.bincount(meter.target.numpy(), minlength=self.outputs)
        return f"always {self.classes[int(counts.argmax())]}", float(counts.max() / max(counts.sum(), 1))

    def image_errors(self, meter: GatheringMeter) -> ImageErrors:
        """The probability of the predicted class minus that of the true class."""
        probabilities, rows = self.decode(meter.output).numpy(), np.arange(len(meter))
        predicted, target = probabilities.argmax(1), meter.target.numpy()
        confidence = probabilities[rows, predicted]
        texts = (f"{self.classes[k]} {100 * p:.0f} %" for k, p in zip(predicted, confidence, strict=True))
        return ImageErrors(confidence - probabilities[rows, target], predicted != target, tuple(texts))

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

    def image_scores(self, meter: GatheringMeter) -> NDArray[np.float64]:
        """(N,) 1 for each image whose predicted class is right, else 0."""
        return np.asarray((meter.output.argmax(dim=1) == meter.target).numpy(), np.float64)

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
            *self._calibration(meter),
            *self._pictures(self.decode(meter.output), meter.target),
        ]

    def _calibration(self, meter: GatheringMeter) -> list[Section]:
        """The reliability diagram (DeGroot and Fienberg 1983)."""
        if len(meter) < LEAST_IMAGES:
            return []
        before = error_interval(*most_probable(meter.output, meter.target, 1.0))
        confidence, correct = most_probable(meter.output, meter.target, self.temperature)
        after = error_interval(confidence, correct)
        note = (
            f"Each point is a fifteenth of the validation images: on the line, probabilities are shares of correct "
            f"predictions. Logits are divided by the temperature {self.temperature:.2f}, which was fitted to these "
            f"images; the calibration error is {after.value:.3f} (95 % interval {after.low:.3f} to {after.high:.3f}), "
            f"and without the temperature {before.value:.3f}."
        )
        axes = ("mean probability of the predicted class", "share that is correct")
        means, shares = reliability(confidence, correct)
        return [Scatter("Calibration", note, means, shares, axes)]

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

    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[ClassPrediction]:
        """The most probable class and all probabilities."""
        return self.from_answers({"probabilities": self.decode(output).cpu().numpy()}, frames)

    def answers(self, output: Tensor) -> dict[str, Tensor]:
        """The index of the most probable class, its probability, and all probabilities."""
        probabilities = self.decode(output)
        return {
            "label": probabilities.argmax(1), "confidence": probabilities.amax(1), "probabilities": probabilities,
        }  # fmt: skip
