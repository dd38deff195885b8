"""What the findings suggest changing, each with the figure behind it."""

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
from convscope.explain import (
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
    suggest_from_probes,
    suggest_from_removals,
    suggest_from_stimuli,
)
from convscope.progress import Progress

SHOWN_REMOVALS = 24
FITTED = 3000  # training images from which linear classifiers learn
SMALLEST = 9  # pixels of an object; less is a mask's fray
NOTHING_FOUND = (
    "nothing to suggest: no dead, repeated or silent channels, and every block and stage that was left out is missed"
)

Labelled = Callable[[], Iterator[tuple[Tensor, Tensor]]]


def suggest(
    subject: AnalysisTarget,
    judged: ImageSet,
    within: tuple[tuple[str, ...], tuple[int, ...]],
    object_size: int | None,
    on_progress: Progress,
) -> Findings:
    """Suggestions from filters, top patches, removal costs, linear probes and receptive fields.

    Args:
        subject: the network with its training images.
        judged: the images on which blocks are judged.
        within: layers and channels to judge; () for all.
        object_size: side of objects in pixels; None takes that of boxes or masks.
        on_progress: called with the steps done.
    """
    train, (chosen, channels) = subject.read("train"), within
    sample = subject.input(judged, slice(0, 1))
    layers = chosen_layers(subject, chosen, sample)
    suggestions = [
        found
        for layer in _convolutions(subject.model, chosen)
        for found in suggest_from_filters(filters(subject.model, layer), channels)
    ]
    for done, layer in enumerate(layers, 1):
        suggestions += suggest_from_stimuli(stimuli(subject.model, layer, subject.batches(train), 1), channels)
        on_progress(done, 2 * len(layers))
    removals = _removals(subject, judged, on_progress)
    after = _depths(subject, layers, train, judged)
    suggestions += [*suggest_from_removals(removals), *suggest_from_probes(after)]
    suggestions += _field(subject, object_size, judged, sample)
    pictures = {}
    if after:
        pictures["depths"] = _depth_sheet(after)
    if removals:
        pictures["removals"] = _removal_sheet(removals)
    numbers = {
        "layers": layers,
        "suggestions": [one.to_json() for one in suggestions],
        "removals": [one.to_json() for one in removals],
        "depths": [one.to_json() for one in after],
    }
    return Findings(pictures, numbers, tuple(_sentence(one) for one in suggestions) or (NOTHING_FOUND,))


def _sentence(found: Suggestion) -> str:
    return f"{found.layer} ({found.kind}): {found.finding}. Try: {found.suggestion}."


def _convolutions(model: nn.Module, within: tuple[str, ...]) -> list[str]:
    """All convolutions, or those in the layers that the user named."""
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


def _removals(subject: AnalysisTarget, judged: ImageSet, on_progress: Progress) -> tuple[Removal, ...]:
    """What each block is worth on the images; none where these have no classes."""
    if not _classes_known(subject, judged):
        return ()
    return removal_costs(subject.model, _labelled(subject, judged), on_progress=_second_half(on_progress))


def _second_half(on_progress: Progress) -> Progress:
    return lambda done, of: on_progress((of or done) + done, 2 * (of or done))


def _classes_known(subject: AnalysisTarget, images: ImageSet) -> bool:
    try:
        require_class_scores(subject, somehow=True)
    except ConfigError:
        return False
    return not subject.task.ground_first and bool((images.targets >= 0).all())


def _depths(
    subject: AnalysisTarget, layers: tuple[str, ...], train: ImageSet, judged: ImageSet
) -> tuple[LayerProbe, ...]:
    """What is known after each stage; nothing where classes are not known."""
    if len(layers) < 2 or not _classes_known(subject, judged):
        return ()
    fitted = some_images(subject, FITTED)
    if not _classes_known(subject, fitted) or len(np.unique(train.targets)) < 2:
        return ()
    return probe_layers(subject.model, layers, _labelled(subject, fitted), _labelled(subject, judged))


def _field(subject: AnalysisTarget, said: int | None, images: ImageSet, sample: Tensor) -> tuple[Suggestion, ...]:
    """Whether the deepest stage with places sees as much as an object takes, as the user or the data say."""
    layer = attribution_layer(subject.model, sample)
    sides = np.array([[said, said]]) if said is not None else object_sides(images, subject.task.ground_first)
    if not len(sides) or not layer:
        return ()
    return suggest_from_field(receptive_field(subject.model, layer, sample), sides)


def object_sides(images: ImageSet, ground_first: bool) -> np.ndarray:
    """(N, 2) heights and widths of the marked objects, each connected region one; class 0 may be the ground."""
    if images.object_masks is None:
        return np.zeros((0, 2), np.int64)
    from scipy.ndimage import find_objects, label

    sides = []
    for mask in images.object_masks[images.rows]:
        regions, _ = label((mask != NOTHING) & ((mask != 0) | (not ground_first)))
        for rows, columns in find_objects(regions):
            height, width = rows.stop - rows.start, columns.stop - columns.start
            if height * width >= SMALLEST:
                sides.append((height, width))
    return np.array(sides, np.int64).reshape(-1, 2)


def _removal_sheet(removals: tuple[Removal, ...]) -> np.ndarray:
    chosen = removals[:SHOWN_REMOVALS]

    def draw(axes: Any) -> None:
        costs = [100 * one.cost for one in chosen]
        axes.barh([one.layer for one in chosen], costs, color=["#f2994a" if c <= 0.5 else "#5b8def" for c in costs])
        axes.invert_yaxis()
        axes.set_xlabel("accuracy lost without it, in points of 100")

    note = (
        "Each block is passed by, and nothing is trained again: its cost is at most this high. Orange: hardly missed."
    )
    return titled(chart(draw, (7.5, 0.28 * len(chosen) + 1.2)), "What each block is worth", note)


def _depth_sheet(found: tuple[LayerProbe, ...]) -> np.ndarray:
    def draw(axes: Any) -> None:
        axes.plot([100 * one.accuracy for one in found], marker="o", color="#5b8def")
        for place, one in enumerate(found):
            axes.annotate(
                f"{100 * one.accuracy:.1f}",
                (place, 100 * one.accuracy),
                (0, 7),
                textcoords="offset points",
                ha="center",
            )
        axes.set_xticks(range(len(found)), [one.layer for one in found], rotation=30 if len(found) > 6 else 0)
        axes.margins(0.08, 0.2)
        axes.set_ylabel("right, in per cent")

    note = (
        "A linear classifier on each stage's features, averaged over places, on images that it did not learn from. "
        "Where the line is level, the stages add nothing."
    )
    return titled(chart(draw, (7.5, 3.0)), "How much of the answer is there after each stage", note)
