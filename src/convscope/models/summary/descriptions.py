"""Short descriptions of layers in plain English."""

from collections.abc import Callable
from typing import Any

from torch import nn

from convscope.models.components import Blur, SqueezeExcite
from convscope.models.layers import Branches, Residual, shape_text

GROUP_CLASSES = {
    "convolution": (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    "fully connected": (nn.Linear,),
    "norm": (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm, nn.LocalResponseNorm),
    "dropout": (nn.modules.dropout._DropoutNd,),
    "reshape": (nn.Flatten, nn.Unflatten),
    "add": (Residual,),
    "concatenate": (Branches,),
    "gate": (SqueezeExcite,),
    "upsample": (nn.Upsample,),
}  # fmt: skip
NAME_PARTS = {"Pool": "pool", "Blur": "pool", "Enlarge": "upsample", "Transposed": "upsample", "Unpool": "upsample"}


def group(module: nn.Module) -> str:
    """Return the type of a layer; "" for a container.

    >>> group(nn.ReLU()), group(nn.Conv2d(1, 1, 3)), group(nn.Sequential())
    ('activation', 'convolution', '')
    """
    for name, kinds in GROUP_CLASSES.items():
        if isinstance(module, kinds):
            return name
    kind = type(module).__name__
    for part, name in NAME_PARTS.items():
        if part in kind:
            return name
    if next(module.children(), None) is not None or isinstance(module, nn.Sequential):
        return ""
    return "activation" if type(module).__module__.endswith("modules.activation") else "other"


def describe(module: nn.Module) -> str:
    """Return what a layer does.

    >>> describe(nn.Conv2d(3, 64, 3, stride=2, padding=1))
    '64 kernels of 3x3 over 3 channels, stride 2, padding 1'
    """
    describe_group = DESCRIPTIONS.get(group(module))
    return describe_group(module) if describe_group else ""


def _convolution(conv: Any) -> str:
    over = conv.in_channels // conv.groups
    text = f"{conv.out_channels} kernels of {shape_text(conv.kernel_size)} over {over} channel{'s' * (over != 1)}"
    text += f" in {conv.groups} groups" if conv.groups > 1 else ""
    if conv.transposed:
        return f"{text}, transposed, stride {conv.stride[0]}"
    text += f", stride {conv.stride[0]}" if max(conv.stride) > 1 else ""
    text += f", dilation {conv.dilation[0]}" if max(conv.dilation) > 1 else ""
    padding = conv.padding if isinstance(conv.padding, str) else max(conv.padding)
    return text + (f", padding {padding}" if padding else "")


def _pool(pool: Any) -> str:
    if "Adaptive" in type(pool).__name__:
        size = pool.output_size
        whole = size == 1 or (isinstance(size, tuple) and set(size) == {1})
        return "the mean of each map" if whole else f"average pooling to {size} per side"
    if isinstance(pool, Blur):
        return f"blurs, stride {pool.stride}"
    if not hasattr(pool, "kernel_size"):
        return "pools"
    size = pool.kernel_size if isinstance(pool.kernel_size, tuple) else (pool.kernel_size,) * 2
    step = pool.stride if isinstance(pool.stride, int) else pool.stride[0]
    what = "maximum" if "Max" in type(pool).__name__ else "mean"
    return f"the {what} of each {shape_text(size)} window, stride {step}"


def _norm(norm: Any) -> str:
    if isinstance(norm, nn.modules.batchnorm._BatchNorm):
        return "normalises each channel with the running mean and variance of training"
    if isinstance(norm, nn.LocalResponseNorm):
        return f"divides by the activity of {norm.size} neighbouring channels"
    return "mean 0 and variance 1 within the image, then a scale and shift per channel"


DESCRIPTIONS: dict[str, Callable[[Any], str]] = {
    "convolution": _convolution,
    "fully connected": lambda fc: f"{fc.out_features} sums over all {fc.in_features} inputs",
    "norm": _norm,
    "pool": _pool,
    "dropout": lambda drop: f"drops {100 * drop.p:g} % in training, inactive in evaluation",
    "reshape": lambda _: "flattens the maps to a vector",
    "add": lambda _: "adds its input to the output of its layers",
    "concatenate": lambda _: "concatenates the channels of several paths",
    "gate": lambda _: "multiplies each channel by a gate from 0 to 1",
    "upsample": lambda _: "upsamples the maps",
    "activation": lambda act: {"ReLU": "sets negative values to zero"}.get(type(act).__name__, str(act).lower()),
}
