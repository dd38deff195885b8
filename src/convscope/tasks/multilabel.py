"""Several labels per image, each there or not: sigmoid, binary cross entropy, thresholds from validation images."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from convscope.tasks.meter import Arrays, GatheringMeter
from convscope.tasks.resampled import bootstrap_interval
from convscope.tasks.sections import Interval, Pictures, Section, Shown, Table
from convscope.tasks.task import Prediction, Task, TaskContext, TaskOptions, ViewTransform

SHOWN_IMAGES = 12  # pictures in a row of the report


class MultilabelOptions(TaskOptions):
    """`positive_weights` balanced lets what is rare count as much as what is not: absences over presences."""

    positive_weights: Literal["none", "balanced"] = "none"


@dataclass(frozen=True)
class LabelsPrediction(Prediction):
    """The labels of one file; `probabilities` are in the order of all labels and need not sum to 1."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """File, labels, and every label's probability."""
        probabilities = dict(zip(self.names, self.probabilities, strict=True))
        return {"file": self.file, "labels": list(self.labels), "probabilities": probabilities}

    def csv_row(self) -> list[Any]:
        """Labels with blanks between, then the probabilities."""
        return [" ".join(self.labels), *self.probabilities]

    def display(self, top: int) -> list[str]:
        """The labels that are there, likeliest first."""
        context = dict(zip(self.names, self.probabilities, strict=True))
        best = sorted(self.labels, key=lambda name: -context[name])[:top]
        return [", ".join(f"{name} {100 * context[name]:.1f} %" for name in best) or "none"]


@dataclass(frozen=True)
class LabelScores:
    """How one label fared; all but the counts are nan where they cannot be told."""

    name: str
    present: int
    known: int
    threshold: float
    average_precision: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Multilabel(Task):
    """The task of saying which of K labels an image has. Targets are (B, K): 1, 0, or nan where unknown.

    Args:
        positive_weights: K factors of the loss of labels that are there, or None.
        thresholds: K probabilities from which a label is given; None: 0.5 each.
    """

    positive_weights: tuple[float, ...] | None = None
    thresholds: tuple[float, ...] | None = None

    name: ClassVar[str] = "multilabel"
    target_kind: ClassVar[str] = "labels"
    primary: ClassVar[str] = "map"
    shown: ClassVar[tuple[str, ...]] = ("map", "micro_f1")
    options: ClassVar[type[TaskOptions]] = MultilabelOptions
    names_classes: ClassVar[bool] = True
    outputs_classes: ClassVar[bool] = True
    supports_mixup: ClassVar[bool] = True

    @classmethod
    def from_data(cls, context: TaskContext, options: Mapping[str, Any]) -> Self:
        """With weights from the training targets where asked for."""
        if options.get("positive_weights") != "balanced":
            return cls(context.classes)
        there, absent = (context.targets == 1).sum(0), (context.targets == 0).sum(0)
        return cls(context.classes, tuple((absent / np.maximum(there, 1)).clip(0.01, 100).tolist()))

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Binary cross entropy of sigmoid(output), the mean over all labels that are known; 0 where none is."""
        context = ~target.isnan()
        weight = None if self.positive_weights is None else output.new_tensor(self.positive_weights)
        each = F.binary_cross_entropy_with_logits(
            output, target.nan_to_num(0).to(output.dtype), pos_weight=weight, reduction="none"
        )
        return (each * context).sum() / context.sum().clamp(min=1)

    def decode(self, output: Tensor) -> Tensor:
        """(N, K) probabilities, each for itself."""
        return output.float().sigmoid()

    def class_probabilities(self, scores: Tensor) -> Tensor:
        """(B, K) each label's probability for itself; a row need not sum to 1."""
        return scores.float().sigmoid()

    def meter(self, arrays: Arrays | None = None) -> GatheringMeter:
        """All outputs and targets."""
        return GatheringMeter(self.scores, arrays)

    def scores(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Loss without weights, mean average precision, F1 over all labels (micro) and averaged by label (macro)."""
        rows = self.table(output, target)
        finite = [row for row in rows if not math.isnan(row.average_precision)]
        truth, given = target.numpy(), self.predicted(output)
        context = ~np.isnan(truth)
        both, either = (given & (truth == 1)).sum(), (given & context).sum() + (truth == 1).sum()
        exact = ((given == (truth == 1)) | ~context).all(1)
        return {
            "loss": float(replace(self, positive_weights=None).loss(output, target)),
            "map": mean_precision(rows),
            "micro_f1": float(2 * both / max(either, 1)),
            "macro_f1": float(np.mean([row.f1 for row in finite])) if finite else 0.0,
            "exact": float(exact.mean()),
        }

    def interval(self, meter: GatheringMeter) -> Interval:
        """Of the mean average precision."""
        output, target = meter.output, meter.target
        return bootstrap_interval(lambda rows: mean_precision(self.table(output[rows], target[rows])), len(meter))

    def predicted(self, output: Tensor) -> NDArray[np.bool_]:
        """(N, K) which labels are given."""
        found: NDArray[np.bool_] = self.decode(output).numpy() >= np.array(self._thresholds, np.float32)
        return found

    @property
    def _thresholds(self) -> tuple[float, ...]:
        return self.thresholds or (0.5,) * len(self.classes)

    def table(self, output: Tensor, target: Tensor) -> list[LabelScores]:
        """Each label over the images where it is known."""
        share, truth, given = self.decode(output).numpy(), target.numpy(), self.predicted(output)
        return [
            _label_scores(name, share[:, k], truth[:, k], given[:, k], self._thresholds[k])
            for k, name in enumerate(self.classes)
        ]

    def calibrate(self, meter: GatheringMeter) -> Self:
        """The thresholds that give each label its best F1 on these images."""
        share, truth = self.decode(meter.output).numpy(), meter.target.numpy()
        return replace(self, thresholds=tuple(best_threshold(s, t) for s, t in zip(share.T, truth.T, strict=True)))

    def sections(self, meter: GatheringMeter) -> list[Section]:
        """Label by label, and the images that have most wrong."""
        columns = "label", "images", "known", "threshold", "average precision", "precision", "recall", "F1"
        rows = [list(asdict(row).values()) for row in self.table(meter.output, meter.target)]
        note = (
            "Thresholds are chosen on the validation images for the best F1, so precision, recall and F1 flatter "
            "there; average precision does not depend on them."
        )
        return [Table("Label by label", note, columns, rows), *self._pictures(meter)]

    def _pictures(self, meter: GatheringMeter) -> list[Section]:
        share, truth, given = self.decode(meter.output).numpy(), meter.target.numpy(), self.predicted(meter.output)
        wrong = ((given != (truth == 1)) & ~np.isnan(truth)).sum(1)
        doubt = np.abs(share - np.array(self._thresholds)).min(1)
        order = np.lexsort((doubt, -wrong))
        worst = [self._shown(int(i), given, truth) for i in order if wrong[i]][:SHOWN_IMAGES]
        right = [self._shown(int(i), given, truth) for i in order if not wrong[i]][:SHOWN_IMAGES]
        return [
            Pictures("Most labels wrong", "Look here first: a label that was forgotten, or one that is rare.", worst),
            Pictures("Right, but least sure", "", right),
        ]

    def _shown(self, row: int, given: NDArray[np.bool_], truth: NDArray[np.floating]) -> Shown:
        answer, right = self._named(given[row]), self._named(truth[row] == 1)
        return Shown(row, answer, "" if answer == right else right)

    def _named(self, there: NDArray[np.bool_]) -> str:
        return ", ".join(name for name, yes in zip(self.classes, there, strict=True) if yes) or "none"

    @property
    def columns(self) -> list[str]:
        """Labels, then one column per label."""
        return ["labels", *self.classes]

    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[LabelsPrediction]:
        """Labels whose probability reaches their threshold."""
        share, given = self.decode(output).numpy(), self.predicted(output)
        return [
            LabelsPrediction(
                frame.file,
                tuple(name for name, yes in zip(self.classes, given[i], strict=True) if yes),
                tuple(share[i].tolist()),
                self.classes,
            )
            for i, frame in enumerate(frames)
        ]


def mean_precision(rows: Sequence[LabelScores]) -> float:
    """Mean average precision in [0, 1] over the labels that have one; 0 where none has."""
    finite = [row.average_precision for row in rows if not math.isnan(row.average_precision)]
    return float(np.mean(finite)) if finite else 0.0


def best_threshold(share: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """The threshold of the best F1 over images whose truth is known; of equally good ones that nearest 0.5.

    Candidates lie midway between neighbouring probabilities. 0.5 where no image has the label.

    >>> best_threshold(np.array([0.1, 0.2, 0.3]), np.array([0.0, 1.0, 1.0]))
    0.15...
    """
    context = ~np.isnan(truth)
    share, there = share[context].astype(float), truth[context] == 1
    if not there.any():
        return 0.5
    levels = np.unique(share)
    candidates = np.concatenate([[levels[0] / 2], (levels[1:] + levels[:-1]) / 2])
    order = np.argsort(-share, kind="stable")
    hits = np.concatenate([[0], np.cumsum(there[order])])
    count = np.searchsorted(-share[order], -candidates, side="right")
    f1 = 2 * hits[count] / (count + there.sum())
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return float(candidates[best[np.abs(candidates[best] - 0.5).argmin()]])


def _label_scores(
    name: str, share: NDArray[np.floating], truth: NDArray[np.floating], given: NDArray[np.bool_], threshold: float
) -> LabelScores:
    from sklearn.metrics import average_precision_score

    context = ~np.isnan(truth)
    there, given, share = truth[context] == 1, given[context], share[context]
    both, present, predicted = int((there & given).sum()), int(there.sum()), int(given.sum())
    return LabelScores(
        name,
        present,
        len(there),
        threshold,
        float(average_precision_score(there, share)) if present else math.nan,
        both / predicted if predicted else math.nan,
        both / present if present else math.nan,
        2 * both / (present + predicted) if present else math.nan,
    )
