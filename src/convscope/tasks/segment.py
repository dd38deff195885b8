"""Segmentation, one class per pixel: softmax, cross entropy, IoU of (B, K, H, W) logits and (B, H, W) masks."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from convscope.tasks.mask_meter import MaskMeter
from convscope.tasks.mask_metrics import IGNORE, dice_loss, mask_cross_entropy, mean_iou
from convscope.tasks.meter import Arrays
from convscope.tasks.resampled import bootstrap_interval
from convscope.tasks.sections import Cell, Interval, Matrix, Pictures, Section, Shown, Table
from convscope.tasks.task import AnswerPlace, Prediction, Task, TaskContext, TaskOptions, ViewTransform

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
        """File, size, the proportion of pixels of each class, and the file of the mask if it was written."""
        height, width = self.mask.shape
        shares = dict(zip(self.names, self.shares, strict=True))
        return {"file": self.file, "size": [height, width], "shares": shares} | (
            {"mask": self.saved} if self.saved else {}
        )

    def csv_row(self) -> list[Any]:
        """The proportion of pixels of each class."""
        return list(self.shares)

    def display(self, top: int) -> list[str]:
        """The classes with most pixels."""
        order = sorted(range(len(self.names)), key=lambda k: -self.shares[k])[:top]
        return [", ".join(f"{self.names[k]} {100 * self.shares[k]:.1f} %" for k in order if self.shares[k])]

    def image_png(self) -> bytes:
        """The mask as a PNG file of class indices with a palette of their colours."""
        image = Image.fromarray(self.mask).convert("P")
        image.putpalette(colors_of(np.arange(256)).ravel().tolist())
        content = io.BytesIO()
        image.save(content, "PNG")
        return content.getvalue()


@dataclass(frozen=True)
class Segment(Task):
    """Predict one class per pixel; `dice` as in `SegmentOptions`."""

    dice: float = 0.0

    name: ClassVar[str] = "segment"
    target_kind: ClassVar[str] = "masks"
    hub_task: ClassVar[str] = "image-segmentation"
    names_classes: ClassVar[bool] = True
    ground_first: ClassVar[bool] = True
    primary: ClassVar[str] = "miou"
    shown: ClassVar[tuple[str, ...]] = ("miou", "accuracy")
    options: ClassVar[type[TaskOptions]] = SegmentOptions
    any_size: ClassVar[bool] = True
    answer_places: ClassVar[Mapping[str, AnswerPlace]] = {"mask": "pixels"}
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
        entropy = mask_cross_entropy(output, target)
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

    def confusion(self, meter: MaskMeter) -> NDArray[np.int64]:
        """(K, K) counts of pixels: row = true class, column = predicted class."""
        return meter.counts

    def meter(self, arrays: Arrays | None = None) -> MaskMeter:
        """A meter of counts of pixels; logits are not kept."""
        return MaskMeter(self.outputs) if arrays is None else MaskMeter.restored(self.outputs, arrays)

    def sections(self, meter: MaskMeter) -> list[Section]:
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
        first = [self._shown(meter, *one) for one in meter.first_shown()]
        return [*sections, Pictures("Lowest IoU", note, worst), Pictures("First images", note, first)]

    def interval(self, meter: MaskMeter) -> Interval:
        """The 95 % interval of the mean IoU."""
        sums = np.concatenate(meter.sums) if meter.sums else np.empty((0, 3, self.outputs), np.int64)
        return bootstrap_interval(lambda rows: mean_iou(*sums[rows].sum(0)), len(sums))

    @staticmethod
    def draw_target(pixels: Pixels, target: NDArray[Any]) -> Pixels:
        """The image tinted by the mask; unlabelled pixels are not tinted."""
        return with_mask(pixels, np.where(target == IGNORE, 0, target).astype(np.uint8))

    def _shown(self, meter: MaskMeter, score: float, row: int) -> Shown:
        prediction, target = meter.shown_masks[row]
        return Shown(row, f"mIoU {score:.3f}", "", lambda pixels: with_mask(pixels, prediction, target))

    @property
    def columns(self) -> list[str]:
        """The proportion of pixels of each class."""
        return list(self.classes)

    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[MaskPrediction]:
        """Masks at the sizes of the files: the argmax of the resized logits."""
        found: list[MaskPrediction] = []
        for logits, frame in zip(output.float(), frames, strict=True):
            shown = _without_padding(logits, frame)
            enlarged = F.interpolate(shown[None], frame.size, mode="bilinear", align_corners=False)[0]
            found += self.from_answers({"mask": enlarged.argmax(0).to(torch.uint8)[None].cpu().numpy()}, [frame])
        return found

    def answers(self, output: Tensor) -> dict[str, Tensor]:
        """The scores of the classes of each pixel, of which the exported file takes the largest."""
        return {"mask": output.float()}

    def from_answers(
        self, answers: Mapping[str, NDArray[Any]], frames: Sequence[ViewTransform]
    ) -> list[MaskPrediction]:
        """Masks at the sizes of the files."""
        found = []
        for mask, frame in zip(answers["mask"], frames, strict=True):
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
