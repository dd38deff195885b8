"""Architecture suggestions, each with its measurement."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convscope.analysis.feature_visualization import some_images
from convscope.analysis.images import NOTHING, ImageSet
from convscope.analysis.layout import chart, titled
from convscope.analysis.result import Findings
from convscope.analysis.selection import attribution_layer, chosen_layers, require_class_scores
from convscope.analysis.target import AnalysisTarget
from convscope.errors import ConfigError
from convscope.explainers import (
    LayerProbe,
    Removal,
    Suggestion,
    filters,
    probe_layers,
    receptive_field,
    removal_costs,
    stimuli,
    suggest_from_field,
    suggest_from_filters,
    suggest_from_norms,
    suggest_from_probes,
    suggest_from_removals,
    suggest_from_stimuli,
)
from convscope.progress import Progress

SHOWN_REMOVALS = 24
PROBE_IMAGES = 3000  # training images of the linear classifiers
MIN_OBJECT_PIXELS = 9  # smaller regions are mask noise

Labelled = Callable[[], Iterator[tuple[Tensor, Tensor]]]


def suggest(
    subject: AnalysisTarget,
    evaluated: ImageSet,
    within: tuple[tuple[str, ...], tuple[int, ...]],
    object_size: int | None,
    on_progress: Progress,
) -> Findings:
    """Suggestions from filters, top patches, removal costs, linear probes and receptive fields.

    Args:
        subject: the network with its training images.
        evaluated: images on which removal costs are measured.
        within: layers and channels to analyse; () for all.
        object_size: side of objects in pixels; None measures boxes or masks.
        on_progress: called with the steps done and their total.
    """
    train, (chosen, channels) = subject.read("train"), within
    sample = subject.input(evaluated, slice(0, 1))
    layers = chosen_layers(subject, chosen, sample)
    suggestions = [
        found
        for layer in _convolutions(subject.model, chosen)
        for found in suggest_from_filters(filters(subject.model, layer), channels)
    ]
    suggestions += suggest_from_norms(subject.model, chosen, channels)
    for done, layer in enumerate(layers, 1):
        suggestions += suggest_from_stimuli(stimuli(subject.model, layer, subject.batches(train), 1), channels)
        on_progress(done, 2 * len(layers))
    removals = _removals(subject, evaluated, on_progress)
    probes = _layer_probes(subject, layers, train, evaluated)
    suggestions += [*suggest_from_removals(removals), *suggest_from_probes(probes)]
    suggestions += _field_suggestions(subject, object_size, evaluated, sample)
    pictures = {}
    if probes:
        pictures["depths"] = _probe_sheet(probes)
    if removals:
        pictures["removals"] = _removal_sheet(removals)
    numbers = {
        "layers": layers,
        "suggestions": [one.to_json() for one in suggestions],
        "removals": [one.to_json() for one in removals],
        "depths": [one.to_json() for one in probes],
    }
    return Findings(pictures, numbers, tuple(_sentence(one) for one in suggestions) or (_no_suggestion(removals),))


def _no_suggestion(removals: tuple[Removal, ...]) -> str:
    """Say what was looked at and found to be needed; blocks only if some were left out."""
    nothing = "no suggestions: no dead, duplicate or silent channels"
    if not removals:
        return f"{nothing}; no block could be left out to see what it costs"
    without = "without the block" if len(removals) == 1 else f"without any of the {len(removals)} blocks"
    return f"{nothing}, and accuracy drops {without} that can be left out"


def _sentence(found: Suggestion) -> str:
    return f"{found.layer} ({found.kind}): {found.finding}. Try: {found.suggestion}."


def _convolutions(model: nn.Module, within: tuple[str, ...]) -> list[str]:
    """Return all convolutions, or those in the named layers."""
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d) and (not within or any(f"{name}.".startswith(f"{layer}.") for layer in within))
    ]


def _labelled(subject: AnalysisTarget, images: ImageSet) -> Labelled:
    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        done = 0
        for x in subject.batches(images):
            yield x, torch.from_numpy(images.targets[done : done + len(x)])
            done += len(x)

    return batches


def _removals(subject: AnalysisTarget, evaluated: ImageSet, on_progress: Progress) -> tuple[Removal, ...]:
    """Return the accuracy lost without each block; () if the images have no classes."""
    if not _classes_known(subject, evaluated):
        return ()
    return removal_costs(subject.model, _labelled(subject, evaluated), on_progress=_second_half(on_progress))


def _second_half(on_progress: Progress) -> Progress:
    return lambda done, of: on_progress((of or done) + done, 2 * (of or done))


def _classes_known(subject: AnalysisTarget, images: ImageSet) -> bool:
    try:
        require_class_scores(subject, convertible=True)
    except ConfigError:
        return False
    return not subject.task.ground_first and bool((images.targets >= 0).all())


def _layer_probes(
    subject: AnalysisTarget, layers: tuple[str, ...], train: ImageSet, evaluated: ImageSet
) -> tuple[LayerProbe, ...]:
    """Return the accuracy of a linear probe after each stage; () if classes are not known."""
    if len(layers) < 2 or not _classes_known(subject, evaluated):
        return ()
    fitting = some_images(subject, PROBE_IMAGES)
    if not _classes_known(subject, fitting) or len(np.unique(train.targets)) < 2:
        return ()
    return probe_layers(subject.model, layers, _labelled(subject, fitting), _labelled(subject, evaluated))


def _field_suggestions(
    subject: AnalysisTarget, object_size: int | None, images: ImageSet, sample: Tensor
) -> tuple[Suggestion, ...]:
    """Compare the receptive field of the deepest stage with maps to the size of the objects."""
    layer = attribution_layer(subject.model, sample)
    sides = (
        np.array([[object_size, object_size]])
        if object_size is not None
        else object_sides(images, subject.task.ground_first)
    )
    if not len(sides) or not layer:
        return ()
    return suggest_from_field(receptive_field(subject.model, layer, sample), sides)


def object_sides(images: ImageSet, ground_first: bool) -> np.ndarray:
    """Return (N, 2) heights and widths of the objects, one per connected region; class 0 may be the background."""
    if images.object_masks is None:
        return np.zeros((0, 2), np.int64)
    from scipy.ndimage import find_objects, label

    sides = []
    for mask in images.object_masks[images.rows]:
        regions, _ = label((mask != NOTHING) & ((mask != 0) | (not ground_first)))
        for rows, columns in find_objects(regions):
            height, width = rows.stop - rows.start, columns.stop - columns.start
            if height * width >= MIN_OBJECT_PIXELS:
                sides.append((height, width))
    return np.array(sides, np.int64).reshape(-1, 2)


def _removal_sheet(removals: tuple[Removal, ...]) -> np.ndarray:
    chosen = removals[:SHOWN_REMOVALS]

    def draw(axes: Any) -> None:
        costs = [100 * one.cost for one in chosen]
        axes.barh([one.layer for one in chosen], costs, color=["#f2994a" if c <= 0.5 else "#5b8def" for c in costs])
        axes.invert_yaxis()
        axes.set_xlabel("accuracy lost without it, in percentage points")

    note = "Each block is bypassed without retraining, so its cost is an upper bound. Orange: at most 0.5 points."
    return titled(chart(draw, (7.5, 0.28 * len(chosen) + 1.2)), "Accuracy lost without each block", note)


def _probe_sheet(found: tuple[LayerProbe, ...]) -> np.ndarray:
    def draw(axes: Any) -> None:
        axes.plot([100 * one.accuracy for one in found], marker="o", color="#5b8def")
        for index, one in enumerate(found):
            axes.annotate(
                f"{100 * one.accuracy:.1f}",
                (index, 100 * one.accuracy),
                (0, 7),
                textcoords="offset points",
                ha="center",
            )
        axes.set_xticks(range(len(found)), [one.layer for one in found], rotation=30 if len(found) > 6 else 0)
        axes.margins(0.08, 0.2)
        axes.set_ylabel("accuracy in %")

    note = (
        "Accuracy of a linear classifier on each stage's features, averaged over positions, on held-out images. "
        "Stages that do not raise it add nothing that is linearly decodable."
    )
    return titled(chart(draw, (7.5, 3.0)), "Linear probe accuracy after each stage", note)
