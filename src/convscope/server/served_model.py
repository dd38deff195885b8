"""A model that is served: its network, from the bytes of a file to the prediction."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from convscope.bundle import BundleConfig, Inference, load_bundle, load_config
from convscope.bundle.bundle import CONFIG_FILE, WEIGHTS_FILE
from convscope.devices import inference_device
from convscope.errors import ModelError
from convscope.exported.runtimes import Runtime, exported_of
from convscope.modules import channels_last
from convscope.predictions.files import FileInference
from convscope.runs.folder import RunFolder, model_folder
from convscope.runs.pixel_settings import images_only
from convscope.server.explanations import Explained, heat_map
from convscope.server.served import Served, version_of

if TYPE_CHECKING:
    from convscope.exported import Exported


@dataclass(frozen=True, eq=False)
class ServedModel(Served):
    """The network of a run or of a saved model, in PyTorch.

    Attributes:
        model: the network on its device.
        config: its configuration.
        scores: of the validation split of its run; {} for a saved model.
        exported: the exported file that predicts in its place; None: it predicts itself.
    """

    model: nn.Module
    config: BundleConfig
    scores: dict[str, Any]
    exported: "Exported | None"

    explains: ClassVar[bool] = True
    platform: ClassVar[str] = "pytorch"

    @classmethod
    def open(cls, path: Path, name: str, runtime: Runtime, threads: int) -> "ServedModel":
        """Load the network of a run or a saved model; `threads` are those of ONNX Runtime.

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
        runtime = "torch" if runtime == "auto" and device.type != "cpu" else runtime
        exported = exported_of(path, folder / WEIGHTS_FILE, runtime, threads)
        return cls(name, version or "", channels_last(model, device), config, scores, exported)

    @property
    def inference(self) -> FileInference:
        """From files to predictions."""
        return self.exported or self.network

    @cached_property
    def network(self) -> Inference:
        """The same in PyTorch."""
        return Inference(self.model, self.config)

    @property
    def any_size(self) -> bool:
        """See `Served`."""
        return self.network.task.any_size

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the network's input."""
        preprocessing = self.network.preprocessing
        return preprocessing.size[0], preprocessing.size[1], preprocessing.channels

    def explain(self, content: bytes, method: str, target: str | None) -> tuple[bytes, str]:
        """See `explanations.heat_map`."""
        return heat_map(Explained(self.name, self.model, self.config), content, method, target)

    def card(self) -> dict[str, Any]:
        """Return what a client can know of the model."""
        config = self.config.model_dump(mode="json")
        return {
            "name": self.name, "version": self.version, **config, "scores": self.scores,
            "torch": torch.__version__, "device": str(next(self.model.parameters()).device),
            "runtime": "torch" if self.exported is None else "onnx",
        }  # fmt: skip


def folder_version(folder: Path) -> str | None:
    """Return the version of the network in a folder, from the times of its files; None if one is missing."""
    return version_of([folder / name for name in (WEIGHTS_FILE, CONFIG_FILE)])


def _scores(run: RunFolder, epoch: int) -> dict[str, Any]:
    epochs = [event for event in run.events("epoch") if event.get("epoch") == epoch]
    return dict(epochs[-1].get("validation") or {}) if epochs else {}


def version_in(path: Path) -> str | None:
    """Return the version of the network of a run or of a saved model.

    Raises:
        RunError: there is no such run, or no network in it yet.
    """
    return folder_version(model_folder(path))


def check_folder(path: Path) -> None:
    """Check that there is a network for images in a folder.

    Raises:
        RunError, ModelError, ConfigError: see `ServedModel.open`.
    """
    images_only(load_config(model_folder(path)).preprocessing.kind, "convscope serve", path)
