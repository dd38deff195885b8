"""Pretrained weights: published, from a file, or from an earlier run, with the preprocessing that they require."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from convscope.bundle import load_config
from convscope.bundle.bundle import WEIGHTS_FILE, is_bundle, read_state_dict
from convscope.datasets import Dataset
from convscope.errors import ModelError, closest
from convscope.models import MODELS
from convscope.models.families.resnet import SMALL_DEPTHS
from convscope.models.pretrained.download import fetch, installed, sha256
from convscope.models.pretrained.identify import identify_network
from convscope.models.pretrained.published import IMAGENET_MEAN, IMAGENET_STD, PUBLISHED, PublishedWeights
from convscope.models.pretrained.weights_file import read_weights
from convscope.runs.folder import model_folder
from convscope.runs.loaders import PreparedData
from convscope.runs.overrides import Overrides

IMAGENET = "imagenet"
# docs/reference/history.md compares them. As published, mobilenet_v2 has 71.9 % with 0.30 GMACs, resnet18 69.8 % with
# 1.81 GMACs.
INSTALLED_PRETRAINED, DEFAULT_PRETRAINED = "efficientnet_lite0", "mobilenet_v2"
TINY = 64  # side in pixels
SMALL_SIDE = 32  # input size of the 6n+2 ResNets


@dataclass(frozen=True, eq=False)
class PretrainedSource:
    """Pretrained weights, their network, and the preprocessing that they were trained with.

    `size` (H, W) is None where any size is accepted. `provenance` goes into the model's config.json: source, licence
    and hash.
    """

    checkpoint: str
    network: str
    state: Mapping[str, Tensor]
    provenance: dict[str, Any]
    options: dict[str, Any]
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    size: tuple[int, ...] | None = None

    def settings(self, found: Dataset) -> tuple[Overrides, Overrides]:
        """Return settings that the user may override, and settings that are fixed by the weights.

        The input size is that of pretraining; for tiny images half of it, at a quarter of the cost. Images of another
        number of channels than grey or colour keep it.
        """
        data: dict[str, Any] = {"channels": len(self.mean) if found.channels in (1, 3) else found.channels}
        if self.size:
            tiny = int(np.median(found.sizes)) <= TINY < self.size[0] // 2
            data["size"] = tuple(side // 2 for side in self.size) if tiny else self.size
        below = {"data": data, "model": {"options": self.options}}
        above = {"model": {"name": self.network}, "transfer": {"checkpoint": self.checkpoint}}
        source = f"pretrained weights: {self.checkpoint}"
        return Overrides.of(below, source), Overrides.of(above, source)

    def with_normalisation(self, prepared: PreparedData) -> PreparedData:
        """Return the images with the normalisation of pretraining; with their own if that has other channels."""
        preprocessing = prepared.preprocessing
        if preprocessing.channels not in (1, 3, len(self.mean)):
            return prepared
        if preprocessing.channels != len(self.mean):
            one_mean, one_std = (sum(values) / len(values) for values in (self.mean, self.std))
            mean, std = (one_mean,) * preprocessing.channels, (one_std,) * preprocessing.channels
        else:
            mean, std = self.mean, self.std
        return replace(prepared, preprocessing=preprocessing.model_copy(update={"mean": mean, "std": std}))


def find_pretrained(checkpoint: str, network: str | None) -> PretrainedSource:
    """Read pretrained weights.

    Args:
        checkpoint: imagenet, a network's name, a weights file, or the folder of a run or of a saved model.
        network: the name that the user gave, or None.

    Raises:
        ModelError: there are none, they cannot be downloaded, or they are for another network.
    """
    path = Path(checkpoint).expanduser()
    if path.is_dir() or is_bundle(path.parent):
        return _from_bundle(path, network)
    if path.is_file():
        return _from_file(path.resolve(), network)
    if checkpoint == IMAGENET:
        return _published(IMAGENET, network or default_pretrained())
    if checkpoint in PUBLISHED:
        if network not in (None, checkpoint):
            raise ModelError(f"--from {checkpoint}: these weights are not for {network}; remove --from or --model")
        return _published(checkpoint, checkpoint)
    if checkpoint in MODELS:
        known = ", ".join(sorted(PUBLISHED))
        raise ModelError(f"--from {checkpoint}: no published weights are known for it; choose one of {known}")
    near = closest(checkpoint, [IMAGENET, *PUBLISHED])
    hint = f"; did you mean {near}?" if near else _valid_sources()
    raise ModelError(f"--from {checkpoint}: no such file, run or network{hint}")


def default_pretrained() -> str:
    """Return the network of ``--from imagenet``: one with installed weights if there is one."""
    return INSTALLED_PRETRAINED if installed(PUBLISHED[INSTALLED_PRETRAINED]) else DEFAULT_PRETRAINED


def _valid_sources() -> str:
    return f"; give {IMAGENET}, a weights file, a run's folder or a network's name, such as {DEFAULT_PRETRAINED}"


def _published(checkpoint: str, network: str) -> PretrainedSource:
    if network not in PUBLISHED:
        raise ModelError(
            f"--from {checkpoint}: no published ImageNet weights are known for {network}; choose one of "
            f"{', '.join(sorted(PUBLISHED))}, or give a file"
        )
    known = PUBLISHED[network]
    return _like_published(known, checkpoint, network, fetch(known), known.url)


def _like_published(known: PublishedWeights, weights: str, network: str, file: Path, source: str) -> PretrainedSource:
    provenance = {"source": source, "licence": known.licence, "sha256": sha256(file)}
    size = (known.crop, known.crop)
    return PretrainedSource(weights, network, read_weights(file).state, provenance, {}, known.mean, known.std, size)


def _from_file(file: Path, network: str | None) -> PretrainedSource:
    """Read a weights file; its preprocessing is assumed to be that of the network's published weights."""
    weights = read_weights(file)
    state = weights.state
    found = identify_network(state)
    if found and network and found != network and network not in ("unet", "segnet"):
        raise ModelError(f"{file}: the weights of {found}, not of {network}; remove --model, or give its weights")
    name = network or found
    if name is None:
        raise ModelError(
            f"{file}: its tensor names, such as {next(iter(state))}, match no known network; "
            "give its name with --set model.name=NAME"
        )
    digest, known = sha256(file), PUBLISHED.get(name)
    if known and digest.startswith(known.hash):
        return _like_published(known, str(file), name, file, known.url)
    small = name in {f"resnet{depth}" for depth in SMALL_DEPTHS}
    side = known.crop if known else SMALL_SIDE if small else None
    provenance: dict[str, Any] = {"source": str(file), "licence": "not stated", "sha256": digest}
    if weights.notes:
        provenance["notes"] = list(weights.notes)
    mean, std = _for_channels(state, *((known.mean, known.std) if known else (IMAGENET_MEAN, IMAGENET_STD)))
    return PretrainedSource(str(file), name, state, provenance, {}, mean, std, (side, side) if side else None)


def _for_channels(
    state: Mapping[str, Tensor], mean: tuple[float, ...], std: tuple[float, ...]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and std for the channels of the first convolution; their averages where these are not three."""
    stem = next((value for name, value in state.items() if name.startswith("stem.") and value.ndim == 4), None)
    if stem is None or stem.shape[1] == len(mean):
        return mean, std
    return (sum(mean) / len(mean),) * stem.shape[1], (sum(std) / len(std),) * stem.shape[1]


def _from_bundle(path: Path, network: str | None) -> PretrainedSource:
    """Read the network of a run or a saved model, with its preprocessing."""
    folder = model_folder(path if path.is_dir() else path.parent)
    config, file = load_config(folder), folder / WEIGHTS_FILE
    name, preprocessing = config.architecture.name, config.preprocessing
    if network not in (None, name):
        raise ModelError(f"{path}: its network is a {name}, not a {network}; remove --model")
    provenance = {"licence": "not stated", **config.origin, "source": str(folder.resolve()), "sha256": sha256(file)}
    return PretrainedSource(
        str(path.resolve()),
        name,
        read_state_dict(file),
        provenance,
        config.architecture.options,
        preprocessing.mean,
        preprocessing.std,
        preprocessing.size,
    )
