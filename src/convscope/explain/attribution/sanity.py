"""Do the maps mean anything? Random weights must change them, and they must point at what is known to matter."""

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
"""From a network to maps (B, h, w), such as `lambda net: grad_cam(net, x, "stages.3", targets).maps`."""


@dataclass(frozen=True)
class CascadingRandomisation:
    """How maps change as layers are randomised from the output down.

    Attributes:
        layers: the module randomised at each step, on top of those before it.
        correlations: (L, B) rank correlation of the maps with those of the trained network, the mean over all draws;
            a map that is even counts 0.
    """

    layers: tuple[str, ...]
    correlations: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return per layer the mean correlation, and the last."""
        means = self.correlations.mean(1)
        return {"layers": list(self.layers), "correlation": means.tolist(), "all_random": float(means[-1])}


@dataclass(frozen=True)
class Pointing:
    """Whether maps point at marked objects.

    Attributes:
        hits: (B,) bool, the map's peak lies in the object.
        energy: (B,) share of the map's positive sum that lies in the object.
        area: (B,) share of the image that the object covers: what a blind map would get.
    """

    hits: np.ndarray
    energy: np.ndarray
    area: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return the means."""
        return {"hits": float(self.hits.mean()), "energy": float(self.energy.mean()), "area": float(self.area.mean())}


def cascade(
    model: nn.Module,
    explain: Explain,
    layers: Sequence[str] | None = None,
    draws: int = 5,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> CascadingRandomisation:
    """How much of an explainer's maps is left when the weights are random, layer by layer from the output.

    Adebayo et al. 2018, cascading randomisation. Weights are drawn from a normal of their own mean square around zero
    (biases and norm weights around their mean), so that activations stay in range. Small random networks can answer to
    the same places by luck, or to the opposite ones, hence several draws. In `explain`, give the targets: those that
    the network prefers change with its weights.

    Args:
        model: any network; a copy is randomised.
        explain: see `Explain`.
        layers: modules from the output down, each with all inside it; None is every module with weights of its own,
            the last defined first.
        draws: random networks.
        seed: of the random weights.
        on_progress: called with the draws done, and of how many.
    Raises:
        ModelError: no such layer.
    """
    with preserve_state(model):
        trained = explain(model)
        own = [name for name, module in model.named_modules() if any(True for _ in module.parameters(recurse=False))]
        chosen = tuple(own[::-1] if layers is None else layers)
        generator = torch.Generator().manual_seed(seed)
        total = np.zeros((len(chosen), len(trained)))
        for draw in range(1, draws + 1):
            copied = copy.deepcopy(model)
            for place, name in enumerate(chosen):
                _randomise(find_layer(copied, name), generator, whole=layers is not None)
                total[place] += rank_correlation(trained, explain(copied))
            if on_progress:
                on_progress(draw, draws)
    return CascadingRandomisation(chosen, total / draws)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's correlation (B,) of maps (B, h, w) of equal size, ties sharing their rank; 0 where a map is even."""
    from scipy.stats import rankdata

    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (first, second)]
    centred = [rank - rank.mean(1, keepdims=True) for rank in ranks]
    lengths = np.linalg.norm(centred[0], axis=1) * np.linalg.norm(centred[1], axis=1)
    return np.asarray((centred[0] * centred[1]).sum(1) / np.where(lengths > 0, lengths, 1))


def pointing_game(maps: np.ndarray, masks: np.ndarray) -> Pointing:
    """Whether the maps point at the objects.

    Zhang et al. 2018 (hits, without their tolerance of 15 pixels); Wang et al. 2020, Score-CAM (energy).

    Args:
        maps: (B, h, w), enlarged to the masks' size.
        masks: (B, H, W) bool, true on the object.
    Raises:
        ConfigError: other numbers of maps and masks.
    """
    if len(maps) != len(masks):
        raise ConfigError(f"pointing game: {len(maps)} maps for {len(masks)} masks; give one mask for each map")
    grown = enlarge(maps, masks.shape[1:]).reshape(len(maps), -1)
    inside = masks.reshape(len(masks), -1).astype(bool)
    positive = grown.clip(min=0)
    total = positive.sum(1)
    hits = inside[np.arange(len(inside)), grown.argmax(1)] & (np.ptp(grown, axis=1) > 0)
    return Pointing(hits, (positive * inside).sum(1) / np.where(total > 0, total, 1), inside.mean(1))


def _randomise(module: nn.Module, generator: torch.Generator, whole: bool) -> None:
    with torch.no_grad():
        for weight in module.parameters(recurse=whole):
            values = weight.float()
            centre = values.mean() if weight.ndim < 2 else 0.0
            spread = (values - centre).square().mean().sqrt()
            weight.copy_(centre + spread * torch.randn(weight.shape, generator=generator).to(weight.device))
