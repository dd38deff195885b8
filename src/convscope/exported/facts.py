"""What an exported file says about itself: the texts in its metadata."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from convscope.datasets.inputs.image import ImageSpec
from convscope.errors import ModelError
from convscope.predictions import ANSWERS, Answers

IMAGE, FILE_SIZE, PIXELS = "image", "file_size", "pixels"
"""Names of the inputs of the graphs, and of the output of the one that prepares pictures."""
INPUT, KIND, PREPARE = "input", "answers", "prepare"


@dataclass(frozen=True)
class PictureInput:
    """How image files become pictures: as `datasets.decode` does for `spec`, without the last step.

    Attributes:
        spec: the pixels that the network needs.
        any_size: whether images of any size are computed, without cropping.
        prepare: an ONNX graph that does the last step: it fits pictures to the network's input.
    """

    spec: ImageSpec
    any_size: bool
    prepare: bytes

    def to_metadata(self) -> dict[str, str]:
        """As texts."""
        described = {**asdict(self.spec), "any_size": self.any_size}
        return {INPUT: json.dumps(described), PREPARE: base64.b64encode(self.prepare).decode()}

    @classmethod
    def from_metadata(cls, facts: Mapping[str, str]) -> "PictureInput":
        """From the texts of `to_metadata`."""
        described: dict[str, Any] = json.loads(facts[INPUT])
        any_size = bool(described.pop("any_size"))
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in described.items()
        }
        return cls(ImageSpec(**fields), any_size, base64.b64decode(facts[PREPARE]))


def kind_of(task: Answers) -> str:
    """The name in `ANSWERS` of what a task's outputs mean; empty if PyTorch is needed to understand them."""
    return next((name for name, answers in ANSWERS.items() if isinstance(task, answers)), "")


def answers_of(facts: Mapping[str, str]) -> Answers:
    """What the outputs of a file mean.

    Raises:
        ModelError: only its task's own code knows.
    """
    kind = facts.get(KIND, "")
    if kind not in ANSWERS:
        raise ModelError(
            f"task {facts.get('task', '')}: its answers cannot be read without its run; give the folder of the run"
        )
    return ANSWERS[kind](tuple(json.loads(facts["classes"])))
