"""Weight initialisation: the initial variance decides whether signals and gradients survive the depth of a network.

With n_in the fan-in and n_out the fan-out of a layer (counted over the kernel window), the variance of a weight is

    zeros          0                      all units of a layer stay identical: symmetry is not broken
    small_normal   0.0001                 N(0, 0.01^2), AlexNet; vanishes in deep networks
    normal         1                      N(0, 1); explodes with depth
    xavier_in      1 / n_in               keeps the forward variance through linear layers (LeCun et al. 1998)
    glorot         2 / (n_in + n_out)     a compromise between forward and backward (Glorot & Bengio 2010, eq. 12)
    kaiming        2 / n_in               compensates that ReLU halves the variance (He et al. 2015, eq. 10)
    orthogonal     1 / the longer side    preserves norms (Saxe et al. 2014)
    identity       -                      the identity map

`initialise` with "auto" chooses per layer according to the activation that follows it.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from convscope.errors import ConfigError, did_you_mean

Fill = Callable[[Tensor, int, int, torch.Generator | None], None]  # weight (n, m, ...), n_in, n_out, generator

WEIGHT_LAYERS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Softplus)
SATURATING = (nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Hardtanh, nn.Softsign)


def _normal(variance: Callable[[int, int], float]) -> Fill:
    def fill(weight: Tensor, n_in: int, n_out: int, generator: torch.Generator | None) -> None:
        weight.normal_(0, math.sqrt(variance(n_in, n_out)), generator=generator)

    return fill


def _zeros(weight: Tensor, _n_in: int, _n_out: int, _generator: torch.Generator | None) -> None:
    weight.zero_()


def _orthogonal(weight: Tensor, _n_in: int, _n_out: int, generator: torch.Generator | None) -> None:
    nn.init.orthogonal_(weight, generator=generator)


def _identity(weight: Tensor, _n_in: int, _n_out: int, _generator: torch.Generator | None) -> None:
    weight.zero_()
    middle = tuple(side // 2 for side in weight.shape[2:])
    for channel in range(min(weight.shape[:2])):
        weight[(channel, channel, *middle)] = 1


INITIALISERS: dict[str, Fill] = {
    "zeros": _zeros,
    "small_normal": _normal(lambda _n_in, _n_out: 0.01**2),
    "normal": _normal(lambda _n_in, _n_out: 1.0),
    "xavier_in": _normal(lambda n_in, _n_out: 1 / n_in),
    "glorot": _normal(lambda n_in, n_out: 2 / (n_in + n_out)),
    "kaiming": _normal(lambda n_in, _n_out: 2 / n_in),
    "orthogonal": _orthogonal,
    "identity": _identity,
}


@torch.no_grad()
def initialise(model: nn.Module, name: str = "auto", generator: torch.Generator | None = None) -> dict[str, str]:
    """Initialise the weights of every dense and convolution layer of `model`, and set biases to zero.

    ``auto`` uses kaiming before ReLU and its variants, glorot before sigmoid or tanh, and xavier_in if no activation
    follows. The order of layers is the order of registration.

    Returns:
        The initialiser used for each layer, by layer name.
    Raises:
        ConfigError: there is no initialiser of that name.
    """
    if name not in {"auto", *INITIALISERS}:
        raise ConfigError(f"init: no initialiser {name}{did_you_mean(name, ['auto', *INITIALISERS])}")
    chosen = {layer: fitting if name == "auto" else name for layer, fitting in fitting_initialisers(model).items()}
    for layer, initialiser in chosen.items():
        module = model.get_submodule(layer)
        INITIALISERS[initialiser](module.get_parameter("weight"), *fans(module), generator)
        if isinstance(module.bias, Tensor):
            module.bias.zero_()
    return chosen


def fitting_initialisers(model: nn.Module) -> dict[str, str]:
    """Return the initialiser that suits the activation after each layer, by layer name."""
    fitting: dict[str, str] = {}
    pending: list[str] = []  # layers whose activation has not been found yet
    for name, module in model.named_modules():
        if isinstance(module, WEIGHT_LAYERS):
            pending = [name]
            fitting[name] = "xavier_in"
        elif isinstance(module, RECTIFIERS + SATURATING):
            for layer in pending:
                fitting[layer] = "kaiming" if isinstance(module, RECTIFIERS) else "glorot"
            pending = []
    return fitting


def fans(layer: nn.Module) -> tuple[int, int]:
    """Return fan-in and fan-out of a dense or convolution layer, over its kernel and per group.

    >>> fans(nn.Conv2d(3, 64, 7))
    (147, 3136)
    """
    weight = layer.get_parameter("weight")
    window = weight[0, 0].numel()
    groups = getattr(layer, "groups", 1)
    first, second = weight.shape[0] // groups, weight.shape[1]  # of one group
    if isinstance(layer, TRANSPOSED):
        return first * window, second * window
    return second * window, first * window
