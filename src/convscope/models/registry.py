"""Registry of the networks by name, and their architecture as JSON data."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from convscope.errors import ModelError, did_you_mean
from convscope.models.families import (
    airbench,
    alexnet,
    efficientnet_lite,
    full_resolution,
    googlenet,
    inception,
    lenet,
    mlp,
    mobilenet,
    plain,
    resnet,
    segnet,
    squeezenet,
    text_cnn,
    timm,
    unet,
    vgg,
)
from convscope.models.network import Network
from convscope.models.size_limit import limited_size
from convscope.models.toml import toml_network
from convscope.models.toml.toml_network import read_text

RESNETS = {f"resnet{depth}": partial(resnet.resnet, **options) for depth, options in resnet.DEPTHS.items()}
SMALL_RESNETS = {f"resnet{depth}": partial(resnet.resnet, **options) for depth, options in resnet.SMALL_DEPTHS.items()}

SE_RESNETS = {
    f"se_{name}": partial(make, gate="squeeze_excite") for name, make in RESNETS.items()
}  # fmt: skip
VGGS = {
    f"vgg{depth}{suffix}": partial(vgg.vgg, **options, norm=norm)
    for depth, options in vgg.DEPTHS.items()
    for suffix, norm in (("", "none"), ("_bn", "batch"))
}
LITES = {
    name: partial(efficientnet_lite.efficientnet_lite, **options)
    for name, options in efficientnet_lite.VERSIONS.items()
}


def unet_on_encoder(classes: int = 2, **options: Any) -> Network:
    """Return a U-Net whose `encoder`, if one is named, is any network of the registry."""
    name = options.get("encoder")
    return unet.unet(classes, make_encoder=builder(name) if name else None, **options)


MODELS: dict[str, Callable[..., Network]] = {
    "mlp": mlp.mlp,
    "lenet": lenet.lenet,
    "plain": plain.plain,
    "alexnet": alexnet.alexnet,
    "alexnet_2012": partial(alexnet.alexnet, **alexnet.TWO_GPUS),
    "alexnet_one_gpu": partial(alexnet.alexnet, **alexnet.ONE_GPU),
    **VGGS,
    "googlenet": googlenet.googlenet,
    "inception_v3": inception.inception_v3,
    **RESNETS,
    **SMALL_RESNETS,
    **SE_RESNETS,
    **{name: partial(squeezenet.squeezenet, **options) for name, options in squeezenet.VERSIONS.items()},
    "mobilenet_v2": mobilenet.mobilenet_v2,
    **LITES,
    "airbench": airbench.airbench,
    "unet": unet_on_encoder,
    "segnet": segnet.segnet,
    "full_resolution": full_resolution.full_resolution,
    "assembled": toml_network.network_from_toml,
}

TOKEN_MODELS: dict[str, Callable[..., Network]] = {"text_cnn": text_cnn.text_cnn}
"""Networks that embed numbers of tokens; all others compute with the values of the input."""

# Options that a network changes for small images; `resolve` records them.
SMALL_IMAGES: dict[str, Callable[[tuple[int, ...]], dict[str, Any]]] = {
    "lenet": lenet.for_small_images,
    **dict.fromkeys((*RESNETS, *SE_RESNETS), resnet.for_small_images),
    **dict.fromkeys(VGGS, vgg.for_small_images),
    "airbench": airbench.for_small_images,
    **dict.fromkeys(("mobilenet_v2", *LITES), mobilenet.for_small_images),
}


class Architecture(BaseModel):
    """Everything needed to rebuild a network, as plain data for the model's config.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    classes: int = Field(ge=1)
    channels: int = Field(default=3, ge=1)
    size: tuple[int, ...] | None = None  # (H, W); (L,) for series, (D, H, W) for volumes
    options: dict[str, Any] = {}

    @field_validator("options")
    @classmethod
    def _check_json(cls, options: dict[str, Any]) -> dict[str, Any]:
        """Reject values that JSON cannot represent, such as functions."""
        try:
            plain: dict[str, Any] = json.loads(json.dumps(options))
        except TypeError as error:
            raise ValueError(f"{error}; name it instead, as in activation = 'relu'") from None
        return plain

    def without(self, *options: str) -> "Architecture":
        """Return the architecture with the defaults of these options."""
        kept = {name: value for name, value in self.options.items() if name not in options}
        return self.model_copy(update={"options": kept})


BAD_OPTIONS = (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
"""What building raises for values that no check of an option knows; options may come from a file of anybody."""

FROM_DATA = ("classes", "channels", "size", "rank")


def resolve(
    name: str, classes: int, channels: int, size: tuple[int, ...], options: dict[str, Any] | None = None
) -> Architecture:
    """Return the architecture for these images; options that depend on their size are recorded in it.

    `options` given by the caller take precedence over those derived from the size. A `name` ending in .toml is a file
    of blocks; its text becomes part of the architecture.

    Raises:
        ModelError: there is no network of that name.

    >>> resolve("resnet18", 10, 1, (28, 28)).options
    {'stem': 'small'}
    """
    if name.endswith(".toml"):
        text = read_text(Path(name))
        name, options = "assembled", {"text": text, "source": Path(name).name, **(options or {})}
    builder(name)
    adapted = SMALL_IMAGES.get(name, no_adaptation)(size)
    if options and isinstance(options.get("encoder"), str) and isinstance(options.get("encoder_options", {}), dict):
        small = SMALL_IMAGES.get(options["encoder"], no_adaptation)(size)
        options = {**options, "encoder_options": {**small, **options.get("encoder_options", {})}}
    return Architecture(
        name=name, classes=classes, channels=channels, size=size, options={**adapted, **(options or {})}
    )


def build(architecture: Architecture) -> Network:
    """Return the network of an architecture, initialised as in its paper.

    Raises:
        ModelError: the name or an option is unknown, the network does not accept the size, or it is too large.
    """
    make, options = builder(architecture.name), dict(architecture.options)
    rank = len(architecture.size) if architecture.size else options.pop("rank", 2)
    for option in FROM_DATA:
        if option in options:
            raise ModelError(f"{architecture.name}: no option {option}; it follows from the data, remove it")
    try:
        with limited_size(architecture.name):
            return make(
                architecture.classes, channels=architecture.channels, size=architecture.size, rank=rank, **options
            )
    except BAD_OPTIONS as error:
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ModelError(
            f"{architecture.name}: cannot be built with these options ({why}); check their values"
        ) from error


def builder(name: str) -> Callable[..., Network]:
    """Return the function that builds the network `name`.

    Raises:
        ModelError: there is no such network.
    """
    if name.startswith(timm.PREFIX):
        return partial(timm.timm_network, name.removeprefix(timm.PREFIX))
    known = MODELS | TOKEN_MODELS
    if name not in known:
        raise ModelError(f"model: no network {name}{did_you_mean(name, known)}")
    return known[name]


def no_adaptation(sides: tuple[int, ...]) -> dict[str, Any]:  # noqa: ARG001
    """Return no options, for networks that need no adaptation."""
    return {}
