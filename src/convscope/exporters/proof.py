"""Proof that an exported model gives the run's answers: the same images, from their bytes, through both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convscope.bundle import DecodedFile
from convscope.bundle.sliding_window import sliding_window
from convscope.errors import ConfigError, DataError
from convscope.exporters.examples import upright_pixels
from convscope.exporters.onnx_file import Source
from convscope.exporters.runtime import BATCH, Exported

TOLERANCE = 1e-4
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
    full_size_difference: float
    """The largest difference for pictures that are decoded at full size, as other programs decode them; `predict` lets
    the decoder reduce large JPEG files first."""
    full_size_different_answers: int
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
    """As from the exported file, for a batch of one."""


@torch.inference_mode()
def expected_answers(source: Source, opened: Exported, images: Sequence[bytes]) -> list[Example]:
    """The run's own answers, by PyTorch; unreadable images are left out.

    Raises:
        DataError: no image can be read.
    """
    task, network, size = source.task, source.network, opened.inference.preprocessing.size
    pairs = zip(images, opened.decoded(images), strict=True)
    readable = [(content, decoded) for content, decoded in pairs if isinstance(decoded, DecodedFile)]
    if not readable:
        raise DataError("export: none of the images for the proof can be read; give others with --images")
    found = []
    for content, decoded in readable:
        x = network_input(source, decoded)
        output = sliding_window(network, x, (size[0], size[1])) if task.any_size else network(x)
        (prediction,) = task.predictions(output, [decoded.frame])
        answers = {name: value.numpy() for name, value in task.answers(output).items()}
        answers |= {name: np.asarray(getattr(prediction, name))[None] for name in task.answer_places}
        found.append(Example(content, decoded, answers))
    return found


def network_input(source: Source, decoded: DecodedFile) -> Tensor:
    """(1, C, h, w) float32: a decoded image, normalised for the network."""
    return source.config.preprocessing(torch.from_numpy(decoded.pixels[None].copy()))


def parity(opened: Exported, examples: Sequence[Example]) -> Parity:
    """Compare an exported form with the run on examples, in batches, and at full size one by one.

    Raises:
        ProofError: the form cannot be run on them.
    """

    def batched(batch: Sequence[Example]) -> list[Answers]:
        return _in_batch(opened, batch)

    channels = opened.config.preprocessing.channels

    def whole(batch: Sequence[Example]) -> list[Answers]:
        return [opened.run(upright_pixels(one.content, channels)[None], np.zeros((1, 2), np.int64)) for one in batch]

    largest, different = _compare(opened, examples, batched)
    full = _compare(opened, examples, whole) if channels in (1, 3) else (largest, different)
    return Parity(len(examples), largest, different, *full)


def _compare(
    opened: Exported, examples: Sequence[Example], run: Callable[[Sequence[Example]], list[Answers]]
) -> tuple[float, int]:
    largest, different = 0.0, 0
    for start in range(0, len(examples), BATCH):
        batch = examples[start : start + BATCH]
        try:
            found = run(batch)
        except Exception as error:  # the runtime has its own exceptions
            text = str(error).strip().splitlines()[0]
            raise ProofError(f"export: the exported model fails on a batch of {len(batch)} images ({text})") from error
        for example, answers in zip(batch, found, strict=True):
            longer = float(max(example.decoded.frame.size))
            places = opened.task.answer_places
            distances = [difference(example.answers[name], answers[name], places.get(name), longer) for name in answers]
            largest = max(largest, *distances)
            different += not _same(example.answers, answers)
    return largest, different


def _in_batch(opened: Exported, batch: Sequence[Example]) -> list[Answers]:
    """Answers for each example, which are run together if they have one size."""
    found: list[Answers] = []
    for part, answers in opened.batches([one.decoded for one in batch]):
        found += [{name: value[row : row + 1] for name, value in answers.items()} for row in range(len(part))]
    return found


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


def _same(expected: Answers, actual: Answers) -> bool:
    """Whether classes and labels are equal; the best class may differ from one that is as good but for rounding."""
    for name, value in expected.items():
        if value.dtype.kind == "b" and not np.array_equal(value, actual[name]):
            return False
        if value.dtype.kind == "i" and not np.array_equal(value, actual[name]):
            best = np.sort(expected["probabilities"][0])[-2:]
            if best[-1] - best[0] > 2 * TOLERANCE:
                return False
    return True
