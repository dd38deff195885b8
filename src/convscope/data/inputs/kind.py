"""What depends on the kind of a network's input; each kind is one file beside this one and a line in `registry`."""

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
    """One file as the network takes it, before normalisation."""

    values: NDArray[Any]
    """The example, channels first, in the storage type of its kind."""
    whole: tuple[int, ...]
    """The file's own size, upright."""
    visible: tuple[float, ...]
    """The part of the file that `values` show: where it begins, side by side, then where it ends."""


class InputPreprocessing(BaseModel, ABC, frozen=True, extra="forbid"):
    """How a file becomes the network's input; saved with the network under its `kind`."""

    kind: str

    @property
    @abstractmethod
    def storage(self) -> np.dtype[Any]:
        """The type in which decoded examples are kept."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of one decoded example, channels first."""

    @abstractmethod
    def decode(self, file: Path, any_size: bool = False) -> DecodedInput:
        """Read one file.

        Args:
            file: of this kind.
            any_size: as large as in training, with nothing cut off, instead of exactly `shape`.

        Raises:
            DataError: it cannot be read.
        """

    @abstractmethod
    def __call__(self, values: Tensor) -> Tensor:
        """(B, ...) decoded examples to the float32 input of the network."""

    @abstractmethod
    def draw(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) picture of a decoded example, for people."""
