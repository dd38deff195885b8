"""One page from early to late layers: filters, top patches, feature visualisations, activation and attribution maps."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, Field

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

SECTION = "section.json"
PICTURE = r"^data:image/(png|jpeg);base64,[A-Za-z0-9+/=]*$"
FIRST_CHANNELS = 4  # per layer, in the report that training writes
FIRST_MACS = 2e10  # about a second on two cores
ATTRIBUTION_IMAGES = 6
LEAST_IMAGES = 64  # for meaningful top patches

Block = dict[str, Any]


class SectionBlock(BaseModel, frozen=True):
    """A picture with its heading and one sentence."""

    title: str
    description: str
    picture: str = Field(pattern=PICTURE)


class Section(BaseModel, frozen=True):
    """The content of the section as it is saved in the run folder: data, since a run may come from elsewhere.

    `full` is false for the first insights, which lack the optimised images.
    """

    blocks: list[SectionBlock]
    full: bool

    def html(self) -> str:
        """Render the section; everything in it is escaped."""
        return rendered("section.html", blocks=self.blocks, full=self.full)


def page(
    subject: AnalysisTarget,
    images: tuple[ImageSet, ImageSet | None],
    within: tuple[tuple[str, ...], tuple[int, ...], int],
    optimisation: tuple[int, int],
    on_progress: Progress,
) -> Findings:
    """Create the page ``hierarchy.html`` with its pictures.

    Args:
        subject: the network with its training images.
        images: those whose maps are shown, and the split to search for mistakes, or None.
        within: layers (() for all), channels (() for evenly spaced ones), and the number of channels per layer.
        optimisation: steps and seed of the optimised images.
        on_progress: called with the steps done and their total.
    """
    (shown, searched), (named, named_channels, count) = images, within
    sample = subject.input(sample_images(subject))
    layers = chosen_layers(subject, named, sample)
    blocks, numbers, pictures = [], [], {}
    blocks += _attempt(filters_block, subject)
    train = subject.read("train")
    for index, layer in enumerate(layers):
        width = width_of(subject.model, layer, sample)
        channels = chosen_channels(layer, width, named_channels, count)
        report = part_of(on_progress, index, len(layers))
        blocks += _attempt(stimuli_block, subject, train, layer, channels) if len(train) else []
        blocks += _attempt(maximise_block, subject, layer, channels, optimisation, report)
        blocks += _attempt(maps_block, subject, shown, layer, channels) if len(shown) else []
        numbers.append({"layer": layer, "channels": channels})
    if len(shown):
        candidates = shown if searched is None else searched
        blocks += _attempt(attribution_block, subject, candidates, searched is not None)
    for index, block in enumerate(blocks):
        pictures[f"{index:02d}.{block['kind']}.{block['layer']}"] = block.pop("picture_array")
    for block, picture in zip(blocks, pictures.values(), strict=True):
        block["picture"] = address(picture)
    summary = tuple(block["description"] for block in blocks)
    files = {"hierarchy.html": _page(subject, blocks), SECTION: _section(Section(blocks=blocks, full=True))}
    return Findings(pictures, {"layers": numbers}, summary, files)


def first_insights(subject: AnalysisTarget, macs: int, until: float, worst: ImageSet | None = None) -> Section:
    """Create the part of the page that is cheap, as a section of the report written right after training.

    Args:
        subject: the network and its images, of which as many are used as `FIRST_MACS` allows.
        macs: multiply-accumulates of one image's forward pass.
        until: deadline by `time.monotonic`; no block is started after it.
        worst: the mistakes of the validation split, worst first; None if they are not known.
    """
    affordable = max(LEAST_IMAGES, int(FIRST_MACS / max(macs, 1) / 4))  # three layers, and the mistakes
    train, validation = (_evenly(subject.read(split), affordable) for split in ("train", "validation"))
    blocks = _attempt(filters_block, subject)
    if len(validation) and time.monotonic() < until:
        blocks += _attempt(attribution_block, subject, validation, worst=worst)
    sample = subject.input(train, slice(0, 1))
    layers = chosen_layers(subject, (), sample)
    for layer in dict.fromkeys((layers[0], layers[len(layers) // 2], layers[-1])):
        if time.monotonic() < until:
            channels = chosen_channels(layer, width_of(subject.model, layer, sample), (), FIRST_CHANNELS)
            blocks += _attempt(stimuli_block, subject, train, layer, channels)
    blocks.sort(key=lambda block: block["kind"] == "attribution")
    for block in blocks:
        block["picture"] = address(block.pop("picture_array"))
    return Section(blocks=blocks, full=False)


def _evenly(images: ImageSet, most: int) -> ImageSet:
    return images.select(np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).astype(int)))


def _attempt(make: Any, *given: Any, **named: Any) -> list[Block]:
    """Return a block, or none if it does not apply: no convolution, no maps, no classes."""
    try:
        return [make(*given, **named)]
    except ConvscopeError:
        return []


def filters_block(subject: AnalysisTarget) -> Block:
    """Create the block of the first layer's kernels."""
    found = filters(subject.model, first_of(subject.model))
    return {
        "kind": "filters", "layer": found.layer, "title": f"{found.layer}: the first kernels",
        "description": filter_sentence(found), "picture_array": filter_sheet(found),
    }  # fmt: skip


def stimuli_block(subject: AnalysisTarget, images: ImageSet, layer: str, channels: list[int]) -> Block:
    """Create the block of the top activating patches of some channels."""
    found = stimuli(subject.model, layer, subject.batches(images))
    return {
        "kind": "stimuli", "layer": layer, "title": f"{layer}: top activating patches",
        "description": stimuli_sentence(subject, images, found),
        "picture_array": stimuli_sheet(subject, images, found, channels),
    }  # fmt: skip


def maximise_block(
    subject: AnalysisTarget, layer: str, channels: list[int], optimisation: tuple[int, int], report: Progress
) -> Block:
    """Create the block of feature visualisations of some channels."""
    real, names = some_images(subject), [f"channel {channel}" for channel in channels]
    optimised = maximise_channels(
        subject.model, layer, channels, subject.space, optimisation_settings(subject, *optimisation), report
    )
    if len(real):
        optimised = optimised.with_data_maximum(channel_maxima(subject.model, layer, subject.batches(real)))
    return {
        "kind": "maximise", "layer": layer, "title": f"{layer}: feature visualisations",
        "description": maximised_sentence(optimised), "picture_array": maximised_sheet(subject, real, optimised, names),
    }  # fmt: skip


def maps_block(subject: AnalysisTarget, images: ImageSet, layer: str, channels: list[int]) -> Block:
    """Create the block of activation maps of some channels for a few images."""
    found = activations(subject.model, subject.input(images), [layer])[layer]
    return {
        "kind": "activations", "layer": layer, "title": f"{layer}: activation maps",
        "description": f"{100 * found.empty.mean():.0f} % of its {found.empty.shape[1]} channels are empty per image "
        f"on average; a map has {found.maps.shape[2]} x {found.maps.shape[3]} positions.",
        "picture_array": channel_maps_sheet(subject, images, found, channels),
    }  # fmt: skip


def attribution_block(
    subject: AnalysisTarget, images: ImageSet, find_mistakes: bool = True, worst: ImageSet | None = None
) -> Block:
    """Create the block of attribution maps of the worst mistakes, or of the first images if there are none.

    Args:
        subject: the network.
        images: among which mistakes are searched, the most confident first.
        find_mistakes: whether to search them.
        worst: the mistakes of a whole split, worst first, if they are known; () means that there are none.
    """
    if worst is None:
        worst = images.select(mistakes(subject, images) if find_mistakes else [])
    wrong = range(min(len(worst), ATTRIBUTION_IMAGES))
    chosen = worst.select(wrong) if wrong else images.select(np.arange(min(ATTRIBUTION_IMAGES, len(images))))
    x, scores = subject.input(chosen), probabilities(subject, chosen)
    layer = attribution_layer(subject.model, x)
    maps = [class_map(subject.model, x, layer, torch.from_numpy(subject.task.predicted_class(scores)), "grad_cam")]
    result = (
        f"the {len(wrong)} worst mistakes"
        if len(wrong) > 1
        else "the only mistake"
        if wrong
        else f"{len(chosen)} images"
    )
    result += "; no mistakes were found" if find_mistakes and not wrong else ""
    return {
        "kind": "attribution", "layer": layer, "title": f"{layer}: attribution maps",
        "description": f"Grad-CAM of {result}: do the maps lie on the object, or on its context?",
        "picture_array": attribution_sheet(subject, chosen, scores, maps),
    }  # fmt: skip


def _page(subject: AnalysisTarget, blocks: list[Block]) -> Any:
    def write(path: Path) -> None:
        section = Section(blocks=blocks, full=True).html()
        atomic_write(path, rendered("hierarchy.html", name=subject.name, section=section).encode())

    return write


def _section(section: Section) -> Any:
    def write(path: Path) -> None:
        atomic_write(path, section.model_dump_json().encode())

    return write


def rendered(template: str, **content: Any) -> str:
    """Render a template of this package."""
    with extra("report", "explain hierarchy"):
        from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("convscope.analysis", "."), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    return environment.get_template(template).render(**content)
