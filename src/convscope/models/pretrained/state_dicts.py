"""Loading of external state dicts: key mapping and a report of mismatches."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from convscope.errors import ModelError
from convscope.models.encoder_decoder import EncoderDecoder
from convscope.models.network import Network
from convscope.models.pretrained.key_mapping import KEYS
from convscope.models.pretrained.published import PublishedWeights

MAX_LISTED = 5


@dataclass(frozen=True)
class LoadReport:
    """The result of loading weights; saved with the model.

    `not_loaded` are tensors of the network that are missing in the file or have another shape; they keep their
    initialisation. `adapted` are RGB kernels adapted to images of other channels; `unused` are tensors of the file
    without a counterpart in the network.
    """

    source: str
    licence: str = "not stated"
    not_loaded: tuple[str, ...] = ()
    adapted: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    published: PublishedWeights | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def rename_keys(network: Network, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors with known names mapped to ours and without the prefix ``module.``; other names are kept."""
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
    """Return the names of the modules that contain a tensor, innermost first.

    >>> prefixes_of("layer1.0.conv1.weight")
    ['layer1.0.conv1', 'layer1.0', 'layer1']
    """
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]


def load_state(
    network: Network, state: Mapping[str, Tensor], source: str = "a state dict", new: Collection[str] = ()
) -> LoadReport:
    """Copy the tensors into the network in place and report what did not match.

    The layers named in `new` keep their initialisation, whatever the file contains. The last layer may have other
    classes and the input other channels: those layers keep their initialisation too, and are listed. Half-precision
    tensors are converted; a 7x7 convolution is loaded into a fully connected layer of the same number of weights; for
    images that are not RGB the first convolution is adapted, see `adapted_stem`.

    Raises:
        ModelError: a tensor between stem and head is missing or has another shape.
    """
    matching, loaded = match_state(network, state, source, new)
    network.load_state_dict(matching, strict=False)
    return loaded


def match_state(
    network: Network, state: Mapping[str, Tensor], source: str, new: Collection[str] = ()
) -> tuple[dict[str, Tensor], LoadReport]:
    """Return the tensors that `load_state` would copy, by our names, and the report; nothing is changed."""
    found, matching, not_loaded, adapted = rename_keys(network, state), {}, [], []
    found = {name: tensor for name, tensor in found.items() if not set(prefixes_of(name)) & set(new)}
    for name, tensor in network.state_dict().items():
        given = found.get(name)
        if given is not None and is_for_other_channels(name, given, tensor):
            given = adapted_stem(given, tensor.shape[1])
            adapted.append(name)
        flat = given is not None and tensor.dim() == 2 and given.numel() == tensor.numel()
        if given is not None and (flat or given.shape == tensor.shape):
            matching[name] = given.reshape(tensor.shape).to(tensor.dtype)
        elif not name.endswith("num_batches_tracked"):
            not_loaded.append(name)
    check_complete(network, found, not_loaded, source)
    unused = tuple(name for name in found if name not in matching and name not in not_loaded)
    return matching, LoadReport(source, not_loaded=tuple(not_loaded), adapted=tuple(adapted), unused=unused)


def is_for_other_channels(name: str, given: Tensor, tensor: Tensor) -> bool:
    """Return whether the first convolution is given for RGB images and the network is for other channels."""
    stem = tensor.dim() > 2 and name.startswith("stem.") and tensor.shape[1] != 3
    return stem and given.shape == (tensor.shape[0], 3, *tensor.shape[2:])


def adapted_stem(kernels: Tensor, channels: int) -> Tensor:
    """Return kernels (D, 3, h, w) for `channels` channels: summed for grey, else repeated and scaled by 3 / channels.

    As in timm (`timm.models.adapt_input_conv`): the first three channels keep the kernels of red, green and blue.
    """
    if channels == 1:
        return kernels.float().sum(1, keepdim=True)
    return kernels.float().repeat(1, -(-channels // 3), 1, 1)[:, :channels] * (3 / channels)


def check_complete(network: Network, found: Mapping[str, Tensor], not_loaded: list[str], source: str) -> None:
    """Raise if more than the first and last layers is missing: the file belongs to another network."""
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
    given = [name for name in found if name not in own][:2]
    if given and not set(missing) & set(found):
        more += f"; its own names are {', '.join(given)} ..."
    raise ModelError(
        f"{source}: the weights do not match this {network.name}: {'; '.join(lines)}{more}; "
        "choose the network they belong to"
    )
