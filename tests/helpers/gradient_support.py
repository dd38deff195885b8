"""Which pixels a value of a network depends on, read from its gradient."""

import torch
from torch import Tensor, nn


def positive(model: nn.Module) -> nn.Module:
    """Return the model in float64 and eval mode with positive weights, so that no gradient cancels."""
    model = model.double().eval()
    for parameter in model.parameters():
        parameter.data.uniform_(0.5, 1.5).div_(max(1, parameter[0].numel()))
    return model


def support(x: Tensor, value: Tensor) -> list[tuple[int, int]]:
    """Return for each side of the image the first and the last pixel that `value` depends on."""
    (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
    touched = gradient[0].sum(0) != 0
    spans = []
    for side in range(touched.dim()):
        others = [dim for dim in range(touched.dim()) if dim != side]
        positions = (touched.amax(others) if others else touched).nonzero()
        spans.append((int(positions.min()), int(positions.max())))
    return spans


def agrees(shape: tuple[int, ...], function, row) -> None:
    """Assert that the traced field of `row` is the support of the gradient, at several positions."""
    x = torch.rand(1, *shape, dtype=torch.float64, requires_grad=True)
    maps = function(x)
    assert tuple(maps.shape) == row.output_shape
    sides = maps.shape[2:]
    for part in (3, 2, 1.6):
        position = [int(side / part) for side in sides]
        fields = [axis.field.at(at) for axis, at in zip(row.axes, position, strict=True)]
        inside = [(max(0, low), min(side - 1, high)) for (low, high), side in zip(fields, shape[1:], strict=True)]
        assert support(x, maps[(0, slice(None), *position)].sum()) == inside
