"""The self test of an ONNX file: five fixed pictures and its answers to them, which are compared when it is opened."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.inputs.image import ImageSpec
from convscope.errors import ModelError
from convscope.predictions.self_test import check, fixed_levels, sampled

Run = Callable[[NDArray[np.uint8], NDArray[np.int64]], dict[str, NDArray[Any]]]
"""As `exported.Exported.run`."""
ANY_SIZE = (64, 64)
KEY = "self_test"
"""Of the file's metadata: an object from the name of each output of real numbers to five lists of answers.

Masks are whole numbers, which change by steps where two classes are equally likely, so they are not compared.
"""


def fixed_pictures(spec: ImageSpec) -> NDArray[np.uint8]:
    """(5, H, W, C) pictures of the channels and size of the network's input, or of 64 x 64 pixels if it takes any."""
    return fixed_levels((*(spec.size or ANY_SIZE), spec.channels))


def answers_of(run: Run, spec: ImageSpec) -> str:
    """Return the answers of a model as the metadata has them."""
    size = np.zeros((1, 2), np.int64)
    found = [run(picture[None], size) for picture in fixed_pictures(spec)]
    real = [name for name, value in found[0].items() if value.dtype.kind == "f"]
    return json.dumps({name: sampled(np.concatenate([one[name] for one in found])) for name in real})


def check_answers(run: Run, spec: ImageSpec, saved: str, path: Path) -> None:
    """Compare the answers of a model with those that its file has.

    Raises:
        ModelError: they differ.
    """
    try:
        expected = dict(json.loads(saved))
    except (ValueError, TypeError, RecursionError):
        raise ModelError(f"{path}: its self test does not fit its network; export the run again") from None
    for name, found in json.loads(answers_of(run, spec)).items():
        check(found, expected.get(name), path)
