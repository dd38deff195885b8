"""Interface of all tasks: head, loss, scores, predictions and figures. Other code never branches on task names."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter, ValidationError
from torch import Tensor, nn

from convscope.errors import ConfigError, ModelError, did_you_mean
from convscope.tasks.drawing import PLAIN_LEAST, Pixels, enlarged
from convscope.tasks.meter import Arrays, Meter
from convscope.tasks.sections import Interval, Section
from convscope.validation import first_problem


class TaskOptions(BaseModel, frozen=True, extra="forbid"):
    """A task's settings, ``[loss]`` in the recipe; the default for a task without settings."""


@dataclass(frozen=True, eq=False)
class TaskContext:
    """What a task is built from: classes (or names of numbers), training targets, and (H, W) of the network's input."""

    classes: tuple[str, ...]
    targets: NDArray[Any]
    size: tuple[int, ...]


@dataclass(frozen=True)
class ViewTransform:
    """Position of the network's input in the image file, to map predictions to pixels of the file.

    Point (x, y) of the input is (left + x * across / W, top + y * down / H) in the file.
    """

    file: str
    size: tuple[int, ...]
    """Height and width of the file's image, upright."""
    left: float
    top: float
    across: float
    down: float


AnswerPlace = Literal["corners", "pixels"]
"""Positions in an answer: `corners` are (B, 4) xyxy in pixels, `pixels` one class for each pixel."""


@dataclass(frozen=True)
class Prediction(ABC):
    """The prediction for one file; each task adds its fields."""

    file: str
    saved: str = field(default="", kw_only=True)
    """The file that its image was written to; "" if there is none."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The prediction as a JSON object."""

    @abstractmethod
    def csv_row(self) -> list[Any]:
        """The cells of a CSV row, for the task's `columns`."""

    @abstractmethod
    def display(self, top: int) -> list[str]:
        """The prediction as text, in at most `top` cells."""

    def image_png(self) -> bytes | None:
        """The part of the prediction that is an image, as a PNG file; None if there is none."""
        return None

    def save_image(self, stem: Path) -> Path | None:
        """Write `image_png` to `stem` with an ending and return its path; None if there is none."""
        content = self.image_png()
        if content is None:
            return None
        path = stem.with_name(f"{stem.name}.png")
        path.write_bytes(content)
        return path


@dataclass(frozen=True)
class Task(ABC):
    """What a network predicts, with loss and scores.

    The fields are saved with the network and suffice to decode its outputs. A new task is one file with a class like
    this and one line in `TASKS`; see ``docs/how-to/extend/add-a-task.md``.
    """

    classes: tuple[str, ...]
    """Names of the classes, labels or numbers, in the order of the network's outputs."""

    name: ClassVar[str]
    target_kind: ClassVar[str]
    """The kind of target: classes, labels, numbers, masks or boxes; see `datasets.Dataset.target_kind`."""
    primary: ClassVar[str]
    """The primary metric; higher is better."""
    shown: ClassVar[tuple[str, ...]]
    """The scores that are printed after each epoch."""
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
    answer_places: ClassVar[Mapping[str, AnswerPlace]] = {}
    """Which of the `answers` are positions in the image."""
    hub_task: ClassVar[str] = ""
    """The name of the task on the Hugging Face Hub; empty if it has none."""
    default_settings: ClassVar[Mapping[str, Any]] = {}
    """Recipe settings, by dotted name, that replace the defaults chosen from the data."""

    @classmethod
    def from_data(cls, context: TaskContext, options: Mapping[str, Any]) -> Self:
        """The task for these data with the user's options."""
        return cls(context.classes, **dict(options))

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
        """The network with a custom head, if the task needs one; called before weights are loaded."""
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

    def paired_gain(self, before: Any, after: Any) -> Interval | None:  # noqa: ARG002
        """Difference of the primary metric between two predictions for the same images, with its 95 % interval.

        Args:
            before: a meter.
            after: a meter of the same images in the same order.
        """
        return None

    @abstractmethod
    def sections(self, meter: Any) -> list[Section]:
        """The sections of the report on a split's predictions."""

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """Headings of `Prediction.csv_row`, after "file"."""

    def headings(self, top: int) -> list[str]:  # noqa: ARG002
        """Headings of `Prediction.display`."""
        return ["prediction"]

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


def restore_task(task_class: type[Task], classes: Sequence[str], settings: Mapping[str, Any]) -> Task:
    """Restore a task from the result of `Task.settings`.

    Raises:
        ModelError: the settings do not match the task.
    """
    unknown = sorted(set(settings) - {field.name for field in fields(task_class)})
    why = f"no setting {unknown[0]}" if unknown else ""
    try:
        if not why:
            return TypeAdapter(task_class).validate_python({"classes": tuple(classes), **settings})
    except ValidationError as error:
        why = str(first_problem(error))
    raise ModelError(f"task {task_class.name}: {why}; copy the model again")


def check_options(task_class: type[Task], options: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The options of a task, completed with its defaults.

    Raises:
        ConfigError: an option is unknown, or a value is invalid.
    """
    known = task_class.options.model_fields
    unknown = [name for name in options if name not in known]
    if unknown:
        meant = did_you_mean(unknown[0], known) if known else "; it has none"
        raise ConfigError(f"{source}: the task {task_class.name} has no setting loss.{unknown[0]}{meant}")
    try:
        return task_class.options.model_validate(dict(options)).model_dump()
    except ValidationError as error:
        raise ConfigError(f"{source}: loss.{first_problem(error)}") from None


def rounded(values: NDArray[np.floating], digits: int = 4) -> list[float]:
    """Numbers rounded to significant digits for a table."""
    return [float(f"{value:.{digits}g}") for value in values]
