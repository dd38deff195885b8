"""Interface of kinds of input; each kind is one file in this folder and one line in `registry`."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, model_validator
from torch import Tensor

from convscope.datasets.dataset import Dataset
from convscope.datasets.duplicates import Duplicates
from convscope.datasets.inputs.settings import InputSettings


@dataclass(frozen=True, eq=False)
class DecodedInput:
    """One decoded example, before normalisation."""

    values: NDArray[Any]
    """The example, channels first, with the storage dtype of its kind."""
    whole: tuple[int, ...]
    """The size of the example in the file, upright."""
    visible: tuple[float, ...]
    """The part of the file that `values` show: starts of all axes, then ends."""


class Augmentation(Protocol):
    """Augments batches of one kind of input; see `augment.pipeline.Augment`."""

    def augment_pair(
        self,
        x: Tensor,
        y: Tensor,
        target_kind: str,
        generator: torch.Generator,
        mirror: Tensor | bool | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Augment inputs and targets."""
        ...


class InputData(Protocol):
    """The part of a dataset that kinds of input use; see `datasets.Dataset`."""

    @property
    def images(self) -> tuple[Path, ...] | NDArray[Any]: ...
    @property
    def channels(self) -> int: ...
    @property
    def white(self) -> tuple[float, ...]: ...
    @property
    def black(self) -> tuple[float, ...]: ...
    @property
    def alpha(self) -> bool: ...
    @property
    def background(self) -> int: ...
    @property
    def shown_channels(self) -> tuple[int, ...]: ...
    @property
    def fit(self) -> Any: ...
    @property
    def reading(self) -> Any: ...


class InputPreprocessing(BaseModel, ABC, frozen=True, extra="forbid"):
    """Converts files to the network's input; saved with the network under its `kind`."""

    kind: str
    size: tuple[int, ...]
    """The sides of the input: (H, W) of images, (L,) of series, (bands, columns) of spectrograms."""
    channels: int
    mean: tuple[float, ...]
    """Per channel, as `normalise` subtracts it."""
    std: tuple[float, ...]

    nouns: ClassVar[tuple[str, str]] = ("image", "images")
    """Singular and plural of what one example is called."""
    sides: ClassVar[tuple[str, ...]] = ("height", "width")
    """The names of the axes of an example, without channels; their number is the rank of the networks."""
    mirrors: ClassVar[bool] = True
    """Whether examples may be mirrored where flip detection allows it."""
    widest: ClassVar[int] = 64
    """The largest default width of a network's first stage."""
    storage: ClassVar[np.dtype[Any]] = np.dtype(np.uint8)
    """The dtype of decoded examples."""
    converts_channels: ClassVar[bool] = False
    """Whether examples are read with another number of channels than they have."""
    ranged: ClassVar[bool] = False
    """Whether data.black and data.white say which values become 0 and 255."""
    sheets: ClassVar[bool] = False
    """Whether a page of examples can show them."""
    codes: ClassVar[bool] = False
    """Whether values are numbers of tokens, which the network embeds; they cannot be added or mixed."""
    network: ClassVar[str] = ""
    """The default network; "": the one of images."""
    forks: ClassVar[bool] = True
    """Whether processes may decode; False where PyTorch decodes, whose threads do not survive a fork."""

    @model_validator(mode="after")
    def _normalises(self) -> Self:
        if not len(self.mean) == len(self.std) == self.channels:
            raise ValueError(f"mean and std need one number for each of {self.channels} channels")
        if not all(map(math.isfinite, self.mean)) or not all(0 < one < math.inf for one in self.std):
            raise ValueError(f"mean is {self.mean} and std {self.std}; they are finite and std is above 0")
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the network's input, channels first."""
        return self.channels, *self.size

    @classmethod
    @abstractmethod
    def from_data(
        cls, data: InputData, size: tuple[int, ...], stored: NDArray[Any], rows: NDArray[np.int64]
    ) -> Self:  # fmt: skip
        """The preprocessing of a dataset; `rows` of `stored` are the training examples, which give mean and std."""

    @classmethod
    def store_arrays(cls, data: InputData, size: tuple[int, ...]) -> NDArray[Any] | None:  # noqa: ARG003
        """(N, C, ...) all examples at `size`, if they are in memory; None if they are decoded one by one."""
        return None

    def in_own_numbers(self, data: InputData, stored: NDArray[Any]) -> NDArray[Any]:  # noqa: ARG002
        """(N, C, ...) stored examples of a dataset as this preprocessing numbers them; `stored` unless `codes`."""
        return stored

    @property
    def network_options(self) -> dict[str, Any]:
        """Options of the network that follow from this preprocessing."""
        return {}

    @classmethod
    @abstractmethod
    def decode_row(cls, data: InputData, row: int, size: tuple[int, ...]) -> NDArray[Any]:
        """(C, ...) one example of a dataset at `size`, with the dtype `storage`.

        Raises:
            DataError: it cannot be read.
        """

    @classmethod
    def with_settings(cls, data: Dataset, settings: InputSettings) -> Dataset:
        """A dataset read with the user's settings of inputs that are not images.

        Raises:
            ConfigError: a setting does not apply to this kind.
        """
        settings.only(data.source, cls.nouns[1])
        return data

    def read_as(self, data: Dataset) -> Dataset:
        """A dataset whose files are read as those that this preprocessing was made from."""
        return replace(data, channels=self.channels)

    @classmethod
    def one_per_example(cls, files: Iterable[Any]) -> Iterable[Any]:
        """The files or contents to predict, without further files of the same example."""
        return files

    @property
    def settings(self) -> InputSettings:
        """The settings with which other files are read as those of training; see `with_settings`."""
        return InputSettings()

    @classmethod
    def usual_size(cls, data: Dataset) -> tuple[tuple[int, ...], str] | None:  # noqa: ARG003
        """The default size of the input, and why; None: chosen as for images."""
        return None

    @classmethod
    @abstractmethod
    def cut_note(cls, data: Dataset, size: tuple[int, ...]) -> str:
        """A note if an input of `size` shows too little of the examples; else empty."""

    @classmethod
    @abstractmethod
    def find_duplicates(cls, stored: NDArray[Any], rows: NDArray[np.int64]) -> Duplicates:
        """Groups of duplicates among the rows of (N, C, ...) stored examples."""

    @classmethod
    @abstractmethod
    def policy(cls, name: str, changes: Mapping[str, float]) -> Any:
        """The augmentation policy of a name with changes.

        Raises:
            ValidationError: a change does not exist, or its value is out of range.
        """

    @classmethod
    @abstractmethod
    def augmentation(cls, policy: Any, mirror: bool) -> Augmentation:
        """A function that augments batches by a policy, or by the name of one."""

    @abstractmethod
    def decode(self, file: Path | bytes | NDArray[Any], any_size: bool = False) -> DecodedInput:
        """Read one file.

        Args:
            file: a file of this kind, its bytes, which give the same values, or its values, channels last.
            any_size: resize without cropping, instead of to exactly `shape`.

        Raises:
            DataError: the file cannot be read, or holds several examples.
        """

    def decode_all(self, file: Path, any_size: bool = False) -> list[tuple[str, DecodedInput]]:
        """Read all examples of a file with their names: the file, and a number if there are several.

        Raises:
            DataError: the file cannot be read.
        """
        return [(str(file), self.decode(file, any_size))]

    def __call__(self, values: Tensor) -> Tensor:
        """(B, ...) decoded examples to the float32 input of the network."""
        shape = (1, -1, *[1] * len(self.size))
        mean, std = (values.new_tensor(ends, dtype=torch.float32).view(shape) for ends in (self.mean, self.std))
        return self.normalise(values.clone(), mean, std)

    @staticmethod
    @abstractmethod
    def normalise(
        x: Tensor, mean: Tensor, std: Tensor, layout: torch.memory_format = torch.contiguous_format
    ) -> Tensor:  # fmt: skip
        """(B, ...) examples, augmented or not, to the float32 input of the network.

        Args:
            x: may be modified in place.
            mean: (1, C, 1, ...) of the input.
            std: likewise.
            layout: memory format of the result.
        """

    @staticmethod
    @abstractmethod
    def draw(values: NDArray[Any]) -> NDArray[np.uint8]:
        """(H, W, 3) image of a decoded example, for display."""

    @classmethod
    def draw_row(cls, data: InputData, row: int, size: tuple[int, ...]) -> NDArray[np.uint8]:
        """(H, W, 3) image of one example of a dataset at `size`, for display."""
        return cls.draw(cls.decode_row(data, row, size))
