"""Target classes of an explanation, and the logits of those classes."""

from typing import Any

import torch
from torch import Tensor

from convscope.errors import ConfigError, ModelError


def class_scores(output: Any, targets: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return each image's logit of its target class, and the targets.

    Args:
        output: the network's output, (B, K) logits.
        targets: (B,) class indices; None selects the predicted class.
    Returns:
        (B,) scores and (B,) int64 targets.
    Raises:
        ModelError: the output is not (B, K) logits.
        ConfigError: the number of targets is not the batch size, or a class is out of range.
    """
    logits = logits_of(output)
    if targets is None:
        targets = logits.detach().argmax(1)
    chosen = torch.as_tensor(targets, dtype=torch.int64, device=logits.device)
    images, classes = logits.shape
    if chosen.shape != (images,):
        raise ConfigError(f"targets: shape {tuple(chosen.shape)} for {images} images; pass one class per image")
    check_classes(chosen.tolist(), classes)
    return logits.gather(1, chosen[:, None]).squeeze(1), chosen


def logits_of(output: Any) -> Tensor:
    """Return the output if it is (B, K) logits.

    Raises:
        ModelError: the output is not (B, K) logits.
    """
    if not isinstance(output, Tensor):
        raise ModelError(
            f"output: a {type(output).__name__}, not (B, K) logits; wrap the network so that it returns logits"
        )
    if output.ndim != 2:
        raise ModelError(
            f"output: shape {tuple(output.shape)}, not (B, K) logits; wrap the network so that it returns logits"
        )
    return output


def check_classes(targets: list[int], classes: int) -> None:
    """Raise ConfigError for a class outside 0 .. classes - 1."""
    for target in targets:
        if not 0 <= target < classes:
            raise ConfigError(
                f"targets: class {target} is out of range for {classes} classes; choose from 0 to {classes - 1}"
            )
