"""What is served under one name: from the bytes of a file to the prediction, whatever computes it."""

import base64
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from convscope.errors import ConfigError, DataError
from convscope.predictions import Prediction
from convscope.predictions.files import DecodedFile, FileInference
from convscope.web.errors import TooLargeError
from convscope.web.uploads import check, unsupported

BATCH_VALUES = 2**24
"""Values of the inputs computed at once: 32 colour images of 418 pixels square."""
LONGEST_SIDE = 64
"""An image of which the whole is computed may be as many times as long as wide, since it is enlarged to cover the
input."""


@dataclass(frozen=True, eq=False)
class Served(ABC):
    """A loaded network.

    Attributes:
        name: name in requests.
        version: changes when the network does.
    """

    name: str
    version: str

    explains: ClassVar[bool] = False
    """Whether `explain` draws heat maps."""
    platform: ClassVar[str]
    """What computes it, in the words of the Open Inference Protocol."""

    @property
    @abstractmethod
    def inference(self) -> FileInference:
        """From files to predictions."""

    @property
    @abstractmethod
    def any_size(self) -> bool:
        """Whether images of any size are computed, without cropping."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the network's input."""

    @abstractmethod
    def card(self) -> dict[str, Any]:
        """Return what a client can know of the model."""

    def explain(self, content: bytes, method: str, target: str | None) -> tuple[bytes, str]:  # noqa: ARG002
        """Return a heat map of an uploaded image as PNG, and the class it explains.

        Raises:
            ConfigError: no such method or class, or this model does not explain.
        """
        raise ConfigError(f"explain: {self.name} is an exported file, which only predicts; serve the folder of its run")

    def decode(self, content: bytes, name: str) -> DecodedFile:
        """Decode an uploaded file as `predict` decodes a file; `name` is that of the prediction.

        Raises:
            TooLargeError: it has too many bytes or pixels.
            UnsupportedImageError: it cannot be decoded.
        """
        size = check(content, one_frame=False)
        if self.any_size and size and max(size) > LONGEST_SIDE * min(size):
            raise TooLargeError(
                f"upload: {size[0]} x {size[1]} pixels, more than {LONGEST_SIDE} times as long as wide; crop the image"
            )
        return self._decoded(content, name)

    def from_array(self, values: NDArray[Any], name: str) -> DecodedFile:
        """Prepare the pixels (H, W, C) uint8 of an upright image as those of a file.

        Raises:
            UnsupportedImageError: the number of channels does not match.
        """
        return self._decoded(values, name)

    def predict(self, images: Sequence[DecodedFile]) -> list[Prediction]:
        """Predictions for images, in their order, computed in parts that fit in memory."""
        found: list[Prediction] = []
        first = 0
        while first < len(images):
            last, values = first, 0
            while last < len(images) and (last == first or values + images[last].pixels.size <= BATCH_VALUES):
                values += images[last].pixels.size
                last += 1
            found += self.inference.predict(images[first:last])
            first = last
        return found

    def warm_up(self) -> Prediction:
        """Predict a grey image, so that the first request does not wait for preparations."""
        return self.predict([self.from_array(np.full(self.input_shape, 128, np.uint8), "")])[0]

    def _decoded(self, source: bytes | NDArray[Any], name: str) -> DecodedFile:
        try:
            return self.inference.decode(source, name)
        except DataError as error:
            raise unsupported(error) from None


def answer(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as JSON; one that is an image has it as a data URL."""
    content = prediction.image_png()
    if content is not None:
        prediction = replace(prediction, saved=f"data:image/png;base64,{base64.b64encode(content).decode()}")
    return prediction.to_dict()


def version_of(files: Sequence[Path]) -> str | None:
    """Return a version from the times of files; None if one is missing."""
    try:
        return "-".join(f"{file.stat().st_mtime_ns:x}" for file in files)
    except OSError:
        return None
