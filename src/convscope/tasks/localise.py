"""Localisation, one class and box per image: two heads on one encoder, their losses summed.

To detect many objects per image use a detector, which convscope does not provide, such as torchvision's Faster R-CNN
or Ultralytics' YOLO.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from convscope.errors import ModelError
from convscope.models import EncoderDecoder, Network
from convscope.models.heads import last_maps
from convscope.predictions import BoxAnswers, BoxPrediction, ViewTransform
from convscope.tasks.boxes import giou, iou, to_file_pixels, to_xywh, to_xyxy
from convscope.tasks.drawing import PREDICTION_COLOR, TARGET_COLOR, Pixels, with_boxes
from convscope.tasks.meter import Arrays, GatheringMeter
from convscope.tasks.proportions import confusion_matrix, wilson
from convscope.tasks.sections import Interval, Matrix, Pictures, Section, Shown, Table
from convscope.tasks.shown_answer import BOX_SIDES, ImageErrors, ShownAnswer, ShownBox
from convscope.tasks.task import Task, TaskContext, TaskOptions
from convscope.tasks.two_heads import TwoHeads

SHOWN_IMAGES = 12
GOOD = 0.5  # IoU from which a box counts as correct
BoxLoss = Literal["mse", "smooth_l1", "giou"]


class LocaliseOptions(TaskOptions):
    """`box` is the loss of the box and `box_weight` its factor relative to the cross entropy of the class."""

    box: BoxLoss = "smooth_l1"
    box_weight: float = Field(10.0, ge=0)


@dataclass(frozen=True)
class Localise(BoxAnswers, Task):
    """Predict the class and box of an image's object.

    Targets are (B, 5): class, then xyxy in pixels of the network's input; a box of nan is unknown. The network's four
    numbers are the centre and size of the box, relative to the width and height of the image.

    Args:
        size: height and width of the network's input.
        box: the loss of the box: `mse`, `smooth_l1` (linear beyond a tenth of the image) or `giou`.
        box_weight: the factor of that loss.
    """

    size: tuple[int, int] = (1, 1)
    box: BoxLoss = "smooth_l1"
    box_weight: float = 10.0

    name: ClassVar[str] = "localise"
    purpose: ClassVar[str] = "the class, one of {count}, and the box of the object in an image"
    target_kind: ClassVar[str] = "boxes"
    hub_task: ClassVar[str] = "object-detection"
    primary: ClassVar[str] = "both"
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "iou", "iou50", "both")
    score_names: ClassVar[Mapping[str, str]] = {"both": "class and box right", "iou": "mean IoU", "iou50": "IoU >= 0.5"}
    options: ClassVar[type[TaskOptions]] = LocaliseOptions
    names_classes: ClassVar[bool] = True
    default_settings: ClassVar[Mapping[str, Any]] = {
        "optimiser.name": "adamw",
        "optimiser.learning_rate": 0.003,
        "optimiser.weight_decay": 0.01,
    }

    @classmethod
    def format_score(cls, score: float) -> str:
        """As a percentage."""
        return f"{100 * score:.2f} %"

    @classmethod
    def from_data(cls, context: TaskContext, options: Mapping[str, Any]) -> Self:
        """The task for the network's input size."""
        height, width = context.size
        return cls(context.classes, (height, width), **options)

    def attach_head(self, network: nn.Module) -> nn.Module:
        """The network with a second head for the box.

        Raises:
            ModelError: it does not support a second head.
        """
        if not isinstance(network, Network) or isinstance(network, EncoderDecoder) or len(network.auxiliary):
            raise ModelError(
                "task localise: the network does not support a second head; choose another, such as resnet18"
            )
        maps = last_maps(network, self.size)
        if len(maps) != 3:
            raise ModelError("task localise: the network has no feature maps to locate a box in; choose resnet18")
        network.head = TwoHeads(network.head, maps)
        return network

    def boxes(self, output: Tensor) -> Tensor:
        """(B, 4) xyxy in pixels of the network's input, not clipped."""
        height, width = self.size
        return to_xyxy(output[:, -4:]) * output.new_tensor([width, height, width, height])

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Cross entropy of the class + `box_weight` * loss of the box, the latter the mean over known boxes."""
        entropy = F.cross_entropy(output[:, :-4], target[:, 0].long())
        return entropy + self.box_weight * self.box_loss(output, target)

    def box_loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean over known boxes of the loss of the four relative numbers (mse, smooth_l1) or of 1 - GIoU."""
        scale = output.new_tensor([self.size[1], self.size[0]] * 2)
        predicted, expected = output[:, -4:], to_xywh(target[:, 1:] / scale)
        known = ~expected.isnan().any(1, keepdim=True)
        expected = torch.where(known, expected, predicted.detach())
        if self.box == "giou":
            each = 1 - giou(to_xyxy(predicted), to_xyxy(expected))[:, None]
            each = each * known
        elif self.box == "mse":
            each = (predicted - expected).square().mean(1, keepdim=True)
        else:
            each = F.smooth_l1_loss(predicted, expected, beta=0.1, reduction="none").mean(1, keepdim=True)
        return each.sum() / known.sum().clamp(min=1)

    def decode(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """(N, K) probabilities that sum to 1 and (N, 4) boxes clipped to the network's input."""
        height, width = self.size
        edge = output.new_tensor([width, height, width, height], dtype=torch.float32)
        return output[:, :-4].float().softmax(1), self.boxes(output.float()).clamp(min=0).minimum(edge)

    def meter(self, arrays: Arrays | None = None) -> GatheringMeter:
        """A meter of all outputs and targets."""
        return GatheringMeter(self.scores, arrays)

    def scores(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Loss, accuracy of the class, mean IoU, share of boxes with IoU >= 0.5, and share with both correct."""
        correct, overlap = self.correct(output, target)
        known = ~target[:, 1:].isnan().any(1)
        return {
            "loss": float(self.loss(output.float(), target)),
            "accuracy": float(correct.float().mean()),
            "iou": float(overlap[known].mean()),
            "iou50": float((overlap[known] >= GOOD).float().mean()),
            "both": float((correct & (overlap >= GOOD))[known].float().mean()),
        }

    def class_scores(self, output: Tensor) -> Tensor:
        """The class's logits, without the box's numbers."""
        return output[:, :-4]

    @property
    def answer_names(self) -> tuple[str, ...]:
        """The classes, then the sides of the box."""
        return (*self.classes, *BOX_SIDES)

    def answer_scores(self, output: Tensor, pixel: tuple[int, int] | None = None) -> Tensor:
        """The class's logits, then left, top, right and bottom of the box in pixels of the network's input."""
        super().answer_scores(output, pixel)
        return torch.cat([output[:, :-4], self.boxes(output)], 1)

    def shown_answer(self, output: Tensor, target: NDArray[Any] | None) -> ShownAnswer:
        """Both boxes with their classes."""
        probabilities, boxes = self.decode(output)
        best = int(probabilities[0].argmax())
        label = f"{self.classes[best]} {100 * float(probabilities[0, best]):.0f} %"
        shown = [ShownBox(label, tuple(boxes[0].tolist()))]
        if target is not None and not np.isnan(target).any():
            shown.append(ShownBox(self.classes[int(target[0])], tuple(target[1:].tolist()), is_target=True))
        return ShownAnswer(boxes=tuple(shown))

    def image_errors(self, meter: GatheringMeter) -> ImageErrors:
        """1 - IoU, and 1 more if the class is wrong; of unknown boxes the class only."""
        correct, overlap = (part.numpy() for part in self.correct(meter.output, meter.target))
        known = ~meter.target[:, 1:].isnan().any(1).numpy()
        values = np.where(known, 1 - overlap, 0) + ~correct
        texts = [f"IoU {one:.2f}" if there else "unknown box" for one, there in zip(overlap, known, strict=True)]
        wrong = ~correct | (known & (overlap < GOOD))
        return ImageErrors(
            values, wrong, tuple(t if c else f"class wrong, {t}" for t, c in zip(texts, correct, strict=True))
        )

    def confusion(self, meter: GatheringMeter) -> NDArray[np.int64]:
        """(K, K) counts of images by class, whatever their boxes."""
        return confusion_matrix(self.class_scores(meter.output), meter.target[:, 0].long(), self.outputs)

    def correct(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """(N,) whether the class is correct, and (N,) the IoU of the boxes, 0 if unknown."""
        probabilities, boxes = self.decode(output)
        return probabilities.argmax(1) == target[:, 0], iou(boxes, target[:, 1:]).nan_to_num(0)

    def interval(self, meter: GatheringMeter) -> Interval:
        """The 95 % interval of the proportion of images with correct class and box."""
        correct, overlap = self.correct(meter.output, meter.target)
        return wilson(int((correct & (overlap >= GOOD)).sum()), len(meter))

    def sections(self, meter: GatheringMeter) -> list[Section]:
        """Scores per class, confusion matrix, and images with boxes: the lowest IoU, then the first images."""
        correct, overlap = self.correct(meter.output, meter.target)
        truth = meter.target[:, 0].long()
        rows: list[list[Any]] = []
        for k, name in enumerate(self.classes):
            of_class = truth == k
            hits = (int((value & of_class).sum()) for value in (correct, overlap >= GOOD, correct & (overlap >= GOOD)))
            rows.append([name, int(of_class.sum()), *(wilson(n, int(of_class.sum())) for n in hits)])
        columns = "class", "images", "class correct", "IoU 0.5 or more", "both"
        note = "Validation scores; the band is the 95 % interval."
        legend = "Red: prediction. White: target."
        order = np.lexsort((overlap.numpy(), (correct & (overlap >= GOOD)).numpy()))
        shown = [self._shown(meter, int(i), float(overlap[i])) for i in order[:SHOWN_IMAGES]]
        first = [self._shown(meter, i, float(overlap[i])) for i in range(min(SHOWN_IMAGES, len(meter)))]
        return [
            Table("Scores per class", note, columns, rows),
            Matrix("Confusion matrix", "Validation images.", self.classes, self.confusion(meter)),
            Pictures("Lowest IoU", legend, shown),
            Pictures("First images", legend, first),
        ]

    @staticmethod
    def draw_target(pixels: Pixels, target: NDArray[Any]) -> Pixels:
        """The image with the box, if it is known."""
        return with_boxes(pixels, [] if np.isnan(target).any() else [(target[1:].tolist(), TARGET_COLOR)])

    def _shown(self, meter: GatheringMeter, row: int, overlap: float) -> Shown:
        probabilities, boxes = self.decode(meter.output[row : row + 1])
        target = meter.target[row]
        drawn = [(target[1:].tolist(), TARGET_COLOR), (boxes[0].tolist(), PREDICTION_COLOR)]

        def draw(pixels: Pixels) -> Pixels:
            return with_boxes(pixels, [box for box in drawn if not np.isnan(box[0]).any()])

        prediction = f"{self.classes[int(probabilities[0].argmax())]}, IoU {overlap:.2f}"
        return Shown(row, prediction, self.classes[int(target[0])], draw)

    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[BoxPrediction]:
        """Boxes in pixels of the files, clipped to their borders."""
        probabilities, boxes = (part.cpu().numpy().astype(np.float64) for part in self.decode(output))
        corners = [to_file_pixels(box, frame, self.size) for box, frame in zip(boxes, frames, strict=True)]
        return self.from_answers({"box": np.array(corners).reshape(-1, 4), "probabilities": probabilities}, frames)

    def answers(self, output: Tensor) -> dict[str, Tensor]:
        """The index of the class, its probability, the box, and the probabilities of all classes."""
        probabilities, boxes = self.decode(output)
        return {
            "label": probabilities.argmax(1), "confidence": probabilities.amax(1), "box": boxes,
            "probabilities": probabilities,
        }  # fmt: skip
