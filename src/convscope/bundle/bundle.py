"""A trained network as two files: ``model.safetensors`` and ``config.json``. They open anywhere and run no code.

``config.json`` says everything that a program in any language needs to use the weights: the architecture, the classes
in order, and how a file becomes the network's input.
"""

import json
import zipfile
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, PlainValidator, SerializeAsAny, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from convscope.data.inputs.image_input import ImagePreprocessing
from convscope.data.inputs.registry import parse_preprocessing
from convscope.errors import ModelError, did_you_mean
from convscope.files import atomic_write
from convscope.models import Architecture, build
from convscope.tasks import TASKS, Task, restore_task
from convscope.validation import first_problem

WEIGHTS_FILE, CONFIG_FILE = "model.safetensors", "config.json"


FORMAT: Literal[2] = 2
Preprocessing = ImagePreprocessing
"""Of the kinds in `INPUT_KINDS`, so far the only one."""


class BundleConfig(BaseModel, frozen=True, extra="forbid"):
    """The content of ``config.json``."""

    format: Literal[2] = FORMAT
    task: str
    classes: tuple[str, ...]
    architecture: Architecture
    preprocessing: Annotated[Preprocessing, PlainValidator(parse_preprocessing), SerializeAsAny()]
    """How a file becomes the input; its `kind` is one of `INPUT_KINDS`."""
    num_parameters: int
    epoch: int = 0
    task_settings: dict[str, Any] = {}
    """What the task needs to read the network's answers: thresholds, means ...; see `tasks.Task.settings`."""
    origin: dict[str, Any] = {}
    """Where the weights that it began with are from, their licence and hash; empty where it began from scratch."""
    mirrored: bool = False
    """Whether training mirrored images, so that a mirror image may be looked at too (`AveragedViews`)."""
    tta_views: str = "1"
    """How many looks at an image make an answer, one of `TTA_VIEWS`, where nobody says otherwise."""

    def build_task(self) -> Task:
        """The task.

        Raises:
            ModelError: there is no such task, or its settings do not fit.
        """
        if self.task not in TASKS:
            raise ModelError(f"{CONFIG_FILE}: no task {self.task}{did_you_mean(self.task, TASKS)}")
        return restore_task(TASKS[self.task], self.classes, self.task_settings)

    def build_network(self) -> nn.Module:
        """The network with new weights and the task's head."""
        return self.build_task().attach_head(build(self.architecture))


def save_bundle(folder: Path, model: nn.Module, config: BundleConfig) -> None:
    """Write both files, each aside and then renamed, so that a kill leaves the old file or the new one."""
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    atomic_write(folder / WEIGHTS_FILE, save(state, metadata={"format": "pt"}))
    save_config(folder, config)


def save_config(folder: Path, config: BundleConfig) -> None:
    """Write ``config.json`` alone."""
    atomic_write(folder / CONFIG_FILE, (config.model_dump_json(indent=2) + "\n").encode())


def is_bundle(folder: Path) -> bool:
    """Whether a folder holds a saved model, and is not a run with one inside."""
    return (folder / CONFIG_FILE).is_file()


def load_config(folder: Path) -> BundleConfig:
    """Read ``config.json``.

    Raises:
        ModelError: when it is missing, no JSON, or does not say what it must.
    """
    path = folder / CONFIG_FILE
    if not path.exists():
        raise ModelError(
            f"{folder}: no {CONFIG_FILE} in it; name the folder of a run or of a model that convscope wrote"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and content.get("format", FORMAT) != FORMAT:
            raise ModelError(
                f"{path}: its format is {content['format']}, and this convscope reads {FORMAT}; train the model again, "
                "or open it with the convscope that wrote it"
            )
        return BundleConfig.model_validate(content)
    except ValidationError as error:
        problem = first_problem(error)
        why = f"{problem.name}: {problem.why}"
    except ValueError as error:
        why = f"no JSON: {error}"
    raise ModelError(f"{path}: does not describe a convscope model ({why}); copy the model again")


def load_bundle(folder: Path, device: str | torch.device = "cpu") -> tuple[nn.Module, BundleConfig]:
    """Open a saved network, in evaluation mode.

    Raises:
        ModelError: when a file is missing, cut off, a pickle in disguise, or does not fit the architecture.
    """
    config = load_config(folder)
    path = folder / WEIGHTS_FILE
    state = read_state_dict(path)
    model = config.build_network()
    own, found = ({name: value.shape for name, value in content.items()} for content in (model.state_dict(), state))
    wrong = [name for name in own | found if own.get(name) != found.get(name)]
    if wrong:
        raise ModelError(
            f"{path}: {len(wrong)} of its tensors are not those of the {config.architecture.name} in {CONFIG_FILE}, "
            f"such as "
            f"{wrong[0]}; take both files from one run"
        )
    model.load_state_dict(state)
    return model.to(device).eval(), config


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file; anything else is refused unread.

    Raises:
        ModelError: when it is missing, a pickle, cut off or damaged.
    """
    if not path.exists():
        raise ModelError(f"{path}: no such file; a model's folder needs {WEIGHTS_FILE} beside {CONFIG_FILE}")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        if _is_pickle(path):
            raise ModelError(
                f"{path}: this is a pickle or an archive of them, which can run code when opened, so it is not opened; "
                "save the weights as safetensors"
            ) from None
        raise ModelError(f"{path}: cut off or damaged ({error}); copy or train the model again") from None


def _is_pickle(path: Path) -> bool:
    """Whether a file that is no safetensors begins as a pickle (protocol 2 and later) or as a zip archive.

    Only of such a file may this be asked: a safetensors file begins with its header's length, which may be any byte.
    """
    with path.open("rb") as file:
        return file.read(1) == b"\x80" or zipfile.is_zipfile(path)
