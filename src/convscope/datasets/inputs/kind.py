"""Interface of kinds of input; each kind is one file in this folder and one line in `registry`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from torch import Tensor


@dataclass(frozen=True, eq=False)
class DecodedInput:
    """One decoded file, before normalisation."""

    values: NDArray[Any]
    """The example, channels first, with the storage dtype of its kind."""
    whole: tuple[int, ...]
    """The size of the file, upright."""
    visible: tuple[float, ...]
    """The part of the file that `values` show: starts of all axes, then ends."""


class InputPreprocessing(BaseModel, ABC, frozen=True, extra="forbid"):
    """Converts files to the network's input; saved with the network under its `kind`."""

    kind: str

    @property
    @abstractmethod
    def storage(self) -> np.dtype[Any]:
        """The dtype of decoded examples."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of a decoded example, channels first."""

    @abstractmethod
    def decode(self, file: Path | bytes | NDArray[Any], any_size: bool = False) -> DecodedInput:
        """Read one file.

        Args:
            file: a file of this kind, its bytes, which give the same values, or its values, channels last.
            any_size: resize without cropping, instead of to exactly `shape`.

        Raises:
            DataError: the file cannot be read.
        """

    @abstractmethod
    def __call__(self, values: Tensor) -> Tensor:
        """(B, ...) decoded examples to the float32 input of the network."""

    @abstractmethod
    def draw(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) image of a decoded example, for display."""
