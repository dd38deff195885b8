"""How much of the answer is there after each stage: a straight line through its features, and what it gets right."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from convscope.errors import DataError
from convscope.explain.hooks import record
from convscope.explain.suggestions import Suggestion
from convscope.progress import Progress

Labelled = Callable[[], Iterable[tuple[Tensor, Tensor]]]
"""Called anew for each pass; gives (x, classes)."""


@dataclass(frozen=True)
class LayerProbe:
    """What a linear classifier on a stage's features, averaged over places, gets right.

    Attributes:
        layer: the stage.
        channels: how many features.
        accuracy: on images that it was not fitted to.
        images: how many those were.
    """

    layer: str
    channels: int
    accuracy: float
    images: int

    def to_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return asdict(self)


def probe_layers(
    model: nn.Module,
    layers: Sequence[str],
    fitted: Labelled,
    judged: Labelled,
    on_progress: Progress | None = None,
) -> tuple[LayerProbe, ...]:
    """The accuracy that a linear classifier reaches after each of some layers.

    Alain and Bengio 2016, "Understanding intermediate layers using linear classifier probes", section 3, on features
    averaged over places. Early layers know more than this shows, since what they know by place is averaged away.

    Args:
        model: any network.
        layers: early to late; each gives maps (B, C, h, w) or vectors (B, C).
        fitted: images that the classifiers learn from.
        judged: other images.
        on_progress: called with the layers done, and of how many.
    Raises:
        DataError: no images, or all of one class.
        ModelError: no such layer.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (features, classes), (others, truth) = (_features(model, layers, batches()) for batches in (fitted, judged))
    if len(np.unique(classes)) < 2:
        raise DataError("depths: images of fewer than two classes; give some of each")
    found = []
    for place, layer in enumerate(layers, 1):
        line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, tol=1e-3))
        line.fit(features[layer], classes)
        right = float((line.predict(others[layer]) == truth).mean())
        found.append(LayerProbe(layer, features[layer].shape[1], right, len(truth)))
        if on_progress:
            on_progress(place, len(layers))
    return tuple(found)


def suggest_from_probes(found: Sequence[LayerProbe], worth: float = 0.005) -> tuple[Suggestion, ...]:
    """Suggest training without the stages after the first whose accuracy is within `worth` of the best one's."""
    best = max((one.accuracy for one in found), default=0.0)
    enough = next((one for one in found if one.accuracy >= best - worth), None)
    if enough is None or enough is found[-1]:
        return ()
    last = found[-1]
    finding = (
        f"a linear classifier on its features is right for {enough.accuracy:.3f} of {enough.images} images, "
        f"on those of {last.layer} for {last.accuracy:.3f}: what follows adds nothing"
    )
    advice = f"train the network without what comes after {enough.layer}"
    return (Suggestion("stages to spare", enough.layer, finding, last.accuracy - enough.accuracy, advice),)


def _features(
    model: nn.Module, layers: Sequence[str], batches: Iterable[tuple[Tensor, Tensor]]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What each layer says of each image, (N, C), and the images' classes (N,)."""
    parts: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    classes = []
    with record(model, *layers) as kept:
        for x, targets in batches:
            kept.forward(x)
            for layer in layers:
                output = kept[layer].float()
                parts[layer].append((output.flatten(2).mean(2) if output.ndim > 2 else output).cpu().numpy())
            classes.append(targets.cpu().numpy())
    if not classes:
        raise DataError("depths: no images; give at least one batch")
    return {layer: np.concatenate(part) for layer, part in parts.items()}, np.concatenate(classes)
