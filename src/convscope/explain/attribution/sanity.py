"""Sanity checks of attribution maps: cascading weight randomisation, and the pointing game."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from convscope.errors import ConfigError
from convscope.explain.drawing import enlarge
from convscope.explain.hooks import find_layer
from convscope.modules import preserve_state
from convscope.progress import Progress

Explain = Callable[[nn.Module], np.ndarray]
"""A function from a network to maps (B, h, w), such as `lambda net: grad_cam(net, x, "stages.3", targets).maps`."""


@dataclass(frozen=True)
class CascadingRandomisation:
    """Change of the maps as layers are randomised from the output to the input.

    Attributes:
        layers: the module randomised at each step, in addition to the previous ones.
        correlations: (L, B) rank correlation with the maps of the trained network, averaged over the draws; 0 for a
            constant map.
    """

    layers: tuple[str, ...]
    correlations: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return the mean correlation per layer, and with all layers randomised."""
        means = self.correlations.mean(1)
        return {"layers": list(self.layers), "correlation": means.tolist(), "all_random": float(means[-1])}


@dataclass(frozen=True)
class Pointing:
    """How well maps localise annotated objects.

    Attributes:
        hits: (B,) bool, whether the map's maximum lies in the object.
        energy: (B,) fraction of the map's positive sum inside the object.
        area: (B,) fraction of the image covered by the object: the energy expected of a constant map.
    """

    hits: np.ndarray
    energy: np.ndarray
    area: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return the means over images."""
        return {"hits": float(self.hits.mean()), "energy": float(self.energy.mean()), "area": float(self.area.mean())}


def cascade(
    model: nn.Module,
    explain: Explain,
    layers: Sequence[str] | None = None,
    draws: int = 5,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> CascadingRandomisation:
    """Randomise layers cumulatively from the output, and correlate an explainer's maps with the trained network's.

    Adebayo et al. 2018, cascading randomisation. Weights are drawn from a zero-mean normal with the same mean square
    (biases and norm weights around their mean), so that activations stay in range. In small random networks, maps can
    correlate or anti-correlate by chance, hence several draws. `explain` should use fixed targets: the predicted
    classes change with the weights.

    Args:
        model: any network; a copy is randomised.
        explain: see `Explain`.
        layers: modules from output to input, each including the modules inside it; None is every module with
            parameters of its own, in reverse order of definition.
        draws: number of random networks.
        seed: seed of the random weights.
        on_progress: called with the number of draws done and the total.
    Raises:
        ModelError: no such layer.
    """
    with preserve_state(model):
        trained = explain(model)
        parametrised = [
            name for name, module in model.named_modules() if any(True for _ in module.parameters(recurse=False))
        ]
        chosen = tuple(parametrised[::-1] if layers is None else layers)
        generator = torch.Generator().manual_seed(seed)
        total = np.zeros((len(chosen), len(trained)))
        for draw in range(1, draws + 1):
            copied = copy.deepcopy(model)
            for step, name in enumerate(chosen):
                _randomise(find_layer(copied, name), generator, recurse=layers is not None)
                total[step] += rank_correlation(trained, explain(copied))
            if on_progress:
                on_progress(draw, draws)
    return CascadingRandomisation(chosen, total / draws)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's correlation (B,) of maps (B, h, w) of equal size, with average ranks for ties; 0 for constant maps."""
    from scipy.stats import rankdata

    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (first, second)]
    centered = [rank - rank.mean(1, keepdims=True) for rank in ranks]
    norms = np.linalg.norm(centered[0], axis=1) * np.linalg.norm(centered[1], axis=1)
    return np.asarray((centered[0] * centered[1]).sum(1) / np.where(norms > 0, norms, 1))


def pointing_game(maps: np.ndarray, masks: np.ndarray) -> Pointing:
    """Measure how well maps localise objects.

    Zhang et al. 2018 (hits, without their tolerance of 15 pixels); Wang et al. 2020, Score-CAM (energy).

    Args:
        maps: (B, h, w), resized to the masks.
        masks: (B, H, W) bool, true on the object.
    Raises:
        ConfigError: the numbers of maps and masks differ.
    """
    if len(maps) != len(masks):
        raise ConfigError(f"pointing game: {len(maps)} maps for {len(masks)} masks; pass one mask per map")
    resized = enlarge(maps, masks.shape[1:]).reshape(len(maps), -1)
    inside = masks.reshape(len(masks), -1).astype(bool)
    positive = resized.clip(min=0)
    total = positive.sum(1)
    hits = inside[np.arange(len(inside)), resized.argmax(1)] & (np.ptp(resized, axis=1) > 0)
    return Pointing(hits, (positive * inside).sum(1) / np.where(total > 0, total, 1), inside.mean(1))


def _randomise(module: nn.Module, generator: torch.Generator, recurse: bool) -> None:
    with torch.no_grad():
        for weight in module.parameters(recurse=recurse):
            values = weight.float()
            mean = values.mean() if weight.ndim < 2 else 0.0
            scale = (values - mean).square().mean().sqrt()
            weight.copy_(mean + scale * torch.randn(weight.shape, generator=generator).to(weight.device))
