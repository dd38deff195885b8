"""The parameters of a network and its training, in the order in which they matter."""

import numpy as np

from convscope.errors import ConfigError
from convscope.tuning.parameter import Parameter
from convscope.tuning.space import FILTERS, HIDDEN, RATE, STAGES, UNITS

SMALLEST, LARGEST, START = 4, 1024, 64
"""Filters of a layer: 4 to 1,024, of which 64 is a good start."""
LISTS = {"lenet": ("filters", 2), "airbench": ("stages", 3)}
"""Networks whose option is a list of filters, one per stage, and its length."""


def parameters_for(name: str, side: int, batch: int, optimiser: str) -> tuple[Parameter, ...]:
    """Return the parameters: filters and units first, then rate, layers, kernel and the others.

    Args:
        name: the network.
        side: the smaller side of the input, in pixels, which limits the number of stages.
        batch: the default batch size.
        optimiser: the default one.

    Raises:
        ConfigError: the network has no option for its width.
    """
    rate, *training = _training(batch, optimiser)
    return (*_filters(name, side), *_units(name), rate, *_layers(name), *_components(name), *training)


def _filters(name: str, side: int) -> tuple[Parameter, ...]:
    if name == "plain":
        return _plain_filters(side)
    if name in LISTS:
        option, length = LISTS[name]
        return tuple(_number(f"model.options.{option}[{i}]", f"filters{i + 1}") for i in range(length))
    if "resnet" in name or name.startswith(("vgg", "unet", "segnet", "full_resolution")):
        return (Parameter("model.options.width", "int", SMALLEST, 128, log=True, start=32, label="filters"),)
    if name.startswith(("mobilenet", "efficientnet")):
        return (Parameter("model.options.multiplier", "float", 0.25, 1.5, start=1.0, label="filters x"),)
    raise ConfigError(
        f"tune: model.name is {name}, whose width cannot be searched; choose plain, lenet, airbench, a resnet or a "
        "vgg, or name the parameters: --search NAME=LOW:HIGH"
    )


def _plain_filters(side: int) -> tuple[Parameter, ...]:
    deepest = max(2, min(5, int(np.log2(max(side, 4)))))
    number = Parameter(STAGES, "int", 2, deepest, start=min(3, deepest), label="stages")
    filters = [_number(f"{FILTERS}[{index}]", f"filters{index + 1}") for index in range(2)]
    deeper = [
        _number(f"{FILTERS}[{index}]", f"filters{index + 1}", (STAGES, tuple(range(index + 1, deepest + 1))))
        for index in range(2, deepest)
    ]
    return (*filters, number, *deeper) if deeper else tuple(filters)


def _units(name: str) -> tuple[Parameter, ...]:
    if name != "plain":
        return ()
    return (
        Parameter(HIDDEN, "int", 0, 2, start=1, label="hidden layers"),
        _number(f"{UNITS}[0]", "units1", (HIDDEN, (1, 2))),
        _number(f"{UNITS}[1]", "units2", (HIDDEN, (2,))),
    )


def _layers(name: str) -> tuple[Parameter, ...]:
    if name != "plain":
        return ()
    return (
        Parameter("model.options.depth", "int", 1, 3, start=1, label="layers per stage"),
        Parameter("model.options.kernel", "choice", choices=(3, 5, 7), start=3, label="kernel"),
    )


def _components(name: str) -> tuple[Parameter, ...]:
    if name not in ("plain", "lenet"):
        return ()
    activations = ("relu", "gelu", "leaky:0.1", "tanh")
    return (
        Parameter("model.options.activation", "choice", choices=activations, start="relu", label="activation"),
        Parameter("model.options.norm", "choice", choices=("batch", "none"), start="batch", label="norm"),
        Parameter("model.options.dropout", "float", 0.0, 0.5, start=0.0, label="dropout"),
    )


def _training(batch: int, optimiser: str) -> tuple[Parameter, ...]:
    batches = tuple(sorted({max(8, batch // 2), batch, 2 * batch}))
    return (
        Parameter(RATE, "float", 0.1, 10.0, log=True, start=1.0, label="rate x"),
        Parameter("optimiser.name", "choice", choices=("muon", "adamw", "sgd"), start=optimiser, label="optimiser"),
        Parameter("optimiser.weight_decay", "float", 1e-5, 0.1, log=True, start=0.01, label="weight decay"),
        Parameter("train.batch", "choice", choices=batches, start=batch, label="batch"),
    )


def _number(name: str, label: str, when: tuple[str, tuple[int, ...]] | None = None) -> Parameter:
    return Parameter(name, "int", SMALLEST, LARGEST, log=True, start=START, when=when, label=label)
