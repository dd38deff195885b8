"""The self test of a saved model: five fixed inputs, and the network's answers to them when it was saved.

It shows that this machine computes the network as the one that trained it: other versions of PyTorch or convscope, or a
damaged installation, may build another network from the same weights. Loading takes as long as five predictions more.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from convscope.modules import eval_mode
from convscope.predictions.self_test import fixed_levels, sampled


def fixed_inputs(shape: Sequence[int]) -> Tensor:
    """(5, ...) the fixed inputs of a network, from -2 to 2, as normalised images are."""
    return torch.from_numpy(fixed_levels(shape).astype(np.float32) / 63.75 - 2)


def answers_of(model: nn.Module, shape: Sequence[int]) -> list[list[float]]:
    """Return the answers of a network, on its device, to the fixed inputs of a shape; see `sampled`."""
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    with eval_mode(model), torch.inference_mode():
        output = model(fixed_inputs(shape).to(device))
    return sampled(output.float().cpu().numpy())
