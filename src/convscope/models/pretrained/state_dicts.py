"""Trained weights from elsewhere: read safely, renamed to our layers' names, and every mismatch listed."""

import pickle
import warnings
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from convscope.errors import ModelError
from convscope.models.encoder_decoder import EncoderDecoder
from convscope.models.network import Network
from convscope.models.pretrained.key_mapping import KEYS
from convscope.models.pretrained.published import PublishedWeights

MAX_LISTED = 5


@dataclass(frozen=True)
class LoadReport:
    """What came of loading weights; kept with the model.

    `fresh` are our tensors that the file does not have or has in another shape, so they stay as they started; `summed`
    were made for colour and serve grey images now; `unused` are the file's tensors that found no index.
    """

    source: str
    licence: str = "not stated"
    not_loaded: tuple[str, ...] = ()
    summed: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    published: PublishedWeights | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a ``.safetensors``, ``.pth``, ``.pt`` or ``.th`` file; no code in it is ever run.

    Raises:
        ModelError: no such file, a damaged one, or one that holds more than tensors.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such weights file; give a .safetensors or .pth file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of the pickle's protocol; what matters follows
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ModelError(
            f"{path}: it holds Python objects beside tensors, which could run code; save its state_dict alone"
        ) from None
    except Exception as error:
        raise ModelError(f"{path}: the file is damaged ({type(error).__name__}); fetch or save it again") from None
    for key in ("state_dict", "model", "model_state_dict"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not any(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"{path}: no tensors in it; give a state dict")
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def rename_keys(network: Network, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under our names where theirs are known, without a ``module.`` in front; others keep theirs."""
    family = network.family if isinstance(network, EncoderDecoder) else network.name
    prefixes = dict(KEYS[family](network)) if family in KEYS else {}
    own = network.state_dict().keys()
    result = {}
    for name, tensor in state.items():
        bare = name.removeprefix("module.").removeprefix("encoder.") if name not in own else name
        prefix = next((start for start in prefixes_of(bare) if start in prefixes), None)
        ours = prefixes[prefix] + bare[len(prefix) :] if prefix is not None and bare not in own else bare
        result[ours] = tensor
    return result


def prefixes_of(name: str) -> list[str]:
    """Return the names of the layers around a tensor, the nearest first.

    >>> prefixes_of("layer1.0.conv1.weight")
    ['layer1.0.conv1', 'layer1.0', 'layer1']
    """
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]


def load_state(
    network: Network, state: Mapping[str, Tensor], source: str = "a state dict", new: Collection[str] = ()
) -> LoadReport:
    """Copy the tensors into the network in index and return what did not fit.

    The layers named in `new` stay as they started whatever the file has. The last layer may have other classes and the
    input other channels: those layers stay as they started too, and are listed. Half-precision tensors are widened; a
    7x7 convolution fills a fully connected layer of as many weights; for grey images the first convolution's three
    colours are summed.

    Raises:
        ModelError: a tensor inside the network is missing or has another shape.
    """
    matching, loaded = match_state(network, state, source, new)
    network.load_state_dict(matching, strict=False)
    return loaded


def match_state(
    network: Network, state: Mapping[str, Tensor], source: str, new: Collection[str] = ()
) -> tuple[dict[str, Tensor], LoadReport]:
    """Return the tensors that `load_state` would copy, under our names, and what does not fit; nothing is changed."""
    found, matching, not_loaded, summed = rename_keys(network, state), {}, [], []
    found = {name: tensor for name, tensor in found.items() if not set(prefixes_of(name)) & set(new)}
    for name, tensor in network.state_dict().items():
        given = found.get(name)
        if given is not None and is_rgb_for_gray(name, given, tensor):
            given = given.float().sum(1, keepdim=True)
            summed.append(name)
        flat = given is not None and tensor.dim() == 2 and given.numel() == tensor.numel()
        if given is not None and (flat or given.shape == tensor.shape):
            matching[name] = given.reshape(tensor.shape).to(tensor.dtype)
        elif not name.endswith("num_batches_tracked"):
            not_loaded.append(name)
    check_complete(network, found, not_loaded, source)
    unused = tuple(name for name in found if name not in matching and name not in not_loaded)
    return matching, LoadReport(source, not_loaded=tuple(not_loaded), summed=tuple(summed), unused=unused)


def is_rgb_for_gray(name: str, given: Tensor, tensor: Tensor) -> bool:
    """Return whether a first convolution of three colours is given for one of grey."""
    grey = tensor.dim() > 2 and tensor.shape[1] == 1 and name.startswith("stem.")
    return grey and given.shape == (tensor.shape[0], 3, *tensor.shape[2:])


def check_complete(network: Network, found: Mapping[str, Tensor], not_loaded: list[str], source: str) -> None:
    """Raise when more stays as it started than the ends of the network: the file is of another network."""
    ends = ("head.", "auxiliary.", "stem.", "decoder.")
    missing = [name for name in not_loaded if not name.startswith(ends)]
    if not missing and any(name in found for name in network.state_dict()):
        return
    missing = missing or not_loaded
    own = network.state_dict()
    lines = []
    for name in missing[:MAX_LISTED]:
        has = "x".join(map(str, found[name].shape)) if name in found else "nothing"
        lines.append(f"{name} needs {'x'.join(map(str, own[name].shape))}, the file has {has}")
    more = f" and {len(missing) - MAX_LISTED} more" if len(missing) > MAX_LISTED else ""
    raise ModelError(
        f"{source}: not the weights of this {network.name}: {'; '.join(lines)}{more}; choose the network they belong to"
    )
