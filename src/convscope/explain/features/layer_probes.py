"""Linear probes by layer: the accuracy of a linear classifier on the features of each stage."""

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
"""Called once per pass over the images; yields (x, classes)."""


@dataclass(frozen=True)
class LayerProbe:
    """Accuracy of a linear classifier on a stage's spatially averaged features.

    Attributes:
        layer: the stage.
        channels: number of features.
        accuracy: on held-out images, in [0, 1].
        images: number of held-out images.
    """

    layer: str
    channels: int
    accuracy: float
    images: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def probe_layers(
    model: nn.Module,
    layers: Sequence[str],
    train: Labelled,
    test: Labelled,
    on_progress: Progress | None = None,
) -> tuple[LayerProbe, ...]:
    """Measure the accuracy of a linear classifier on the features of each layer.

    Alain and Bengio 2016, "Understanding intermediate layers using linear classifier probes", section 3, on spatially
    averaged features. This underestimates early layers, because averaging discards spatial information.

    Args:
        model: any network.
        layers: early to late; each returns maps (B, C, h, w) or vectors (B, C).
        train: images that the classifiers are fitted to.
        test: held-out images.
        on_progress: called with the number of layers done and the total.
    Raises:
        DataError: no images, or fewer than two classes.
        ModelError: no such layer.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (features, classes), (test_features, test_classes) = (
        _features(model, layers, batches()) for batches in (train, test)
    )
    if len(np.unique(classes)) < 2:
        raise DataError("layer probes: images of fewer than two classes; pass images of at least two")
    found = []
    for done, layer in enumerate(layers, 1):
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, tol=1e-3))
        classifier.fit(features[layer], classes)
        accuracy = float((classifier.predict(test_features[layer]) == test_classes).mean())
        found.append(LayerProbe(layer, features[layer].shape[1], accuracy, len(test_classes)))
        if on_progress:
            on_progress(done, len(layers))
    return tuple(found)


def suggest_from_probes(found: Sequence[LayerProbe], worth: float = 0.005) -> tuple[Suggestion, ...]:
    """Suggest removing the stages after the first one whose accuracy is within `worth` of the best."""
    best = max((one.accuracy for one in found), default=0.0)
    sufficient = next((one for one in found if one.accuracy >= best - worth), None)
    if sufficient is None or sufficient is found[-1]:
        return ()
    last = found[-1]
    finding = (
        f"a linear probe after it reaches accuracy {sufficient.accuracy:.3f} on {sufficient.images} images, "
        f"after {last.layer} {last.accuracy:.3f}: later stages add nothing"
    )
    advice = f"train the network without the layers after {sufficient.layer}"
    return (Suggestion("redundant stages", sufficient.layer, finding, last.accuracy - sufficient.accuracy, advice),)


def _features(
    model: nn.Module, layers: Sequence[str], batches: Iterable[tuple[Tensor, Tensor]]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the features (N, C) of each layer, and the classes (N,)."""
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
        raise DataError("layer probes: no images; pass at least one batch")
    return {layer: np.concatenate(part) for layer, part in parts.items()}, np.concatenate(classes)
