"""Proof that an exported model gives the run's answers: the same images, from their bytes, through both."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convscope.bundle import DecodedFile, Inference
from convscope.bundle.sliding_window import sliding_window
from convscope.datasets.inputs.opening import quiet_pillow
from convscope.datasets.store.resources import usable_cores
from convscope.errors import ConfigError, DataError
from convscope.exporters.source import Source
from convscope.predictions import AnswerPlace

TOLERANCE = 1e-4
BATCH = 16
Answers = Mapping[str, NDArray[Any]]


class ProofError(ConfigError):
    """An exported form does not give the run's answers; it is not written."""


@dataclass(frozen=True)
class Parity:
    """How far an exported form is from the run."""

    images: int
    largest_difference: float
    """Of numbers: probabilities as they are, others relative to the largest of the image, corners of boxes relative to
    the longer side of the file, masks as the share of pixels with another class."""
    different_answers: int
    """Images with another class or other labels, although the run's two best classes differ by more than rounding."""
    full_size_difference: float | None = None
    """The largest difference for pictures that are decoded at full size, as other programs decode them; `predict` lets
    the decoder reduce large JPEG files first. None of forms whose input has the network's size."""
    full_size_different_answers: int | None = None
    tolerance: float = TOLERANCE

    @property
    def passed(self) -> bool:
        """Whether the form is equal to the run."""
        return self.largest_difference <= self.tolerance and not self.different_answers

    def to_dict(self) -> dict[str, Any]:
        """The content of ``parity.json``."""
        return {**asdict(self), "passed": self.passed}

    def __str__(self) -> str:
        """One sentence."""
        same = self.images - self.different_answers
        return (
            f"{same:,} of {self.images:,} images have the same answer, largest difference {self.largest_difference:.1e}"
        )


@dataclass(frozen=True, eq=False)
class Example:
    """An image with the answers that the run gives for it."""

    content: bytes
    decoded: DecodedFile
    answers: Answers
    """For a batch of one, with positions in pixels of the file."""
    unplaced: Answers
    """The same, with positions as the network gives them; see `Task.answers`."""


@torch.inference_mode()
def expected_answers(source: Source, images: Sequence[bytes]) -> list[Example]:
    """The run's own answers, by PyTorch; unreadable images are left out.

    Raises:
        DataError: no image can be read.
    """
    task, network = source.task, source.network
    inference = Inference(source.model, source.config)
    size = inference.preprocessing.size
    found = []
    for content, decoded in _readable(inference, images):
        x = network_input(source, decoded)
        output = sliding_window(network, x, (size[0], size[1])) if task.any_size else network(x)
        (prediction,) = task.predictions(output, [decoded.frame])
        answers = {name: value.numpy() for name, value in task.answers(output).items()}
        placed = {name: np.asarray(getattr(prediction, name))[None] for name in task.answer_places}
        found.append(Example(content, decoded, {**answers, **placed}, answers))
    return found


def _readable(inference: Inference, images: Sequence[bytes]) -> list[tuple[bytes, DecodedFile]]:
    def decoded(content: bytes) -> DecodedFile | None:
        try:
            return inference.decode(content, "")
        except DataError:
            return None

    with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-decode") as pool:
        pairs = zip(images, pool.map(decoded, images), strict=True)
        found = [(content, one) for content, one in pairs if one is not None]
    if not found:
        raise DataError("export: none of the images for the proof can be read; give others with --images")
    return found


def unplaced(examples: Sequence[Example]) -> list[Example]:
    """Examples whose expected answers are in the coordinates of the network's input."""
    return [replace(example, answers=example.unplaced) for example in examples]


def network_input(source: Source, decoded: DecodedFile) -> Tensor:
    """(1, C, h, w) float32: a decoded image, normalised for the network."""
    return source.config.preprocessing(torch.from_numpy(decoded.pixels[None].copy()))


def compare(
    examples: Sequence[Example],
    places: Mapping[str, AnswerPlace],
    run: Callable[[Sequence[Example]], Sequence[Answers]],
    tolerance: float = TOLERANCE,
) -> tuple[float, int]:
    """The largest difference of a form's answers from those of examples, and how many answers are others.

    Args:
        examples: with the answers that are expected.
        places: which answers are positions in pixels of the file; see `Task.answer_places`.
        run: function from a batch of examples to the form's answers for each, for a batch of one.
        tolerance: classes that differ by less than twice this may be exchanged.

    Raises:
        ProofError: the form cannot be run on them.
    """
    largest, different = 0.0, 0
    for start in range(0, len(examples), BATCH):
        batch = examples[start : start + BATCH]
        try:
            found = run(batch)
        except Exception as error:  # the runtime has its own exceptions
            text = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ProofError(f"export: the exported model fails on a batch of {len(batch)} images ({text})") from error
        for example, answers in zip(batch, found, strict=True):
            longer = float(max(example.decoded.frame.size))
            distances = [difference(example.answers[name], answers[name], places.get(name), longer) for name in answers]
            largest = max(largest, *distances)
            different += not _same(example.answers, answers, tolerance)
    return largest, different


def difference(expected: NDArray[Any], actual: NDArray[Any], place: str | None, longer: float) -> float:
    """The largest difference of two answers; infinite for another shape or where a number is missing."""
    if expected.shape != actual.shape:
        return float("inf")
    if place == "pixels":
        return float((expected != actual).mean())
    if expected.dtype.kind != "f":
        return 0.0  # classes and labels are compared as answers
    scale = longer if place else max(1.0, float(np.abs(expected).max()))
    distance = float(np.abs(expected.astype(float) - actual).max()) / scale
    return distance if np.isfinite(distance) else float("inf")


def _same(expected: Answers, actual: Answers, tolerance: float) -> bool:
    """Whether classes and labels are equal; the best class may differ from one that is as good but for rounding."""
    for name, value in expected.items():
        if value.dtype.kind == "b" and not np.array_equal(value, actual[name]):
            return False
        if value.dtype.kind == "i" and not np.array_equal(value, actual[name]):
            best = np.sort(expected["probabilities"][0])[-2:]
            if best[-1] - best[0] > 2 * tolerance:
                return False
    return True
