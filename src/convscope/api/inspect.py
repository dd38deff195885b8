"""A network layer by layer."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import nn

from convscope.bundle import load_config
from convscope.errors import ModelError
from convscope.models import ModelSummary, build, resolve, summarize, table
from convscope.models.summary.diagram import page
from convscope.models.toml.toml_network import parse, read_spec, read_text
from convscope.runs.folder import model_folder

anatomy_page, anatomy_table = page, table

CLASSES = 1000  # of a network that is named without a run: ImageNet's, so that the published counts show


def inspect(
    model: str | PathLike[str] | nn.Module,
    shape: Sequence[int] | None = None,
    *,
    classes: int = CLASSES,
    objects: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> ModelSummary:
    """Shapes, weights, multiplications, memory and receptive field of every layer; no memory is taken for weights.

    Args:
        model: a name such as "vgg16", a .toml of blocks, a run's or saved model's folder, any module, or where Python
            finds a function or class that makes one without arguments, like ``torchvision.models:resnet18``.
        shape: (C, H, W) of an image; by default what the network was made for, else (3, 224, 224).
        classes: of a network that is given by name.
        objects: side in pixels of what is to be recognised, to be warned when the network sees less.
        options: of a network that is given by name, such as ``{"activation": "tanh", "head": "gap"}``.

    Raises:
        ModelError: when there is no such network or option, or images of that shape do not go through.
    """
    if isinstance(model, nn.Module):
        return summarize(model, tuple(shape or (3, 224, 224)), objects)
    network, made_for = _named(str(model), tuple(shape) if shape else None, classes, options or {})
    return summarize(network, tuple(shape or made_for), objects)


def _named(
    model: str, shape: tuple[int, ...] | None, classes: int, options: Mapping[str, Any]
) -> tuple[nn.Module, tuple[int, ...]]:
    """The network, on the meta device, and the images that it is for."""
    path = Path(model)
    place, colon, maker = model.partition(":")
    if colon and place != "timm" and not path.exists():
        return _imported(place, maker), shape or (3, 224, 224)
    with torch.device("meta"):
        if path.suffix == ".toml":
            return read_spec(path), tuple(parse(read_text(path), path.name).get("input", (3, 32, 32)))
        if path.is_dir():
            config = load_config(model_folder(path))
            architecture = config.architecture
            return config.build_network(), (architecture.channels, *config.preprocessing.size)
        made_for = shape or _default_input(model)
        return build(resolve(model, classes, made_for[0], made_for[1:], dict(options))), made_for


def _imported(place: str, maker: str) -> nn.Module:
    """What a function or class of the user's own makes, on the meta device.

    Raises:
        ModelError: it cannot be found or called, or makes no module.
    """
    location = f"{place}:{maker}"
    sys.path.insert(0, str(Path.cwd()))
    try:
        made = getattr(import_module(place), maker)
        with torch.device("meta"):
            model = made if isinstance(made, nn.Module) else made()
    except (ImportError, AttributeError, TypeError) as error:
        raise ModelError(f"{location}: {error}; give a module and the function or class that builds the network, like mine:Net") from None
    finally:
        sys.path.pop(0)
    if not isinstance(model, nn.Module):
        raise ModelError(
            f"{location}: returns {type(model).__name__}, not a network; give a function that returns a torch.nn.Module"
        )
    return model


def _default_input(model: str) -> tuple[int, ...]:
    """The images that a family was published for, in RGB."""
    side = {"lenet": 32, "alexnet": 227, "inception_v3": 299, "unet": 572}.get(model, 224)
    return (3, side, side)
