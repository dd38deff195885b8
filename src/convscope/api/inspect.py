"""Summary of a network layer by layer."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import nn

from convscope.bundle import load_config
from convscope.bundle.bundle import WEIGHTS_FILE, read_state_dict
from convscope.errors import ModelError
from convscope.models import ModelSummary, build, resolve, summarize, table
from convscope.models.published_inputs import published_input
from convscope.models.summary.diagram import page
from convscope.models.summary.kernel_ranks import ranks_of_kernels, ranks_table
from convscope.models.summary.stages import folds, stages_table
from convscope.models.toml.toml_network import parse, read_spec, read_text
from convscope.runs.folder import model_folder

summary_page, summary_table, kernels_table = page, table, ranks_table
summary_stages, summary_folds = stages_table, folds


def inspect(
    model: str | PathLike[str] | nn.Module,
    shape: Sequence[int] | None = None,
    *,
    classes: int | None = None,
    objects: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> ModelSummary:
    """Summarise every layer: shapes, parameters, MACs, memory, receptive field. No memory is allocated for parameters.

    Of a run or a saved model also the ranks of its trained kernels: how many are separable, and what a column and a row
    instead of each would lose.

    Args:
        model: a name such as "vgg16", a .toml of blocks, the folder of a run or a saved model, any module, or the
            import path of a function or class that builds one without arguments, like ``torchvision.models:resnet18``.
        shape: (C, H, W) of the input; by default that with which the network was published, for your own (3, 224, 224).
        classes: of a network given by name; by default as published, so that the counts are the published ones.
        objects: side in pixels of the objects to recognise; a receptive field smaller than that gives a warning.
        options: of a network given by name, such as ``{"activation": "tanh", "head": "gap"}``.

    Raises:
        ModelError: there is no such network or option, or the network does not accept the input shape.
    """
    if isinstance(model, nn.Module):
        return summarize(model, tuple(shape or (3, 224, 224)), objects)
    network, default_shape = _named(str(model), tuple(shape) if shape else None, classes, options or {})
    summary = summarize(network, tuple(shape or default_shape), objects)
    if not Path(model).is_dir():
        return summary
    state = read_state_dict(model_folder(Path(model)) / WEIGHTS_FILE)
    in_order = {name: state[name] for name in network.state_dict() if name in state}
    return replace(summary, kernels=tuple(ranks_of_kernels(in_order)))


def _named(
    model: str, shape: tuple[int, ...] | None, classes: int | None, options: Mapping[str, Any]
) -> tuple[nn.Module, tuple[int, ...]]:
    """Return the network, on the meta device, and its default input shape."""
    path = Path(model)
    module, colon, builder = model.partition(":")
    if colon and module != "timm" and not path.exists():
        return _imported(module, builder), shape or (3, 224, 224)
    with torch.device("meta"):
        if path.suffix == ".toml":
            return read_spec(path), tuple(parse(read_text(path), path.name).get("input", (3, 32, 32)))
        if path.is_dir():
            config = load_config(model_folder(path))
            architecture = config.architecture
            return config.build_network(), (architecture.channels, *config.preprocessing.size)
        published = published_input(model)
        shape = shape or published.shape
        return build(resolve(model, classes or published.classes, shape[0], shape[1:], dict(options))), shape


def _imported(module: str, builder: str) -> nn.Module:
    """Build a network with a function or class of the user, on the meta device.

    Raises:
        ModelError: it cannot be imported or called, or does not return a module.
    """
    location = f"{module}:{builder}"
    sys.path.insert(0, str(Path.cwd()))
    try:
        imported = getattr(import_module(module), builder)
        with torch.device("meta"):
            model = imported if isinstance(imported, nn.Module) else imported()
    except (ImportError, AttributeError, TypeError) as error:
        raise ModelError(
            f"{location}: {error}; give a module and the function or class that builds the network, like mine:Net"
        ) from None
    finally:
        sys.path.pop(0)
    if not isinstance(model, nn.Module):
        raise ModelError(
            f"{location}: returns {type(model).__name__}, not a network; give a function that returns a torch.nn.Module"
        )
    return model
