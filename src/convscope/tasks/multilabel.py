"""Multi-label classification: sigmoid, binary cross entropy, thresholds chosen on the validation split."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from convscope.predictions import LabelAnswers, LabelsPrediction, ViewTransform
from convscope.tasks.meter import Arrays, GatheringMeter
from convscope.tasks.resampled import bootstrap_interval
from convscope.tasks.sections import Interval, Pictures, Section, Shown, Table
from convscope.tasks.shown_answer import ImageErrors, ShownAnswer, ShownTag, tag_state
from convscope.tasks.task import Task, TaskContext, TaskOptions
from convscope.tasks.thresholds import best_threshold

SHOWN_IMAGES = 12  # images in a row of the report


class MultilabelOptions(TaskOptions):
    """`positive_weights` "balanced" weights positives by negatives / positives, so that rare labels count equally."""

    positive_weights: Literal["none", "balanced"] = "none"


@dataclass(frozen=True)
class LabelScores:
    """The scores of one label; nan where a score is undefined."""

    name: str
    present: int
    known: int
    threshold: float
    average_precision: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Multilabel(LabelAnswers, Task):
    """Predict which of K labels an image has. Targets are (B, K): 1, 0, or nan where unknown.

    Args:
        positive_weights: K factors of the loss of positive labels; None: all 1.
        thresholds: K probabilities from which a label is predicted; None: 0.5 each.
    """

    positive_weights: tuple[float, ...] | None = None
    thresholds: tuple[float, ...] | None = None

    name: ClassVar[str] = "multilabel"
    purpose: ClassVar[str] = "which of {count} labels an image has"
    target_kind: ClassVar[str] = "labels"
    hub_task: ClassVar[str] = "image-classification"
    primary: ClassVar[str] = "map"
    shown: ClassVar[tuple[str, ...]] = ("map", "micro_f1")
    score_names: ClassVar[Mapping[str, str]] = {
        "map": "mean average precision", "micro_f1": "micro F1", "macro_f1": "macro F1", "exact": "all labels correct"
    }  # fmt: skip
    options: ClassVar[type[TaskOptions]] = MultilabelOptions
    names_classes: ClassVar[bool] = True
    outputs_classes: ClassVar[bool] = True
    supports_mixup: ClassVar[bool] = True

    @classmethod
    def from_data(cls, context: TaskContext, options: Mapping[str, Any]) -> Self:
        """The task; balanced weights are computed from the training targets."""
        if options.get("positive_weights") != "balanced":
            return cls(context.classes)
        positives, negatives = (context.targets == 1).sum(0), (context.targets == 0).sum(0)
        return cls(context.classes, tuple((negatives / np.maximum(positives, 1)).clip(0.01, 100).tolist()))

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Binary cross entropy of sigmoid(output), the mean over all known labels; 0 if none is known."""
        known = ~target.isnan()
        weight = None if self.positive_weights is None else output.new_tensor(self.positive_weights)
        each = F.binary_cross_entropy_with_logits(
            output, target.nan_to_num(0).to(output.dtype), pos_weight=weight, reduction="none"
        )
        return (each * known).sum() / known.sum().clamp(min=1)

    def decode(self, output: Tensor) -> Tensor:
        """(N, K) independent probabilities."""
        return output.float().sigmoid()

    def class_probabilities(self, scores: Tensor) -> Tensor:
        """(B, K) independent probabilities; a row need not sum to 1."""
        return scores.float().sigmoid()

    def meter(self, arrays: Arrays | None = None) -> GatheringMeter:
        """A meter of all outputs and targets."""
        return GatheringMeter(self.scores, arrays)

    def scores(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Loss without weights, mean average precision, F1 over all labels (micro), F1 averaged by label (macro)."""
        rows = self.table(output, target)
        finite = [row for row in rows if not math.isnan(row.average_precision)]
        truth, predicted = target.numpy(), self.predicted(output)
        known = ~np.isnan(truth)
        hits, total = (predicted & (truth == 1)).sum(), (predicted & known).sum() + (truth == 1).sum()
        exact = ((predicted == (truth == 1)) | ~known).all(1)
        return {
            "loss": float(replace(self, positive_weights=None).loss(output, target)),
            "map": mean_precision(rows),
            "micro_f1": float(2 * hits / max(total, 1)),
            "macro_f1": float(np.mean([row.f1 for row in finite])) if finite else 0.0,
            "exact": float(exact.mean()),
        }

    def interval(self, meter: GatheringMeter) -> Interval:
        """The 95 % interval of the mean average precision."""
        output, target = meter.output, meter.target
        return bootstrap_interval(lambda rows: mean_precision(self.table(output[rows], target[rows])), len(meter))

    def predicted(self, output: Tensor) -> NDArray[np.bool_]:
        """(N, K) whether each label is predicted."""
        labels: NDArray[np.bool_] = self.decode(output).numpy() >= np.array(self._thresholds, np.float32)
        return labels

    @property
    def _thresholds(self) -> tuple[float, ...]:
        return self.thresholds or (0.5,) * len(self.classes)

    def table(self, output: Tensor, target: Tensor) -> list[LabelScores]:
        """The scores of each label over the images where it is known."""
        probabilities, truth, predicted = self.decode(output).numpy(), target.numpy(), self.predicted(output)
        return [
            _label_scores(name, probabilities[:, k], truth[:, k], predicted[:, k], self._thresholds[k])
            for k, name in enumerate(self.classes)
        ]

    def calibrate(self, meter: GatheringMeter) -> Self:
        """The task with the thresholds of the best F1 of each label on these images."""
        probabilities, truth = self.decode(meter.output).numpy(), meter.target.numpy()
        return replace(
            self, thresholds=tuple(best_threshold(s, t) for s, t in zip(probabilities.T, truth.T, strict=True))
        )

    def sections(self, meter: GatheringMeter) -> list[Section]:
        """Scores per label, the images with most wrong labels, and the least confident correct predictions."""
        columns = "label", "images", "known", "threshold", "average precision", "precision", "recall", "F1"
        rows = [list(asdict(row).values()) for row in self.table(meter.output, meter.target)]
        note = (
            "Thresholds are chosen on the validation images for the best F1, so precision, recall and F1 are "
            "optimistic; average precision does not depend on them."
        )
        return [Table("Scores per label", note, columns, rows), *self._pictures(meter)]

    def _pictures(self, meter: GatheringMeter) -> list[Section]:
        probabilities, truth, predicted = (
            self.decode(meter.output).numpy(),
            meter.target.numpy(),
            self.predicted(meter.output),
        )
        wrong = ((predicted != (truth == 1)) & ~np.isnan(truth)).sum(1)
        margin = np.abs(probabilities - np.array(self._thresholds)).min(1)
        order = np.lexsort((margin, -wrong))
        worst = [self._shown(int(i), predicted, truth) for i in order if wrong[i]][:SHOWN_IMAGES]
        correct = [self._shown(int(i), predicted, truth) for i in order if not wrong[i]][:SHOWN_IMAGES]
        return [
            Pictures("Most wrong labels", "Common causes: a label missing in the data, or a rare label.", worst),
            Pictures("Least confident correct predictions", "", correct),
        ]

    def _shown(self, row: int, predicted: NDArray[np.bool_], truth: NDArray[np.floating]) -> Shown:
        prediction, target = self._label_text(predicted[row]), self._label_text(truth[row] == 1)
        return Shown(row, prediction, "" if prediction == target else target)

    def _label_text(self, present: NDArray[np.bool_]) -> str:
        return ", ".join(name for name, there in zip(self.classes, present, strict=True) if there) or "none"

    def shown_answer(self, output: Tensor, target: NDArray[Any] | None) -> ShownAnswer:
        """The labels that are predicted or true."""
        predicted, probabilities = self.predicted(output)[0], self.decode(output)[0].tolist()
        known = [None] * self.outputs if target is None else target.tolist()
        found = []
        for name, probability, chosen, truth in zip(self.classes, probabilities, predicted, known, strict=True):
            if state := tag_state(bool(chosen), truth):
                found.append(ShownTag(name, state, probability))
        return ShownAnswer(tags=tuple(found))

    def trivial_score(self, meter: GatheringMeter) -> tuple[str, float]:
        """The same probabilities for every image: the average precision of a label is then its frequency."""
        truth = meter.target.numpy()
        present, known = (truth == 1).sum(0), (~np.isnan(truth)).sum(0)
        return "the same labels for every image", float((present / np.maximum(known, 1))[present > 0].mean())

    def image_errors(self, meter: GatheringMeter) -> ImageErrors:
        """The number of wrong labels, and of equal ones the mean distance of the probabilities from the targets."""
        probabilities, truth = self.decode(meter.output).numpy(), meter.target.numpy()
        known = ~np.isnan(truth)
        count = ((self.predicted(meter.output) != (truth == 1)) & known).sum(1)
        distance = np.where(known, np.abs(probabilities - np.nan_to_num(truth)), 0).sum(1) / (known.sum(1) + 1)
        texts = (f"{wrong} of {of} labels wrong" for wrong, of in zip(count, known.sum(1), strict=True))
        return ImageErrors(count + distance, count > 0, tuple(texts))

    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[LabelsPrediction]:
        """Labels whose probability reaches their threshold."""
        return self.from_answers(
            {"labels": self.predicted(output), "probabilities": self.decode(output).numpy()}, frames
        )

    def answers(self, output: Tensor) -> dict[str, Tensor]:
        """Whether each label is predicted, and its probability."""
        probabilities = self.decode(output)
        return {
            "labels": probabilities >= probabilities.new_tensor(self._thresholds), "probabilities": probabilities,
        }  # fmt: skip


def mean_precision(rows: Sequence[LabelScores]) -> float:
    """Mean average precision in [0, 1] over the labels where it is defined; 0 if there is none."""
    finite = [row.average_precision for row in rows if not math.isnan(row.average_precision)]
    return float(np.mean(finite)) if finite else 0.0


def _label_scores(
    name: str,
    probabilities: NDArray[np.floating],
    truth: NDArray[np.floating],
    predicted: NDArray[np.bool_],
    threshold: float,
) -> LabelScores:
    from sklearn.metrics import average_precision_score

    known = ~np.isnan(truth)
    positive, predicted, probabilities = truth[known] == 1, predicted[known], probabilities[known]
    hits, present, count = int((positive & predicted).sum()), int(positive.sum()), int(predicted.sum())
    return LabelScores(
        name,
        present,
        len(positive),
        threshold,
        float(average_precision_score(positive, probabilities)) if present else math.nan,
        hits / count if count else math.nan,
        hits / present if present else math.nan,
        2 * hits / (present + count) if present else math.nan,
    )
