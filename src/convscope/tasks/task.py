"""What every task answers: head, loss, scores, answers and pictures. The run composes and asks for no names."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter, ValidationError
from torch import Tensor, nn

from convscope.errors import ConfigError, ModelError, did_you_mean
from convscope.tasks.drawing import PLAIN_LEAST, Pixels, enlarged
from convscope.tasks.meter import Arrays, Meter
from convscope.tasks.sections import Interval, Section
from convscope.validation import first_problem


class TaskOptions(BaseModel, frozen=True, extra="forbid"):
    """What a user may choose of a task, the recipe's ``[loss]``; a task without choices takes this one."""


@dataclass(frozen=True, eq=False)
class TaskContext:
    """What a task is made from: the classes (or names of numbers), the training targets, the network's images."""

    classes: tuple[str, ...]
    targets: NDArray[Any]
    size: tuple[int, int]


@dataclass(frozen=True)
class ViewTransform:
    """Where the network's picture lies in the file's: what a task needs to speak in the file's pixels.

    Place (x, y) of the network's picture is (left + x * across / W, top + y * down / H) of the file's.
    """

    file: str
    size: tuple[int, int]
    """Height and width of the file's picture, upright."""
    left: float
    top: float
    across: float
    down: float


@dataclass(frozen=True)
class Prediction(ABC):
    """The answer for one file; a task adds what it says."""

    file: str

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The answer as a JSON object."""

    @abstractmethod
    def csv_row(self) -> list[Any]:
        """The answer's cells in a CSV file, under the task's `columns`."""

    @abstractmethod
    def display(self, top: int) -> list[str]:
        """The answer for people, in at most `top` cells."""

    def save_files(self, folder: Path) -> Path | None:  # noqa: ARG002
        """Write the part of the answer that is a picture; return where, or None where there is none."""
        return None


@dataclass(frozen=True)
class Task(ABC):
    """A question to a network.

    Fields of a task are all that its answers need later; they are saved with the network. A new task is one file with
    a class like this and one line in `TASKS`; see ``docs/how-to/extend/add-a-task.md``.
    """

    classes: tuple[str, ...]
    """Names of the classes, labels or numbers, in the order of the network's outputs."""

    name: ClassVar[str]
    target_kind: ClassVar[str]
    """The kind of targets: classes, labels, numbers, masks or boxes; see `data.Dataset.task_class`."""
    primary: ClassVar[str]
    """The score that is to be large."""
    shown: ClassVar[tuple[str, ...]]
    """The scores in an epoch's line."""
    options: ClassVar[type[TaskOptions]] = TaskOptions
    any_size: ClassVar[bool] = False
    """Whether the network is shown pictures of any size, uncropped, when it answers for files."""
    names_classes: ClassVar[bool] = False
    """Whether `class_scores` gives logits: the answer for an image names classes, whatever else it says."""
    outputs_classes: ClassVar[bool] = False
    """Whether the network's outputs are these (B, K) class logits as they are."""
    single_class: ClassVar[bool] = False
    """Whether the answer for an image is one class and nothing else, which one label corrects."""
    ground_first: ClassVar[bool] = False
    """Whether the first class is that of the ground behind the objects."""
    averages_views: ClassVar[bool] = False
    """Whether averaging over several views of small images is worth trying at the end of training."""
    small_images_model: ClassVar[str] = ""
    """The network for many small images where the user names none; empty: the usual one."""
    supports_mixup: ClassVar[bool] = False
    """Whether mixed images may have mixed targets (mix-up)."""
    default_settings: ClassVar[Mapping[str, Any]] = {}
    """Recipe settings, by their dotted names, that suit the task better than what the data alone would choose."""

    @classmethod
    def from_data(cls, context: TaskContext, options: Mapping[str, Any]) -> Self:
        """The task for these data with the user's options."""
        return cls(context.classes, **dict(options))

    @classmethod
    def format_score(cls, score: float) -> str:
        """The primary score for people."""
        return f"{score:.4f}"

    @property
    def outputs(self) -> int:
        """Numbers that the network must give (per image, or per pixel)."""
        return len(self.classes)

    def network(self, name: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The network, with its options, that the task makes of the one that the user names."""
        return name, dict(options)

    def attach_head(self, network: nn.Module) -> nn.Module:
        """The network with the task's own head, where the usual one will not do; called before weights are read."""
        return network

    @abstractmethod
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """What training makes small: a scalar, the mean over the batch."""

    @abstractmethod
    def meter(self, arrays: Arrays | None = None) -> Meter:
        """A new meter, or one made from the arrays that an earlier one kept."""

    def class_scores(self, output: Tensor) -> Tensor | None:
        """(B, K) logits of the classes of each image from the network's output; None where no classes are named."""
        return output if self.names_classes else None

    def class_probabilities(self, scores: Tensor) -> Tensor:
        """(B, K) probabilities in [0, 1] from `class_scores`, each row a distribution over the classes."""
        return scores.float().softmax(dim=-1)

    def predicted_class(self, probabilities: NDArray[Any]) -> NDArray[np.int64]:
        """(N,) the class that each image is answered to be, from (N, K) `class_probabilities`."""
        return np.asarray(probabilities.argmax(1))

    def confusion(self, meter: Any) -> NDArray[np.int64] | None:  # noqa: ARG002
        """(K, K) counts, row = true class, column = predicted class; None where the answers are no classes."""
        return None

    def calibrate(self, meter: Any) -> Self:  # noqa: ARG002
        """The task with what can only be chosen on validation answers, such as thresholds."""
        return self

    def interval(self, meter: Any) -> Interval | None:  # noqa: ARG002
        """The primary score with its 95 % interval, where there is one."""
        return None

    def paired_gain(self, before: Any, after: Any) -> Interval | None:  # noqa: ARG002
        """How much larger the primary score of the later of two answers to the same images is, with its 95 % interval.

        Args:
            before: a meter.
            after: one that took the same images in the same order.
        """
        return None

    @abstractmethod
    def sections(self, meter: Any) -> list[Section]:
        """What to show of a set's answers."""

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """Headings of `Prediction.csv_row`, after "file"."""

    def headings(self, top: int) -> list[str]:  # noqa: ARG002
        """Headings of `Prediction.display`."""
        return ["answer"]

    @abstractmethod
    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[Any]:
        """Answers for a batch of files."""

    @staticmethod
    def draw_target(pixels: Pixels, target: NDArray[Any]) -> Pixels:  # noqa: ARG004
        """(H, W, 3) picture with what the target says of its places; small pictures are enlarged."""
        return enlarged(pixels, PLAIN_LEAST)[0]

    def settings(self) -> dict[str, Any]:
        """The task's fields but for the classes, as JSON has them."""
        return {name: value for name, value in asdict(self).items() if name != "classes"}


def restore_task(task_class: type[Task], classes: Sequence[str], settings: Mapping[str, Any]) -> Task:
    """A task from what `Task.settings` gave.

    Raises:
        ModelError: they are not those of this task.
    """
    unknown = sorted(set(settings) - {context.name for context in fields(task_class)})
    why = f"no setting {unknown[0]}" if unknown else ""
    try:
        if not why:
            return TypeAdapter(task_class).validate_python({"classes": tuple(classes), **settings})
    except ValidationError as error:
        why = str(first_problem(error))
    raise ModelError(f"task {task_class.name}: {why}; copy the model again")


def check_options(task_class: type[Task], options: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A user's options of a task, completed with its defaults.

    Raises:
        ConfigError: an option that the task has not, or a value that does not fit.
    """
    context = task_class.options.model_fields
    unknown = [name for name in options if name not in context]
    if unknown:
        meant = did_you_mean(unknown[0], context) if context else "; it has none"
        raise ConfigError(f"{source}: the task {task_class.name} has no setting loss.{unknown[0]}{meant}")
    try:
        return task_class.options.model_validate(dict(options)).model_dump()
    except ValidationError as error:
        raise ConfigError(f"{source}: loss.{first_problem(error)}") from None


def rounded(values: NDArray[np.floating], digits: int = 4) -> list[float]:
    """Numbers as a table shows them."""
    return [float(f"{value:.{digits}g}") for value in values]
