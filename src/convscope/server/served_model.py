"""A model that is served: its network, from the bytes of a file to the prediction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convscope.bundle import BundleConfig, DecodedFile, Inference, load_bundle
from convscope.bundle.bundle import CONFIG_FILE, WEIGHTS_FILE
from convscope.devices import inference_device
from convscope.errors import DataError, ModelError
from convscope.modules import channels_last
from convscope.runs.folder import RunFolder, model_folder
from convscope.runs.pixel_settings import images_only
from convscope.tasks import Prediction
from convscope.web.errors import TooLargeError
from convscope.web.uploads import check, unsupported

BATCH_VALUES = 2**24
"""Values of the inputs computed at once: 32 colour images of 418 pixels square."""
LONGEST_SIDE = 64
"""An image of which the whole is computed may be as many times as long as wide, since it is enlarged to cover the
input."""


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A loaded network.

    Attributes:
        name: name in requests.
        version: changes when the network in the folder does.
        model: the network on its device.
        config: its configuration.
        scores: of the validation split of its run; {} for a saved model.
    """

    name: str
    version: str
    model: nn.Module
    config: BundleConfig
    scores: dict[str, Any]

    @classmethod
    def open(cls, path: Path, name: str) -> "ServedModel":
        """Load the network of a run or a saved model.

        Raises:
            RunError: there is no such run, or no network in it yet.
            ModelError: its network cannot be opened, or is being replaced.
            ConfigError: its inputs are no images.
        """
        folder = model_folder(path)
        version, device = folder_version(folder), inference_device("auto")
        model, config = load_bundle(folder, device)
        images_only(config.preprocessing.kind, "convscope serve", path)
        if folder_version(folder) != version:
            raise ModelError(f"{folder}: changed while it was read; read it again")
        scores = {} if folder == path else _scores(RunFolder.open(path), config.epoch)
        return cls(name, version or "", channels_last(model, device), config, scores)

    @cached_property
    def inference(self) -> Inference:
        """From files to predictions."""
        return Inference(self.model, self.config)

    def decode(self, content: bytes, name: str) -> DecodedFile:
        """Decode an uploaded file as `predict` decodes a file; `name` is that of the prediction.

        Raises:
            TooLargeError: it has too many bytes or pixels.
            UnsupportedImageError: it cannot be decoded.
        """
        size = check(content, one_frame=False)
        if self.inference.task.any_size and size and max(size) > LONGEST_SIDE * min(size):
            raise TooLargeError(
                f"upload: {size[0]} x {size[1]} pixels, more than {LONGEST_SIDE} times as long as wide; crop the image"
            )
        try:
            return self.inference.decode(content, name)
        except DataError as error:
            raise unsupported(error) from None

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
        """Predict a grey image, so that the first request does not wait for PyTorch's preparations."""
        preprocessing = self.inference.preprocessing
        values: NDArray[np.uint8] = np.full((*preprocessing.size, preprocessing.channels), 128, np.uint8)
        return self.predict([self.from_array(values, "")])[0]

    def from_array(self, values: NDArray[Any], name: str) -> DecodedFile:
        """Prepare the pixels (H, W, C) uint8 of an upright image as those of a file.

        Raises:
            UnsupportedImageError: the number of channels does not match.
        """
        try:
            return self.inference.decode(values, name)
        except DataError as error:
            raise unsupported(error) from None

    def card(self) -> dict[str, Any]:
        """Return what a client can know of the model."""
        config = self.config.model_dump(mode="json")
        return {
            "name": self.name, "version": self.version, **config, "scores": self.scores,
            "torch": torch.__version__, "device": str(next(self.model.parameters()).device),
        }  # fmt: skip


def answer(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as JSON; one that is an image has it as a data URL."""
    import base64

    content = prediction.image_png()
    if content is not None:
        prediction = replace(prediction, saved=f"data:image/png;base64,{base64.b64encode(content).decode()}")
    return prediction.to_dict()


def folder_version(folder: Path) -> str | None:
    """Return the version of the network in a folder, from the times of its files; None if one is missing."""
    try:
        times = [(folder / name).stat().st_mtime_ns for name in (WEIGHTS_FILE, CONFIG_FILE)]
    except OSError:
        return None
    return "-".join(f"{one:x}" for one in times)


def _scores(run: RunFolder, epoch: int) -> dict[str, Any]:
    epochs = [event for event in run.events("epoch") if event.get("epoch") == epoch]
    return dict(epochs[-1].get("validation") or {}) if epochs else {}
