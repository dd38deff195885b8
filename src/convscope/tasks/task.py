"""Interface of all tasks: head, loss, scores, predictions and figures. Other code never branches on task names."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel
from torch import Tensor, nn

from convscope.errors import ConfigError, ModelError
from convscope.models import EncoderDecoder
from convscope.predictions import Answers, ViewTransform
from convscope.tasks.drawing import PLAIN_LEAST, Pixels, enlarged
from convscope.tasks.meter import Arrays, Meter
from convscope.tasks.sections import Interval, Section
from convscope.tasks.shown_answer import ImageErrors, ShownAnswer


class TaskOptions(BaseModel, frozen=True, extra="forbid"):
    """A task's settings, ``[loss]`` in the recipe; the default for a task without settings."""


@dataclass(frozen=True, eq=False)
class TaskContext:
    """What a task is built from: classes (or names of numbers), training targets, and (H, W) of the network's input."""

    classes: tuple[str, ...]
    targets: NDArray[Any]
    size: tuple[int, ...]


@dataclass(frozen=True)
class Task(Answers):
    """What a network predicts, with loss and scores.

    The fields are saved with the network and suffice to decode its outputs. A new task is one file with a class like
    this and one line in `TASKS`; see ``docs/how-to/extend/add-a-task.md``. One that inherits from one of
    `predictions.ANSWERS` too is predicted from exported files without PyTorch.
    """

    name: ClassVar[str]
    purpose: ClassVar[str] = "{count} outputs for each image"
    """What is predicted, for a sentence of the report; {count} is the number of classes."""
    target_kind: ClassVar[str]
    """The kind of target: classes, labels, numbers, masks or boxes; see `datasets.Dataset.target_kind`."""
    primary: ClassVar[str]
    """The primary metric; higher is better."""
    shown: ClassVar[tuple[str, ...]]
    """The scores that are printed after each epoch."""
    score_names: ClassVar[Mapping[str, str]] = {}
    """Names of the scores in the report, where they are not those of `Meter.scores`."""
    options: ClassVar[type[TaskOptions]] = TaskOptions
    any_size: ClassVar[bool] = False
    """Whether prediction uses images of any size, without cropping."""
    names_classes: ClassVar[bool] = False
    """Whether the predictions contain classes, so that `class_scores` returns logits."""
    outputs_classes: ClassVar[bool] = False
    """Whether the network's outputs are the (B, K) class logits."""
    single_class: ClassVar[bool] = False
    """Whether the prediction for an image is exactly one class, so that one label corrects it."""
    ground_first: ClassVar[bool] = False
    """Whether the first class is the background."""
    averages_views: ClassVar[bool] = False
    """Whether test-time augmentation of small images is tried at the end of training."""
    small_images_model: ClassVar[str] = ""
    """The default network for many small images; empty: the general default."""
    supports_mixup: ClassVar[bool] = False
    """Whether mixup and CutMix can mix the targets."""
    answers_pixels: ClassVar[bool] = False
    """Whether each pixel has an answer of its own, so that `answer_scores` takes a pixel."""
    hub_task: ClassVar[str] = ""
    """The name of the task on the Hugging Face Hub; empty if it has none."""
    default_settings: ClassVar[Mapping[str, Any]] = {}
    """Recipe settings, by dotted name, that replace the defaults chosen from the data."""

    @classmethod
    def from_data(cls, context: TaskContext, options: Mapping[str, Any]) -> Self:
        """The task for these data with the user's options."""
        return cls(context.classes, **dict(options))

    @classmethod
    def score_name(cls, score: str) -> str:
        """The name of a score in the report."""
        return cls.score_names.get(score, score.replace("_", " "))

    @classmethod
    def format_score(cls, score: float) -> str:
        """The primary metric as text."""
        return f"{score:.4f}"

    @property
    def outputs(self) -> int:
        """Number of outputs of the network, per image or per pixel."""
        return len(self.classes)

    def network(self, name: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Name and options of the network to build if the user chose `name` with `options`."""
        return name, dict(options)

    def attach_head(self, network: nn.Module) -> nn.Module:
        """The network with a custom head, if the task needs one; called before weights are loaded.

        Raises:
            ModelError: its output is dense.
        """
        if isinstance(network, EncoderDecoder):
            raise ModelError(
                f"task {self.name}: the network gives one output per pixel, not per image; "
                "choose another, such as resnet18"
            )
        return network

    @abstractmethod
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The training loss: a scalar, the mean over the batch."""

    @abstractmethod
    def meter(self, arrays: Arrays | None = None) -> Meter:
        """A new meter, or one restored from the arrays of an earlier meter."""

    def class_scores(self, output: Tensor) -> Tensor | None:
        """(B, K) class logits of each image from the network's output; None if the predictions contain no classes."""
        return output if self.names_classes else None

    @property
    def answer_names(self) -> tuple[str, ...]:
        """Names of the J answers that can be explained: classes, labels, numbers, sides of a box."""
        return self.classes

    def answer_scores(self, output: Tensor, pixel: tuple[int, int] | None = None) -> Tensor:
        """(B, J) a differentiable score of each answer, from the network's output; (row, column) of one pixel.

        Raises:
            ConfigError: a pixel, where the answer is for the whole image.
        """
        if pixel is not None:
            raise ConfigError(f"pixel: the task {self.name} answers for the whole image; omit pixel")
        scores = self.class_scores(output)
        return output if scores is None else scores

    def default_answer(self, output: Tensor, pixel: tuple[int, int] | None = None) -> Tensor:
        """(B,) the answer to explain if none is named: the predicted class; the first number."""
        scores = self.class_scores(output)
        if scores is None or pixel is not None:
            return torch.zeros(len(output), dtype=torch.int64)
        return torch.from_numpy(self.predicted_class(self.class_probabilities(scores.detach()).cpu().numpy()))

    def shown_answer(self, output: Tensor, target: NDArray[Any] | None) -> ShownAnswer:  # noqa: ARG002
        """The prediction for one image, from its (1, ...) output, beside its target if that is known."""
        return ShownAnswer()

    def image_errors(self, meter: Any) -> ImageErrors | None:  # noqa: ARG002
        """How wrong the prediction for each image is; None if the task does not say."""
        return None

    def class_probabilities(self, scores: Tensor) -> Tensor:
        """(B, K) probabilities in [0, 1] from `class_scores`, each row a distribution over the classes."""
        return scores.float().softmax(dim=-1)

    def predicted_class(self, probabilities: NDArray[Any]) -> NDArray[np.int64]:
        """(N,) the predicted class of each image, from (N, K) `class_probabilities`."""
        return np.asarray(probabilities.argmax(1))

    def confusion(self, meter: Any) -> NDArray[np.int64] | None:  # noqa: ARG002
        """(K, K) counts, row = true class, column = predicted class; None if the predictions contain no classes."""
        return None

    def calibrate(self, meter: Any) -> Self:  # noqa: ARG002
        """The task with the settings that are chosen on the validation split, such as thresholds."""
        return self

    def interval(self, meter: Any) -> Interval | None:  # noqa: ARG002
        """The primary metric with its 95 % interval; None if it has none."""
        return None

    def image_scores(self, meter: Any) -> NDArray[np.float64] | None:  # noqa: ARG002
        """(N,) scores of each image, whose mean is the primary metric; None where it is not such a mean."""
        return None

    def paired_gain(self, before: Any, after: Any) -> Interval | None:  # noqa: ARG002
        """Difference of the primary metric between two predictions for the same images, with its 95 % interval.

        Args:
            before: a meter.
            after: a meter of the same images in the same order.
        """
        return None

    def trivial_score(self, meter: Any) -> tuple[str, float] | None:  # noqa: ARG002
        """What to do without looking at the images, and its primary metric on a split; None if there is nothing."""
        return None

    @abstractmethod
    def sections(self, meter: Any) -> list[Section]:
        """The sections of the report on a split's predictions."""

    @abstractmethod
    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[Any]:
        """Predictions for a batch of files."""

    def answers(self, output: Tensor) -> dict[str, Tensor]:
        """The named outputs of an exported network, from the network's outputs; PyTorch traces this function.

        Those in `answer_places` are still in the coordinates of the network's input: xyxy corners, or scores
        (B, K, H, W) of the classes of each pixel. The exported file converts them to pixels of the image file.
        """
        return {"output": output.float()}

    def from_answers(self, answers: Mapping[str, NDArray[Any]], frames: Sequence[ViewTransform]) -> list[Any]:
        """Predictions for a batch of files, from the named outputs of an exported network.

        Args:
            answers: as from `answers`, with positions in pixels of the image file; (B, H, W) classes of pixels.
            frames: one per file.
        """
        return self.predictions(torch.from_numpy(answers["output"]), frames)

    @staticmethod
    def draw_target(pixels: Pixels, target: NDArray[Any]) -> Pixels:  # noqa: ARG004
        """(H, W, 3) image with the target drawn on it, if it has a position; small images are enlarged."""
        return enlarged(pixels, PLAIN_LEAST)[0]

    def settings(self) -> dict[str, Any]:
        """The task's fields except the classes, as JSON values."""
        return {name: value for name, value in asdict(self).items() if name != "classes"}


def rounded(values: NDArray[np.floating], digits: int = 4) -> list[float]:
    """Numbers rounded to significant digits for a table."""
    return [float(f"{value:.{digits}g}") for value in values]
