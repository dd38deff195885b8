"""One class per pixel: softmax in every place, cross entropy, IoU. (B, K, H, W) logits against (B, H, W) masks."""

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
"""In a mask: no class is right here, so nothing is learnt or measured."""

SHOWN_IMAGES = 12
DENSE = ("unet", "segnet", "full_resolution", "assembled")


class SegmentOptions(TaskOptions):
    """`dice` is the weight of the Dice loss beside the cross entropy: it counts every class alike, however small."""

    dice: float = Field(0.0, ge=0)


@dataclass(frozen=True, eq=False)
class MaskPrediction(Prediction):
    """The mask (H, W) of one file, at the file's own size, and each class's share of the pixels."""

    mask: NDArray[np.uint8]
    shares: tuple[float, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """File, size, and each class's share."""
        height, width = self.mask.shape
        return {"file": self.file, "size": [height, width], "shares": dict(zip(self.names, self.shares, strict=True))}

    def csv_row(self) -> list[Any]:
        """Each class's share."""
        return list(self.shares)

    def display(self, top: int) -> list[str]:
        """The classes that take most of the picture."""
        order = sorted(range(len(self.names)), key=lambda k: -self.shares[k])[:top]
        return [", ".join(f"{self.names[k]} {100 * self.shares[k]:.1f} %" for k in order if self.shares[k])]

    def save_files(self, folder: Path) -> Path:
        """Write the mask as a PNG whose values are the classes' indices and whose palette has their colours."""
        image = Image.fromarray(self.mask).convert("P")
        image.putpalette(colors_of(np.arange(256)).ravel().tolist())
        path = folder / f"{Path(self.file).stem}.png"
        image.save(path)
        return path


@dataclass(frozen=True)
class Segment(Task):
    """The task of naming one class per pixel; `dice` as in `SegmentOptions`."""

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
        """With the user's options."""
        return cls(context.classes, **options)

    def network(self, name: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """A network that answers for every pixel; of any other a U-Net is made with that one as its encoder."""
        if name in DENSE or name.endswith(".toml"):
            return name, dict(options)
        return "unet", {"encoder": name, "encoder_options": dict(options), "norm": "batch"}

    def attach_head(self, network: nn.Module) -> nn.Module:
        """The network itself.

        Raises:
            ModelError: it gives one answer per image.
        """
        if not isinstance(network, EncoderDecoder):
            raise ModelError("task segment: the network gives one answer per image; choose unet or segnet")
        return network

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Cross entropy, the mean over all pixels with a class, plus `dice` times the Dice loss."""
        target = target.long()
        context = (target != IGNORE).sum().clamp(min=1)
        entropy = F.cross_entropy(output, target, ignore_index=IGNORE, reduction="sum") / context
        return entropy + self.dice * dice_loss(output, target) if self.dice else entropy

    def decode(self, output: Tensor) -> Tensor:
        """(B, K, H, W) probabilities that sum to 1 in every pixel."""
        return output.float().softmax(dim=1)

    def class_scores(self, output: Tensor) -> Tensor:
        """The log of each class's mean probability over the image's pixels."""
        return output.float().softmax(1).mean((2, 3)).clamp(min=1e-12).log()

    def predicted_class(self, probabilities: NDArray[Any]) -> NDArray[np.int64]:
        """The class with most pixels beside the first, which is most often the ground."""
        return np.asarray(probabilities[:, 1:].argmax(1) + 1 if probabilities.shape[1] > 1 else probabilities.argmax(1))

    def confusion(self, meter: "MaskMeter") -> NDArray[np.int64]:
        """Of pixels."""
        return meter.counts

    def meter(self, arrays: Arrays | None = None) -> "MaskMeter":
        """Counts of pixels; no logits are kept."""
        return MaskMeter(self) if arrays is None else MaskMeter.restored(self, arrays)

    def sections(self, meter: "MaskMeter") -> list[Section]:
        """Class by class, which classes are taken for which, and the masks that are furthest off."""
        rows: list[list[Cell]] = [
            [name, int(counts), *(float(value) for value in values)]
            for name, counts, values in zip(self.classes, meter.counts.sum(1), meter.by_class().T, strict=True)
        ]
        columns = "class", "pixels", "IoU", "Dice", "precision", "recall"
        note = "IoU: pixels that are of the class and called so, over those that are either."
        found: list[Section] = [
            Table("Class by class", note, columns, rows),
            Matrix("Which classes are taken for which", "Validation pixels.", self.classes, self.confusion(meter)),
        ]
        note = "Tinted: the answer. White lines: where the true mask's classes meet."
        order = np.argsort([score for score, _ in meter.worst])
        worst = [self._shown(meter, *meter.worst[i]) for i in order]
        return [*found, Pictures("Furthest off", note, worst), Pictures("As they come", note, meter.first_shown(self))]

    def interval(self, meter: "MaskMeter") -> Interval:
        """Of the mean IoU."""
        sums = np.concatenate(meter.sums) if meter.sums else np.empty((0, 3, self.outputs), np.int64)
        return bootstrap_interval(lambda rows: _mean_iou(*sums[rows].sum(0)), len(sums))

    @staticmethod
    def draw_target(pixels: Pixels, target: NDArray[Any]) -> Pixels:
        """Tinted by the mask, whose unknown pixels are not."""
        return with_mask(pixels, np.where(target == IGNORE, 0, target).astype(np.uint8))

    def _shown(self, meter: "MaskMeter", score: float, row: int) -> Shown:
        answer, truth = meter.shown_masks[row]
        return Shown(row, f"mIoU {score:.3f}", "", lambda pixels: with_mask(pixels, answer, truth))

    @property
    def columns(self) -> list[str]:
        """Each class's share of the pixels."""
        return list(self.classes)

    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[MaskPrediction]:
        """Masks at the files' own sizes: logits are enlarged, then the largest is taken."""
        found = []
        for logits, frame in zip(output.float(), frames, strict=True):
            enlarged = F.interpolate(logits[None], frame.size, mode="bilinear", align_corners=False)[0]
            mask = enlarged.argmax(0).to(torch.uint8).cpu().numpy()
            shares = np.bincount(mask.ravel(), minlength=self.outputs) / mask.size
            found.append(MaskPrediction(frame.file, mask, tuple(shares.tolist()), self.classes))
        return found


@dataclass(eq=False)
class MaskMeter:
    """Counts of (true class, answer) over all pixels so far, and a few masks to show."""

    task: Segment
    counts: NDArray[np.int64] = field(init=False)
    total_loss: float = 0.0
    images: int = 0
    worst: list[tuple[float, int]] = field(default_factory=list)
    """(mIoU, row) of the images of the lowest."""
    sums: list[NDArray[np.int64]] = field(default_factory=list)
    """(B, 3, K) of each batch: pixels that are right, of the class, and called so, image by image."""
    shown_masks: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = field(default_factory=dict)
    """Row -> answer and truth."""

    def __post_init__(self) -> None:
        self.counts = np.zeros((self.task.outputs,) * 2, np.int64)

    @classmethod
    def restored(cls, task: Segment, arrays: Arrays) -> "MaskMeter":
        """From what `arrays` gave."""
        meter = cls(task, float(arrays["loss"]), int(arrays["images"]))
        meter.counts = np.asarray(arrays["counts"])
        meter.sums = [np.asarray(arrays["sums"])] if "sums" in arrays else []
        meter.worst = [(float(score), int(row)) for score, row in arrays["worst"]]
        meter.shown_masks = {
            int(r): (a, t) for r, a, t in zip(arrays["rows"], arrays["answers"], arrays["truths"], strict=True)
        }
        return meter

    def add(self, output: Tensor, target: Tensor) -> None:
        """Take a batch: (B, K, H, W) logits and (B, H, W) masks."""
        output, kinds = output.detach().float(), self.task.outputs
        plain = Segment(self.task.classes)
        self.total_loss += float(plain.loss(output, target)) * len(target)
        answers = output.argmax(1)
        truths, context = target.long(), target != IGNORE
        image = torch.arange(len(target), device=target.device).view(-1, 1, 1) * kinds**2
        place = (image + truths * kinds + answers)[context]
        each = torch.bincount(place, minlength=len(target) * kinds**2).view(-1, kinds, kinds).cpu().numpy()
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
        """The first images of the set."""
        return [task._shown(self, self._score(row), row) for row in sorted(self.shown_masks) if row < SHOWN_IMAGES]

    def _score(self, row: int) -> float:
        answer, truth = self.shown_masks[row]
        kinds, context = self.task.outputs, truth != IGNORE
        place = truth[context].astype(np.int64) * kinds + answer[context]
        return miou(np.bincount(place, minlength=kinds**2).reshape(kinds, kinds))

    def by_class(self) -> NDArray[np.float64]:
        """(4, K) IoU, Dice, precision and recall; nan where nothing is of the class or called so."""
        return by_class(self.counts)

    def scores(self) -> dict[str, float]:
        """Cross entropy, mean IoU over the classes that occur, mean Dice, and the share of pixels that are right."""
        iou, dice, _, _ = self.by_class()
        return {
            "loss": self.total_loss / max(self.images, 1),
            "miou": float(np.nanmean(iou)),
            "dice": float(np.nanmean(dice)),
            "accuracy": float(self.counts.trace() / max(self.counts.sum(), 1)),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Counts and the masks to show; masks of different sizes are not kept."""
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
    """(4, K) IoU, Dice, precision and recall from (K, K) counts, row = truth; nan where there is nothing."""
    right, support, answered = counts.diagonal(), counts.sum(1), counts.sum(0)
    pairs = (right, support + answered - right), (2 * right, support + answered), (right, answered), (right, support)
    return np.array([_shares(part, whole) for part, whole in pairs])


def _shares(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _mean_iou(right: NDArray[np.int64], asked: NDArray[np.int64], answered: NDArray[np.int64]) -> float:
    """Mean IoU over the classes that are there or answered, from (K,) pixels; 1 where nothing is to be answered."""
    iou = _shares(right, asked + answered - right)
    return float(np.nanmean(iou)) if not np.isnan(iou).all() else 1.0


def miou(counts: NDArray[np.int64]) -> float:
    """The same from (K, K) counts, row = truth."""
    return _mean_iou(counts.diagonal(), counts.sum(1), counts.sum(0))


def dice_loss(output: Tensor, target: Tensor) -> Tensor:
    """1 - Dice, from probabilities, averaged over the classes (Milletari 2016, arXiv:1606.04797, without squares).

    Sums run over all pixels of the batch that have a class; a class that is nowhere, and nowhere answered, has Dice 1.
    """
    context = (target != IGNORE)[:, None]
    share = output.softmax(1) * context
    truth = F.one_hot(torch.where(context[:, 0], target, 0), output.shape[1]).movedim(-1, 1).to(share.dtype) * context
    both, either = (share * truth).sum((0, 2, 3)), (share + truth).sum((0, 2, 3))
    return 1 - ((2 * both + 1) / (either + 1)).mean()
