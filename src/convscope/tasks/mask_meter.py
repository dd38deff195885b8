"""Counts of pixels of masks, and a few masks to show."""

import heapq
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convscope.tasks.mask_metrics import IGNORE, by_class, mask_cross_entropy, miou
from convscope.tasks.meter import Arrays

SHOWN_IMAGES = 12


@dataclass(eq=False)
class MaskMeter:
    """Counts of (true class, predicted class) over all pixels so far, and a few masks to show."""

    num_classes: int
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
        self.counts = np.zeros((self.num_classes,) * 2, np.int64)

    @classmethod
    def restored(cls, num_classes: int, arrays: Arrays) -> Self:
        """Restore a meter from the result of `arrays`."""
        meter = cls(num_classes, float(arrays["loss"]), int(arrays["images"]))
        meter.counts = np.asarray(arrays["counts"])
        meter.sums = [np.asarray(arrays["sums"])] if "sums" in arrays else []
        meter.worst = [(float(score), int(row)) for score, row in arrays["worst"]]
        meter.shown_masks = {
            int(r): (a, t) for r, a, t in zip(arrays["rows"], arrays["predictions"], arrays["targets"], strict=True)
        }
        return meter

    def add(self, output: Tensor, target: Tensor) -> None:
        """Add a batch: (B, K, H, W) logits and (B, H, W) masks."""
        output, classes = output.detach().float(), self.num_classes
        self.total_loss += float(mask_cross_entropy(output, target)) * len(target)
        predictions = output.argmax(1)
        targets, labelled = target.long(), target != IGNORE
        image = torch.arange(len(target), device=target.device).view(-1, 1, 1) * classes**2
        cells = (image + targets * classes + predictions)[labelled]
        each = torch.bincount(cells, minlength=len(target) * classes**2).view(-1, classes, classes).cpu().numpy()
        self.counts += each.sum(0)
        self.sums.append(np.stack([each.diagonal(axis1=1, axis2=2), each.sum(2), each.sum(1)], 1))
        for count, prediction, mask in zip(each, predictions.cpu(), target.cpu(), strict=True):
            self._keep(miou(count), prediction.numpy().astype(np.uint8), mask.numpy().astype(np.uint8))
            self.images += 1

    def _keep(self, score: float, prediction: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
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
            self.shown_masks[row] = prediction, target
        if dropped is not None and dropped >= SHOWN_IMAGES:
            self.shown_masks.pop(dropped, None)

    def first_shown(self) -> list[tuple[float, int]]:
        """(mIoU, row) of the first images of the split."""
        return [(self._score(row), row) for row in sorted(self.shown_masks) if row < SHOWN_IMAGES]

    def _score(self, row: int) -> float:
        prediction, target = self.shown_masks[row]
        classes, labelled = self.num_classes, target != IGNORE
        cells = target[labelled].astype(np.int64) * classes + prediction[labelled]
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
            "sums": np.concatenate(self.sums) if self.sums else np.empty((0, 3, self.num_classes), np.int64),
            "loss": np.array(self.total_loss),
            "images": np.array(self.images),
            "worst": np.array(self.worst),
            "rows": np.array(rows),
            "predictions": np.array([self.shown_masks[row][0] for row in rows]),
            "targets": np.array([self.shown_masks[row][1] for row in rows]),
        }

    def __len__(self) -> int:
        return self.images
