"""Declaration of an explain method, from which the command line, the HTTP schema and the forms are generated.

Does not load PyTorch, so that ``convscope explain --help`` is fast.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from convscope.errors import ConfigError, did_you_mean
from convscope.progress import Progress
from convscope.validation import first_problem

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget

IMAGE_RANK = 2
"""Number of sides of images."""

Split = Literal["train", "validation"]
Run = Callable[["AnalysisTarget", Any, Progress], "Findings"]


def setting(default: Any, description: str, *, auto: str = "", widget: str = "", **limits: Any) -> Any:
    """Declare a field of a settings model.

    Args:
        default: the default value.
        description: the help text, and the label of the form.
        auto: meaning of an empty default, for example "all channels".
        widget: "layers", "channels", "images", "class", "answer" or "pixel" if a form offers a choice; "layer" and
            "image" if the choice follows the layer and the image that the page shows.
        **limits: constraints of `pydantic.Field`, such as ``ge=1``.
    """
    return Field(default, description=description, json_schema_extra={"auto": auto, "widget": widget}, **limits)


class MethodSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings common to all methods."""

    layers: tuple[str, ...] = setting(
        (), "Layer names, as convscope inspect RUN prints them.", auto="the stages", widget="layer"
    )
    channels: tuple[int, ...] = setting((), "Channel numbers.", auto="some, evenly spaced", widget="channels")
    images: tuple[str, ...] = setting(
        (), "Classes, image names, files, folders, or: mistakes.", auto="some of each class", widget="images"
    )
    seed: int = setting(0, "Random seed.", ge=0)


class ImageSettings(MethodSettings, frozen=True):
    """Settings of methods that work on a selection of images."""

    per_class: int | None = setting(
        None, "Number of images per class, or per entry of images.", auto="up to max-images", ge=1
    )
    max_images: int = setting(2, "Total number of images, if none are named.", ge=1)
    split: Split = setting("validation", "Split that the images come from.")


@dataclass(frozen=True)
class Method:
    """An explain method.

    Attributes:
        name: name on the command line, and of the folder of its results.
        title: the heading of its form.
        summary: what it shows, in one line.
        limitations: what its results do not show, in one sentence.
        settings: its settings model.
        run: computes the findings from a target, settings and a progress callback.
        details: further help, such as an example.
        task_with_classes: whether it needs a task with class scores.
        any_answer: whether it explains every answer of the task, such as a number or the side of a box.
        rank: number of sides of the inputs that it works on: 2 for images, 1 for series.
        codes: whether it works on numbers of tokens, such as texts, and on nothing else.
        quick: whether the explorer runs it as soon as it is selected.
    """

    name: str
    title: str
    summary: str
    limitations: str
    settings: type[MethodSettings]
    run: Run
    details: str = ""
    task_with_classes: bool = False
    any_answer: bool = False
    quick: bool = False
    rank: int = IMAGE_RANK
    codes: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the declaration for a form, with the settings as JSON Schema."""
        return {
            "name": self.name, "title": self.title, "summary": self.summary, "details": self.details,
            "limitations": self.limitations, "task_with_classes": self.task_with_classes,
            "quick": self.quick, "schema": self.settings.model_json_schema(),
        }  # fmt: skip

    def parse(self, given: Mapping[str, Any]) -> MethodSettings:
        """Validate settings.

        Raises:
            ConfigError: no such setting, or an invalid value.
        """
        try:
            return self.settings.model_validate(dict(given))
        except ValidationError as error:
            raise ConfigError(f"explain {self.name}: {self._problem(error)}") from None

    def _problem(self, error: ValidationError) -> str:
        problem = first_problem(error)
        name = problem.name.partition(".")[0]
        if problem.kind == "extra_forbidden":
            return f"no setting {name[:40]}{did_you_mean(name, self.settings.model_fields)}"
        shown = repr(problem.value)[:60]
        if problem.choices:
            return f"{name} is {shown}{did_you_mean(str(problem.value), problem.choices)}"
        return f"{name} is {shown}; {problem.why}"
