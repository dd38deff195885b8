"""The self test of an ONNX file: five fixed pictures and its answers to them, which are compared when it is opened."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.bundle.self_test import check, fixed_levels, sampled
from convscope.datasets.inputs.kind import InputPreprocessing
from convscope.errors import ModelError

Run = Callable[[NDArray[np.uint8], NDArray[np.int64]], dict[str, NDArray[Any]]]
"""As `runtime.Exported.run`."""
KEY = "self_test"
"""Of the file's metadata: an object from the name of each output of real numbers to five lists of answers.

Masks are whole numbers, which change by steps where two classes are equally likely, so they are not compared.
"""


def fixed_pictures(preprocessing: InputPreprocessing) -> NDArray[np.uint8]:
    """(5, H, W, C) pictures of the size and channels of the network's input."""
    return fixed_levels((*preprocessing.size, preprocessing.channels))


def answers_of(run: Run, preprocessing: InputPreprocessing) -> str:
    """Return the answers of a model as the metadata has them."""
    size = np.zeros((1, 2), np.int64)
    found = [run(picture[None], size) for picture in fixed_pictures(preprocessing)]
    real = [name for name, value in found[0].items() if value.dtype.kind == "f"]
    return json.dumps({name: sampled(np.concatenate([one[name] for one in found])) for name in real})


def check_answers(run: Run, preprocessing: InputPreprocessing, saved: str, path: Path) -> None:
    """Compare the answers of a model with those that its file has.

    Raises:
        ModelError: they differ.
    """
    try:
        expected = dict(json.loads(saved))
    except (ValueError, TypeError, RecursionError):
        raise ModelError(f"{path}: its self test does not fit its network; export the run again") from None
    for name, found in json.loads(answers_of(run, preprocessing)).items():
        check(found, expected.get(name), path)
