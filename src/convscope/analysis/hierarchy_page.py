"""Early to late on one page: filters, stimuli, wanted images, maps, where it looks, with a plain sentence each."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from convscope.analysis.attribution_maps import attribution_sheet
from convscope.analysis.data_urls import address
from convscope.analysis.feature_visualization import (
    maximised_sentence,
    maximised_sheet,
    optimisation_settings,
    sample_images,
    some_images,
)
from convscope.analysis.images import ImageSet
from convscope.analysis.maps import channel_maps_sheet, filter_sentence, filter_sheet
from convscope.analysis.result import Findings
from convscope.analysis.selection import (
    attribution_layer,
    chosen_channels,
    chosen_layers,
    mistakes,
    probabilities,
    width_of,
)
from convscope.analysis.target import AnalysisTarget
from convscope.analysis.top_patches import stimuli_sentence, stimuli_sheet
from convscope.errors import ConvscopeError
from convscope.explainers import activations, channel_maxima, class_map, filters, maximise_channels, stimuli
from convscope.explainers import first_convolution as first_of
from convscope.extras import extra
from convscope.files import atomic_write
from convscope.progress import Progress, part_of

SECTION = "section.html"
FIRST_CHANNELS = 4  # of a layer, in the report that training writes
FIRST_LOOK = 2e10  # multiplications that it may cost: about a second on two cores
LOOKED_AT = 6  # images of which the maps are shown
LEAST_IMAGES = 64  # for stimuli to mean anything

Block = dict[str, Any]


def page(
    subject: AnalysisTarget,
    images: tuple[ImageSet, ImageSet | None],
    within: tuple[tuple[str, ...], tuple[int, ...], int],
    way: tuple[int, int],
    on_progress: Progress,
) -> Findings:
    """The page ``hierarchy.html`` with all its pictures.

    Args:
        subject: the network with its training images.
        images: those whose maps are shown, and the set in which mistakes are looked for, if in any.
        within: layers, channels (() for all and some), and how many channels of each layer.
        way: steps and seed of the optimised images.
        on_progress: called with how much is done.
    """
    (shown, searched), (named, wanted, count) = images, within
    sample = subject.input(sample_images(subject))
    layers = chosen_layers(subject, named, sample)
    blocks, numbers, pictures = [], [], {}
    blocks += _attempt(filters_block, subject)
    train = subject.read("train")
    for place, layer in enumerate(layers):
        width = width_of(subject.model, layer, sample)
        channels = chosen_channels(layer, width, wanted, count)
        report = part_of(on_progress, place, len(layers))
        blocks += _attempt(stimuli_block, subject, train, layer, channels) if len(train) else []
        blocks += _attempt(wanted_block, subject, layer, channels, way, report)
        blocks += _attempt(maps_block, subject, shown, layer, channels) if len(shown) else []
        numbers.append({"layer": layer, "channels": channels})
    if len(shown):
        among = shown if searched is None else searched
        blocks += _attempt(where_block, subject, among, searched is not None)
    for place, block in enumerate(blocks):
        pictures[f"{place:02d}.{block['kind']}.{block['layer']}"] = block.pop("picture_array")
    for block, picture in zip(blocks, pictures.values(), strict=True):
        block["picture"] = address(picture)
    summary = tuple(block["says"] for block in blocks)
    files = {"hierarchy.html": _page(subject, blocks), SECTION: _section(blocks)}
    return Findings(pictures, {"layers": numbers}, summary, files)


def first_insights(subject: AnalysisTarget, multiplications: int, until: float) -> str:
    """The same, of what is cheap, as the section of a report that is written right after training.

    Args:
        subject: the network and its images, of which as many are looked at as `FIRST_LOOK` allows.
        multiplications: of one image's forward pass.
        until: by `time.monotonic`; nothing is begun after that.
    """
    affordable = max(LEAST_IMAGES, int(FIRST_LOOK / max(multiplications, 1) / 4))  # three layers, and the mistakes
    train, validation = (_evenly(subject.read(split), affordable) for split in ("train", "validation"))
    blocks = _attempt(filters_block, subject)
    if len(validation) and time.monotonic() < until:
        blocks += _attempt(where_block, subject, validation)
    sample = subject.input(train, slice(0, 1))
    layers = chosen_layers(subject, (), sample)
    for layer in dict.fromkeys((layers[0], layers[len(layers) // 2], layers[-1])):
        if time.monotonic() < until:
            channels = chosen_channels(layer, width_of(subject.model, layer, sample), (), FIRST_CHANNELS)
            blocks += _attempt(stimuli_block, subject, train, layer, channels)
    blocks.sort(key=lambda block: block["kind"] == "attribution")
    for block in blocks:
        block["picture"] = address(block.pop("picture_array"))
    return rendered("section.html", blocks=blocks, full=False)


def _evenly(images: ImageSet, most: int) -> ImageSet:
    return images.select(np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).astype(int)))


def _attempt(make: Any, *given: Any) -> list[Block]:
    """A block, or none where the network has nothing of the kind: no convolution, no maps, no classes."""
    try:
        return [make(*given)]
    except ConvscopeError:
        return []


def filters_block(subject: AnalysisTarget) -> Block:
    """The first layer's kernels."""
    found = filters(subject.model, first_of(subject.model))
    return {
        "kind": "filters", "layer": found.layer, "title": f"{found.layer}: the first kernels",
        "says": filter_sentence(found), "picture_array": filter_sheet(found),
    }  # fmt: skip


def stimuli_block(subject: AnalysisTarget, images: ImageSet, layer: str, channels: list[int]) -> Block:
    """What excites some channels of a layer."""
    found = stimuli(subject.model, layer, subject.batches(images))
    return {
        "kind": "stimuli", "layer": layer, "title": f"{layer}: top activating patches",
        "says": stimuli_sentence(subject, images, found),
        "picture_array": stimuli_sheet(subject, images, found, channels),
    }  # fmt: skip


def wanted_block(
    subject: AnalysisTarget, layer: str, channels: list[int], way: tuple[int, int], report: Progress
) -> Block:
    """What some channels of a layer want."""
    real, names = some_images(subject), [f"channel {channel}" for channel in channels]
    wanted = maximise_channels(
        subject.model, layer, channels, subject.space, optimisation_settings(subject, *way), report
    )
    if len(real):
        wanted = wanted.with_data_maximum(channel_maxima(subject.model, layer, subject.batches(real)))
    return {
        "kind": "maximise", "layer": layer, "title": f"{layer}: feature visualisations",
        "says": maximised_sentence(wanted), "picture_array": maximised_sheet(subject, real, wanted, names),
    }  # fmt: skip


def maps_block(subject: AnalysisTarget, images: ImageSet, layer: str, channels: list[int]) -> Block:
    """What some channels of a layer answer to a few images."""
    found = activations(subject.model, subject.input(images), [layer])[layer]
    return {
        "kind": "activations", "layer": layer, "title": f"{layer}: activation maps",
        "says": f"{100 * found.empty.mean():.0f} % of its {found.empty.shape[1]} channels are empty for an image on "
        f"average; a map has {found.maps.shape[2]} x {found.maps.shape[3]} places.",
        "picture_array": channel_maps_sheet(subject, images, found, channels),
    }  # fmt: skip


def where_block(subject: AnalysisTarget, images: ImageSet, look_for_mistakes: bool = True) -> Block:
    """Where the network looks in its surest mistakes among images, or in the first where it makes none."""
    wrong = mistakes(subject, images)[:LOOKED_AT] if look_for_mistakes else []
    chosen = images.select(wrong) if wrong else images.select(np.arange(min(LOOKED_AT, len(images))))
    x, answers = subject.input(chosen), probabilities(subject, chosen)
    layer = attribution_layer(subject.model, x)
    maps = [class_map(subject.model, x, layer, torch.from_numpy(subject.task.predicted_class(answers)), "grad_cam")]
    result = (
        f"the {len(wrong)} surest mistakes"
        if len(wrong) > 1
        else "the one mistake"
        if wrong
        else f"{len(chosen)} images"
    )
    result += "; no mistakes were found" if look_for_mistakes and not wrong else ""
    return {
        "kind": "attribution", "layer": layer, "title": f"{layer}: attribution maps",
        "says": f"Grad-CAM of {result}: do they lie on the object, or on its context?",
        "picture_array": attribution_sheet(subject, chosen, answers, maps),
    }  # fmt: skip


def _page(subject: AnalysisTarget, blocks: list[Block]) -> Any:
    def write(path: Path) -> None:
        section = rendered("section.html", blocks=blocks, full=True)
        atomic_write(path, rendered("hierarchy.html", name=subject.name, section=section).encode())

    return write


def _section(blocks: list[Block]) -> Any:
    def write(path: Path) -> None:
        atomic_write(path, rendered("section.html", blocks=blocks, full=True).encode())

    return write


def rendered(template: str, **content: Any) -> str:
    """A page or section from a template beside this file."""
    with extra("report", "explain hierarchy"):
        from jinja2 import Environment, PackageLoader, select_autoescape

    environment = Environment(loader=PackageLoader("convscope.analysis", "."), autoescape=select_autoescape())
    return environment.get_template(template).render(**content)
