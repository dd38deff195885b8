"""Proof of an ONNX model: the same images through the run and through ONNX Runtime."""

from collections.abc import Sequence

import numpy as np

from convscope.exported import Exported
from convscope.exporters.examples import upright_pixels
from convscope.exporters.proof import Answers, Example, Parity, compare


def parity(opened: Exported, examples: Sequence[Example]) -> Parity:
    """Compare an exported form with the run on examples, in batches, and at full size one by one.

    Raises:
        ProofError: the form cannot be run on them.
    """
    places, channels = opened.answers_kind.answer_places, opened.input.spec.channels

    def batched(batch: Sequence[Example]) -> list[Answers]:
        return _in_batch(opened, batch)

    def whole(batch: Sequence[Example]) -> list[Answers]:
        return [opened.run(upright_pixels(one.content, channels)[None], np.zeros((1, 2), np.int64)) for one in batch]

    largest, different = compare(examples, places, batched)
    full = compare(examples, places, whole) if channels in (1, 3) else (largest, different)
    return Parity(len(examples), largest, different, *full)


def _in_batch(opened: Exported, batch: Sequence[Example]) -> list[Answers]:
    """Answers for each example, which are run together if they have one size."""
    found: list[Answers] = []
    for part, answers in opened.batches([one.decoded for one in batch]):
        found += [{name: value[row : row + 1] for name, value in answers.items()} for row in range(len(part))]
    return found
