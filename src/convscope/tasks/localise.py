"""What the one object in an image is, and where: two heads on one encoder, their losses summed.

Images with many objects to be found need a detector, which convscope has not: torchvision's Faster R-CNN or
Ultralytics' YOLO are made for them.
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
from convscope.tasks.boxes import giou, iou, to_xywh, to_xyxy
from convscope.tasks.classify import confusion_matrix, wilson
from convscope.tasks.drawing import ANSWER, TRUTH, Pixels, with_boxes
from convscope.tasks.meter import Arrays, GatheringMeter
from convscope.tasks.sections import Interval, Matrix, Pictures, Section, Shown, Table
from convscope.tasks.task import Prediction, Task, TaskContext, TaskOptions, ViewTransform

SHOWN_IMAGES = 12
GOOD = 0.5  # IoU from which a box counts as right
BoxLoss = Literal["mse", "smooth_l1", "giou"]


class LocaliseOptions(TaskOptions):
    """`box` is the loss of the box and `box_weight` its factor beside the cross entropy of the class."""

    box: BoxLoss = "smooth_l1"
    box_weight: float = Field(10.0, ge=0)


@dataclass(frozen=True)
class BoxPrediction(Prediction):
    """Class and box of one file; `box` is xyxy in the file's pixels."""

    label: str
    confidence: float
    box: tuple[float, float, float, float]
    probabilities: tuple[float, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """File, label, its probability, the box, and every class's probability."""
        probabilities = dict(zip(self.names, self.probabilities, strict=True))
        record = {"file": self.file, "label": self.label, "confidence": self.confidence, "box": list(self.box)}
        return record | {"probabilities": probabilities}

    def csv_row(self) -> list[Any]:
        """Label, confidence, box."""
        return [self.label, self.confidence, *self.box]

    def display(self, top: int) -> list[str]:  # noqa: ARG002
        """Label with its probability, and the box."""
        return [f"{self.label} {100 * self.confidence:.1f} %", " ".join(f"{side:.1f}" for side in self.box)]


class TwoHeads(nn.Module):
    """The class's logits and the box's four numbers, side by side, (B, K + 4), from one encoder's last maps.

    The box's head sees where things lie in the maps, which a mean over them would forget.
    """

    def __init__(self, kind: nn.Module, maps: tuple[int, ...], width: int = 64) -> None:
        super().__init__()
        channels, places, between = maps[0], maps[1] * maps[2], 32
        self.kind = kind
        last = nn.Linear(2 * width, 4)
        self.box = nn.Sequential(
            nn.Conv2d(channels, between, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(between * places, 2 * width),
            nn.ReLU(),
            last,
        )
        nn.init.normal_(last.weight, std=0.01)
        nn.init.constant_(last.bias, 0.5)  # begin with a box in the middle, half as large as the image

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.kind(x), self.box(x)], 1)


@dataclass(frozen=True)
class Localise(Task):
    """The task of naming an image's object and giving its box.

    Targets are (B, 5): class, then xyxy in pixels of the network's image; a box of nan is not known. The network's four
    numbers are the box's middle and sides, in shares of the image's width and height.

    Args:
        size: height and width of the network's images.
        box: the box's loss: `mse` (the notes'), `smooth_l1` (linear beyond a tenth of the image) or `giou`.
        box_weight: its factor.
    """

    size: tuple[int, int] = (1, 1)
    box: BoxLoss = "smooth_l1"
    box_weight: float = 10.0

    name: ClassVar[str] = "localise"
    target_kind: ClassVar[str] = "boxes"
    primary: ClassVar[str] = "both"
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "iou", "iou50", "both")
    options: ClassVar[type[TaskOptions]] = LocaliseOptions
    names_classes: ClassVar[bool] = True
    default_settings: ClassVar[Mapping[str, Any]] = {
        "optimiser.name": "adamw",
        "optimiser.learning_rate": 0.003,
        "optimiser.weight_decay": 0.01,
    }

    @classmethod
    def format_score(cls, score: float) -> str:
        """In per cent."""
        return f"{100 * score:.2f} %"

    @classmethod
    def from_data(cls, context: TaskContext, options: Mapping[str, Any]) -> Self:
        """For images of the network's size."""
        return cls(context.classes, context.size, **options)

    def attach_head(self, network: nn.Module) -> nn.Module:
        """The network with a second head for the box beside its own.

        Raises:
            ModelError: it has no head to put one beside.
        """
        if not isinstance(network, Network) or isinstance(network, EncoderDecoder) or len(network.auxiliary):
            raise ModelError(
                "task localise: the network has no place for a second head; choose another, such as resnet18"
            )
        maps = last_maps(network, self.size)
        if len(maps) != 3:
            raise ModelError("task localise: the network keeps no maps in which to find a box; choose resnet18")
        network.head = TwoHeads(network.head, maps)
        return network

    def boxes(self, output: Tensor) -> Tensor:
        """(B, 4) xyxy in pixels of the network's image, as they are."""
        height, width = self.size
        return to_xyxy(output[:, -4:]) * output.new_tensor([width, height, width, height])

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Cross entropy of the class + `box_weight` * loss of the box, each the mean over those known."""
        entropy = F.cross_entropy(output[:, :-4], target[:, 0].long())
        return entropy + self.box_weight * self.box_loss(output, target)

    def box_loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean over the batch's known boxes, of the four shares (mse, smooth_l1) or of 1 - GIoU."""
        scale = output.new_tensor([self.size[1], self.size[0]] * 2)
        found, wanted = output[:, -4:], to_xywh(target[:, 1:] / scale)
        context = ~wanted.isnan().any(1, keepdim=True)
        wanted = torch.where(context, wanted, found.detach())
        if self.box == "giou":
            each = 1 - giou(to_xyxy(found), to_xyxy(wanted))[:, None]
            each = each * context
        elif self.box == "mse":
            each = (found - wanted).square().mean(1, keepdim=True)
        else:
            each = F.smooth_l1_loss(found, wanted, beta=0.1, reduction="none").mean(1, keepdim=True)
        return each.sum() / context.sum().clamp(min=1)

    def decode(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """(N, K) probabilities that sum to 1 and (N, 4) boxes within the network's image."""
        height, width = self.size
        edge = output.new_tensor([width, height, width, height], dtype=torch.float32)
        return output[:, :-4].float().softmax(1), self.boxes(output.float()).clamp(min=0).minimum(edge)

    def meter(self, arrays: Arrays | None = None) -> GatheringMeter:
        """All outputs and targets."""
        return GatheringMeter(self.scores, arrays)

    def scores(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Loss, accuracy of the class, mean IoU, share of boxes with IoU of 0.5 or more, and share with both right."""
        right, overlap = self.correct(output, target)
        context = ~target[:, 1:].isnan().any(1)
        return {
            "loss": float(self.loss(output.float(), target)),
            "accuracy": float(right.float().mean()),
            "iou": float(overlap[context].mean()),
            "iou50": float((overlap[context] >= GOOD).float().mean()),
            "both": float((right & (overlap >= GOOD))[context].float().mean()),
        }

    def class_scores(self, output: Tensor) -> Tensor:
        """The class's logits, without the box's numbers."""
        return output[:, :-4]

    def confusion(self, meter: GatheringMeter) -> NDArray[np.int64]:
        """Of images, by their classes alone."""
        return confusion_matrix(self.class_scores(meter.output), meter.target[:, 0].long(), self.outputs)

    def correct(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """(N,) whether the class is right, and (N,) the IoU of the boxes, 0 where unknown."""
        shares, boxes = self.decode(output)
        return shares.argmax(1) == target[:, 0], iou(boxes, target[:, 1:]).nan_to_num(0)

    def interval(self, meter: GatheringMeter) -> Interval:
        """Of the share of images with class and box right."""
        right, overlap = self.correct(meter.output, meter.target)
        return wilson(int((right & (overlap >= GOOD)).sum()), len(meter))

    def sections(self, meter: GatheringMeter) -> list[Section]:
        """Class by class, and drawn boxes: the worst, then as they come."""
        right, overlap = self.correct(meter.output, meter.target)
        truth = meter.target[:, 0].long()
        rows: list[list[Any]] = []
        for k, name in enumerate(self.classes):
            mine = truth == k
            hits = (int((value & mine).sum()) for value in (right, overlap >= GOOD, right & (overlap >= GOOD)))
            rows.append([name, int(mine.sum()), *(wilson(n, int(mine.sum())) for n in hits)])
        columns = "class", "images", "class right", "IoU 0.5 or more", "both"
        note = "Validation shares; the band is the 95 % interval."
        message = "Red: the answer. White: what is right."
        order = np.lexsort((overlap.numpy(), (right & (overlap >= GOOD)).numpy()))
        shown = [self._shown(meter, int(i), float(overlap[i])) for i in order[:SHOWN_IMAGES]]
        first = [self._shown(meter, i, float(overlap[i])) for i in range(min(SHOWN_IMAGES, len(meter)))]
        matrix = self.confusion(meter)
        return [
            Table("Class by class", note, columns, rows),
            Matrix("Which classes are taken for which", "Validation images.", self.classes, matrix),
            Pictures("Furthest off", message, shown),
            Pictures("As they come", message, first),
        ]

    @staticmethod
    def draw_target(pixels: Pixels, target: NDArray[Any]) -> Pixels:
        """With the box, where it is known."""
        return with_boxes(pixels, [] if np.isnan(target).any() else [(target[1:].tolist(), TRUTH)])

    def _shown(self, meter: GatheringMeter, row: int, overlap: float) -> Shown:
        shares, boxes = self.decode(meter.output[row : row + 1])
        truth = meter.target[row]
        drawn = [(truth[1:].tolist(), TRUTH), (boxes[0].tolist(), ANSWER)]

        def draw(pixels: Pixels) -> Pixels:
            return with_boxes(pixels, [box for box in drawn if not np.isnan(box[0]).any()])

        answer = f"{self.classes[int(shares[0].argmax())]}, IoU {overlap:.2f}"
        return Shown(row, answer, self.classes[int(truth[0])], draw)

    @property
    def columns(self) -> list[str]:
        """Label, its probability, the box's corners."""
        return ["label", "confidence", "x1", "y1", "x2", "y2"]

    def headings(self, top: int) -> list[str]:  # noqa: ARG002
        """Answer and box."""
        return ["answer", "box (x1 y1 x2 y2)"]

    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[BoxPrediction]:
        """Boxes in the files' pixels, cut at their borders."""
        shares, boxes = (part.cpu().numpy().astype(np.float64) for part in self.decode(output))
        found = []
        for share, box, frame in zip(shares, boxes, frames, strict=True):
            best = int(share.argmax())
            corners = to_file_pixels(box, frame, self.size)
            found.append(
                BoxPrediction(
                    frame.file, self.classes[best], float(share[best]), corners, tuple(share.tolist()), self.classes
                )
            )
        return found


def to_file_pixels(
    box: NDArray[np.float64], frame: ViewTransform, size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """A box of the network's image in the file's pixels."""
    height, width = size
    across, down = frame.across / width, frame.down / height
    x1, x2 = (float(np.clip(frame.left + x * across, 0, frame.size[1])) for x in (box[0], box[2]))
    y1, y2 = (float(np.clip(frame.top + y * down, 0, frame.size[0])) for y in (box[1], box[3]))
    return x1, y1, x2, y2
