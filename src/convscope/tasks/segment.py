"""Segmentation, one class per pixel: softmax, cross entropy, IoU of (B, K, H, W) logits and (B, H, W) masks."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from convscope.errors import ModelError
from convscope.models import EncoderDecoder
from convscope.tasks.drawing import Pixels, colors_of, with_mask
from convscope.tasks.meter import Arrays
from convscope.tasks.resampled import bootstrap_interval
from convscope.tasks.sections import Cell, Interval, Matrix, Pictures, Section, Shown, Table
from convscope.tasks.task import Prediction, Task, TaskContext, TaskOptions, ViewTransform

IGNORE = 255
"""The value of unlabelled pixels in a mask; losses and scores ignore them."""

SHOWN_IMAGES = 12
DENSE = ("unet", "segnet", "full_resolution", "assembled")


class SegmentOptions(TaskOptions):
    """`dice` is the weight of the Dice loss, added to the cross entropy: it gives all classes equal weight."""

    dice: float = Field(0.0, ge=0)


@dataclass(frozen=True, eq=False)
class MaskPrediction(Prediction):
    """The predicted mask (H, W) of one file, at the size of the file, and the proportion of pixels of each class."""

    mask: NDArray[np.uint8]
    shares: tuple[float, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """File, size, and the proportion of pixels of each class."""
        height, width = self.mask.shape
        return {"file": self.file, "size": [height, width], "shares": dict(zip(self.names, self.shares, strict=True))}

    def csv_row(self) -> list[Any]:
        """The proportion of pixels of each class."""
        return list(self.shares)

    def display(self, top: int) -> list[str]:
        """The classes with most pixels."""
        order = sorted(range(len(self.names)), key=lambda k: -self.shares[k])[:top]
        return [", ".join(f"{self.names[k]} {100 * self.shares[k]:.1f} %" for k in order if self.shares[k])]

    def save_files(self, folder: Path) -> Path:
        """Write the mask as a PNG file of class indices with a palette of their colours."""
        image = Image.fromarray(self.mask).convert("P")
        image.putpalette(colors_of(np.arange(256)).ravel().tolist())
        path = folder / f"{Path(self.file).stem}.png"
        image.save(path)
        return path


@dataclass(frozen=True)
class Segment(Task):
    """Predict one class per pixel; `dice` as in `SegmentOptions`."""

    dice: float = 0.0

    name: ClassVar[str] = "segment"
    target_kind: ClassVar[str] = "masks"
    names_classes: ClassVar[bool] = True
    ground_first: ClassVar[bool] = True
    primary: ClassVar[str] = "miou"
    shown: ClassVar[tuple[str, ...]] = ("miou", "accuracy")
    options: ClassVar[type[TaskOptions]] = SegmentOptions
    any_size: ClassVar[bool] = True
    default_settings: ClassVar[Mapping[str, Any]] = {
        "optimiser.name": "adamw",
        "optimiser.learning_rate": 0.002,
        "optimiser.weight_decay": 0.01,
    }

    @classmethod
    def from_data(cls, context: TaskContext, options: Mapping[str, Any]) -> Self:
        """The task with the given options."""
        return cls(context.classes, **options)

    def network(self, name: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """A dense network; any other network becomes the encoder of a U-Net."""
        if name in DENSE or name.endswith(".toml"):
            return name, dict(options)
        return "unet", {"encoder": name, "encoder_options": dict(options), "norm": "batch"}

    def attach_head(self, network: nn.Module) -> nn.Module:
        """The network itself.

        Raises:
            ModelError: its output is not dense.
        """
        if not isinstance(network, EncoderDecoder):
            raise ModelError(
                "task segment: the network gives one output per image, not per pixel; choose unet or segnet"
            )
        return network

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Cross entropy, the mean over all labelled pixels, plus `dice` times the Dice loss."""
        target = target.long()
        labelled = (target != IGNORE).sum().clamp(min=1)
        entropy = F.cross_entropy(output, target, ignore_index=IGNORE, reduction="sum") / labelled
        return entropy + self.dice * dice_loss(output, target) if self.dice else entropy

    def decode(self, output: Tensor) -> Tensor:
        """(B, K, H, W) probabilities that sum to 1 in every pixel."""
        return output.float().softmax(dim=1)

    def class_scores(self, output: Tensor) -> Tensor:
        """The log of each class's mean probability over the image's pixels."""
        return output.float().softmax(1).mean((2, 3)).clamp(min=1e-12).log()

    def predicted_class(self, probabilities: NDArray[Any]) -> NDArray[np.int64]:
        """The class with most pixels, except class 0, which is usually the background."""
        return np.asarray(probabilities[:, 1:].argmax(1) + 1 if probabilities.shape[1] > 1 else probabilities.argmax(1))

    def confusion(self, meter: "MaskMeter") -> NDArray[np.int64]:
        """(K, K) counts of pixels: row = true class, column = predicted class."""
        return meter.counts

    def meter(self, arrays: Arrays | None = None) -> "MaskMeter":
        """A meter of counts of pixels; logits are not kept."""
        return MaskMeter(self) if arrays is None else MaskMeter.restored(self, arrays)

    def sections(self, meter: "MaskMeter") -> list[Section]:
        """Scores per class, confusion matrix, and masks: the lowest IoU, then the first images."""
        rows: list[list[Cell]] = [
            [name, int(counts), *(float(value) for value in values)]
            for name, counts, values in zip(self.classes, meter.counts.sum(1), meter.by_class().T, strict=True)
        ]
        columns = "class", "pixels", "IoU", "Dice", "precision", "recall"
        note = "IoU: intersection over union of the true and predicted pixels of the class."
        sections: list[Section] = [
            Table("Scores per class", note, columns, rows),
            Matrix("Confusion matrix", "Validation pixels.", self.classes, self.confusion(meter)),
        ]
        note = "Tint: prediction. White lines: borders of the true mask."
        order = np.argsort([score for score, _ in meter.worst])
        worst = [self._shown(meter, *meter.worst[i]) for i in order]
        return [*sections, Pictures("Lowest IoU", note, worst), Pictures("First images", note, meter.first_shown(self))]

    def interval(self, meter: "MaskMeter") -> Interval:
        """The 95 % interval of the mean IoU."""
        sums = np.concatenate(meter.sums) if meter.sums else np.empty((0, 3, self.outputs), np.int64)
        return bootstrap_interval(lambda rows: _mean_iou(*sums[rows].sum(0)), len(sums))

    @staticmethod
    def draw_target(pixels: Pixels, target: NDArray[Any]) -> Pixels:
        """The image tinted by the mask; unlabelled pixels are not tinted."""
        return with_mask(pixels, np.where(target == IGNORE, 0, target).astype(np.uint8))

    def _shown(self, meter: "MaskMeter", score: float, row: int) -> Shown:
        answer, truth = meter.shown_masks[row]
        return Shown(row, f"mIoU {score:.3f}", "", lambda pixels: with_mask(pixels, answer, truth))

    @property
    def columns(self) -> list[str]:
        """The proportion of pixels of each class."""
        return list(self.classes)

    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[MaskPrediction]:
        """Masks at the sizes of the files: the argmax of the resized logits."""
        found = []
        for logits, frame in zip(output.float(), frames, strict=True):
            shown = _without_padding(logits, frame)
            enlarged = F.interpolate(shown[None], frame.size, mode="bilinear", align_corners=False)[0]
            mask = enlarged.argmax(0).to(torch.uint8).cpu().numpy()
            shares = np.bincount(mask.ravel(), minlength=self.outputs) / mask.size
            found.append(MaskPrediction(frame.file, mask, tuple(shares.tolist()), self.classes))
        return found


def _without_padding(logits: Tensor, frame: ViewTransform) -> Tensor:
    """The part (K, h, w) of the logits that lies inside the file, of an input that shows more than it."""
    height, width = logits.shape[-2:]
    columns = width / frame.across  # input pixels per file pixel
    rows = height / frame.down
    left, right = max(0, round(-frame.left * columns)), min(width, round((frame.size[1] - frame.left) * columns))
    top, bottom = max(0, round(-frame.top * rows)), min(height, round((frame.size[0] - frame.top) * rows))
    return logits[:, top:bottom, left:right]


@dataclass(eq=False)
class MaskMeter:
    """Counts of (true class, predicted class) over all pixels so far, and a few masks to show."""

    task: Segment
    counts: NDArray[np.int64] = field(init=False)
    total_loss: float = 0.0
    images: int = 0
    worst: list[tuple[float, int]] = field(default_factory=list)
    """(mIoU, row) of the images with the lowest mIoU."""
    sums: list[NDArray[np.int64]] = field(default_factory=list)
    """(B, 3, K) of each batch: correct, true and predicted pixels of each class, per image."""
    shown_masks: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = field(default_factory=dict)
    """Row -> predicted and true mask."""

    def __post_init__(self) -> None:
        self.counts = np.zeros((self.task.outputs,) * 2, np.int64)

    @classmethod
    def restored(cls, task: Segment, arrays: Arrays) -> "MaskMeter":
        """Restore a meter from the result of `arrays`."""
        meter = cls(task, float(arrays["loss"]), int(arrays["images"]))
        meter.counts = np.asarray(arrays["counts"])
        meter.sums = [np.asarray(arrays["sums"])] if "sums" in arrays else []
        meter.worst = [(float(score), int(row)) for score, row in arrays["worst"]]
        meter.shown_masks = {
            int(r): (a, t) for r, a, t in zip(arrays["rows"], arrays["answers"], arrays["truths"], strict=True)
        }
        return meter

    def add(self, output: Tensor, target: Tensor) -> None:
        """Add a batch: (B, K, H, W) logits and (B, H, W) masks."""
        output, classes = output.detach().float(), self.task.outputs
        plain = Segment(self.task.classes)
        self.total_loss += float(plain.loss(output, target)) * len(target)
        answers = output.argmax(1)
        truths, labelled = target.long(), target != IGNORE
        image = torch.arange(len(target), device=target.device).view(-1, 1, 1) * classes**2
        cells = (image + truths * classes + answers)[labelled]
        each = torch.bincount(cells, minlength=len(target) * classes**2).view(-1, classes, classes).cpu().numpy()
        self.counts += each.sum(0)
        self.sums.append(np.stack([each.diagonal(axis1=1, axis2=2), each.sum(2), each.sum(1)], 1))
        for count, answer, truth in zip(each, answers.cpu(), target.cpu(), strict=True):
            self._keep(miou(count), answer.numpy().astype(np.uint8), truth.numpy().astype(np.uint8))
            self.images += 1

    def _keep(self, score: float, answer: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
        row = self.images
        heap = [(-s, r) for s, r in self.worst]
        heapq.heapify(heap)
        dropped = None
        if len(heap) < SHOWN_IMAGES:
            heapq.heappush(heap, (-score, row))
        else:
            dropped = heapq.heappushpop(heap, (-score, row))[1]
        self.worst = [(-s, r) for s, r in heap]
        if row != dropped or row < SHOWN_IMAGES:
            self.shown_masks[row] = answer, truth
        if dropped is not None and dropped >= SHOWN_IMAGES:
            self.shown_masks.pop(dropped, None)

    def first_shown(self, task: Segment) -> list[Shown]:
        """The first images of the split."""
        return [task._shown(self, self._score(row), row) for row in sorted(self.shown_masks) if row < SHOWN_IMAGES]

    def _score(self, row: int) -> float:
        answer, truth = self.shown_masks[row]
        classes, labelled = self.task.outputs, truth != IGNORE
        cells = truth[labelled].astype(np.int64) * classes + answer[labelled]
        return miou(np.bincount(cells, minlength=classes**2).reshape(classes, classes))

    def by_class(self) -> NDArray[np.float64]:
        """(4, K) IoU, Dice, precision and recall; nan where a score is undefined."""
        return by_class(self.counts)

    def scores(self) -> dict[str, float]:
        """Cross entropy, mean IoU and mean Dice over the classes that occur, and the accuracy of pixels."""
        iou, dice, _, _ = self.by_class()
        return {
            "loss": self.total_loss / max(self.images, 1),
            "miou": float(np.nanmean(iou)),
            "dice": float(np.nanmean(dice)),
            "accuracy": float(self.counts.trace() / max(self.counts.sum(), 1)),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Counts and the masks to show."""
        rows = sorted(self.shown_masks)
        return {
            "counts": self.counts,
            "sums": np.concatenate(self.sums) if self.sums else np.empty((0, 3, self.task.outputs), np.int64),
            "loss": np.array(self.total_loss),
            "images": np.array(self.images),
            "worst": np.array(self.worst),
            "rows": np.array(rows),
            "answers": np.array([self.shown_masks[row][0] for row in rows]),
            "truths": np.array([self.shown_masks[row][1] for row in rows]),
        }

    def __len__(self) -> int:
        return self.images


def by_class(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(4, K) IoU, Dice, precision and recall from (K, K) counts, row = true class; nan where a score is undefined."""
    hits, support, predicted = counts.diagonal(), counts.sum(1), counts.sum(0)
    pairs = (hits, support + predicted - hits), (2 * hits, support + predicted), (hits, predicted), (hits, support)
    return np.array([_ratios(part, whole) for part, whole in pairs])


def _ratios(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _mean_iou(hits: NDArray[np.int64], support: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Mean IoU over the classes that occur or are predicted, from (K,) counts of pixels; 1 if there are none."""
    iou = _ratios(hits, support + predicted - hits)
    return float(np.nanmean(iou)) if not np.isnan(iou).all() else 1.0


def miou(counts: NDArray[np.int64]) -> float:
    """Mean IoU from (K, K) counts, row = true class."""
    return _mean_iou(counts.diagonal(), counts.sum(1), counts.sum(0))


def dice_loss(output: Tensor, target: Tensor) -> Tensor:
    """1 - Dice, from probabilities, averaged over the classes (Milletari 2016, arXiv:1606.04797, without squares).

    Sums run over all labelled pixels of the batch; a class that neither occurs nor is predicted has Dice 1.
    """
    labelled = (target != IGNORE)[:, None]
    probabilities = output.softmax(1) * labelled
    truth = (
        F.one_hot(torch.where(labelled[:, 0], target, 0), output.shape[1]).movedim(-1, 1).to(probabilities.dtype)
        * labelled
    )
    overlap, total = (probabilities * truth).sum((0, 2, 3)), (probabilities + truth).sum((0, 2, 3))
    return 1 - ((2 * overlap + 1) / (total + 1)).mean()
