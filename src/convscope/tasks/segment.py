"""Segmentation, one class per pixel: softmax, cross entropy, IoU of (B, K, H, W) logits and (B, H, W) masks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from convscope.errors import ConfigError, ModelError
from convscope.models import EncoderDecoder
from convscope.predictions import MaskAnswers, MaskPrediction, ViewTransform
from convscope.tasks.drawing import Pixels, with_mask
from convscope.tasks.mask_meter import MaskMeter
from convscope.tasks.mask_metrics import IGNORE, dice_loss, log_odds, mask_cross_entropy, mean_iou
from convscope.tasks.meter import Arrays
from convscope.tasks.resampled import bootstrap_interval
from convscope.tasks.sections import Cell, Interval, Matrix, Pictures, Section, Shown, Table
from convscope.tasks.shown_answer import ImageErrors, ShownAnswer
from convscope.tasks.task import Task, TaskContext, TaskOptions

GOOD = 0.5  # mean IoU from which a mask does not count as a mistake
DENSE = ("unet", "segnet", "full_resolution", "assembled")


class SegmentOptions(TaskOptions):
    """`dice` is the weight of the Dice loss, added to the cross entropy: it gives all classes equal weight."""

    dice: float = Field(0.0, ge=0)


@dataclass(frozen=True)
class Segment(MaskAnswers, Task):
    """Predict one class per pixel; `dice` as in `SegmentOptions`."""

    dice: float = 0.0

    name: ClassVar[str] = "segment"
    purpose: ClassVar[str] = "one of {count} classes for each pixel"
    target_kind: ClassVar[str] = "masks"
    hub_task: ClassVar[str] = "image-segmentation"
    names_classes: ClassVar[bool] = True
    ground_first: ClassVar[bool] = True
    primary: ClassVar[str] = "miou"
    shown: ClassVar[tuple[str, ...]] = ("miou", "accuracy")
    score_names: ClassVar[Mapping[str, str]] = {"miou": "mean IoU", "dice": "mean Dice", "accuracy": "pixel accuracy"}
    options: ClassVar[type[TaskOptions]] = SegmentOptions
    any_size: ClassVar[bool] = True
    answers_pixels: ClassVar[bool] = True
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

    def answer_scores(self, output: Tensor, pixel: tuple[int, int] | None = None) -> Tensor:
        """The log-odds of each class: of one pixel, or their mean over all pixels, weighted by the probabilities.

        After Seg-Grad-CAM (Vinogradova 2020, arXiv:2002.11434), which sums the logits of the predicted pixels;
        probabilities as weights keep the score continuous when a part of the image is hidden.
        """
        odds = log_odds(output.float())
        if pixel is None:
            return (output.float().softmax(1).detach() * odds).mean((2, 3))
        row, column = self._checked_pixel(output, pixel)
        return odds[:, :, row, column]

    def default_answer(self, output: Tensor, pixel: tuple[int, int] | None = None) -> Tensor:
        """The class of the pixel; without one, the class with most pixels, except class 0."""
        if pixel is None:
            return super().default_answer(output)
        row, column = self._checked_pixel(output, pixel)
        return output[:, :, row, column].detach().argmax(1).cpu()

    @staticmethod
    def _checked_pixel(output: Tensor, pixel: tuple[int, int]) -> tuple[int, int]:
        height, width = output.shape[2:]
        if not (0 <= pixel[0] < height and 0 <= pixel[1] < width):
            raise ConfigError(
                f"pixel: no row {pixel[0]}, column {pixel[1]} in a mask of {height} x {width}; "
                f"choose up to {height - 1}, {width - 1}"
            )
        return pixel

    def shown_answer(self, output: Tensor, target: NDArray[Any] | None) -> ShownAnswer:
        """Both masks."""
        mask = output[0].argmax(0).to(torch.uint8).cpu().numpy()
        return ShownAnswer(mask=mask, target_mask=None if target is None else target.astype(np.uint8))

    def trivial_score(self, meter: MaskMeter) -> tuple[str, float]:
        """The most frequent class for every pixel."""
        support = meter.counts.sum(1)
        best, occurring = int(support.argmax()), max(1, int((support > 0).sum()))
        return f"every pixel {self.classes[best]}", float(support[best] / max(support.sum(), 1) / occurring)

    def image_errors(self, meter: MaskMeter) -> ImageErrors:
        """1 - mean IoU over the classes that occur or are predicted; below `GOOD` it counts as a mistake."""
        scores = np.array([mean_iou(*sums) for part in meter.sums for sums in part])
        return ImageErrors(1 - scores, scores < GOOD, tuple(f"mIoU {one:.3f}" for one in scores))

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


def _without_padding(logits: Tensor, frame: ViewTransform) -> Tensor:
    """The part (K, h, w) of the logits that lies inside the file, of an input that shows more than it."""
    height, width = logits.shape[-2:]
    columns = width / frame.across  # input pixels per file pixel
    rows = height / frame.down
    left, right = max(0, round(-frame.left * columns)), min(width, round((frame.size[1] - frame.left) * columns))
    top, bottom = max(0, round(-frame.top * rows)), min(height, round((frame.size[0] - frame.top) * rows))
    return logits[:, top:bottom, left:right]
