"""Activation maps of the probe images over the epochs, recorded during training in ``probes/``."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from convscope.analysis.layout import INK, SOFT, beside, font, headed, image_tile, sized, titled
from convscope.analysis.target import AnalysisTarget
from convscope.errors import ConfigError, RunError
from convscope.explainers import Snapshots, strip, write_gif

EPOCHS = 12  # columns of a strip, evenly chosen
SIDE = 48


def recorded_layers(recorded: dict[str, Any], layers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the named layers, or all recorded ones.

    Raises:
        RunError: a layer whose maps were not recorded.
    """
    for layer in layers:
        if layer not in recorded["layers"]:
            raise RunError(
                f"layer {layer}: its maps were not recorded during training; "
                f"choose one of {_listed(recorded['layers'])}"
            )
    return layers or tuple(recorded["layers"])


def chosen_probes(subject: AnalysisTarget, probe: int | None, images: tuple[str, ...], names: list[str]) -> list[int]:
    """Return the probes named by number, name or class; all if none are named."""
    count = len(names)
    if probe is not None and probe >= count:
        raise RunError(f"probe: no {probe} of {count} probe images; choose from 0 to {count - 1}")
    if probe is not None:
        return [probe]
    if not images:
        return list(range(count))
    found = subject.read("validation")
    classes = [subject.class_name(int(found.targets[found.names.index(n)])) if n in found.names else "" for n in names]
    for text in images:
        if text not in (*names, *classes):
            raise ConfigError(f"images: no probe image or class {text}; choose one of {_listed(names)}")
    return [i for i in range(count) if names[i] in images or classes[i] in images]


def some_channels(found: Snapshots, named: tuple[int, ...]) -> Snapshots:
    """Return the maps of the named channels, or of all.

    Raises:
        ConfigError: a channel whose maps were not recorded.
    """
    recorded = found.channels.tolist()
    for channel in named:
        if channel not in recorded:
            raise ConfigError(
                f"channels: {channel} of layer {found.layer} was not recorded during training; "
                f"choose from {_listed(recorded)}"
            )
    indices = [recorded.index(channel) for channel in named] or list(range(len(recorded)))
    return replace(found, channels=found.channels[indices], maps=found.maps[:, :, indices])


def _listed(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))


def probes_of(folder: Path) -> dict[str, Any]:
    """Return the names of the probe images and of the layers.

    Raises:
        RunError: training recorded none.
    """
    try:
        content: dict[str, Any] = json.loads((folder / "probes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RunError(
            f"{folder}: no probes were recorded; train again with train.probes of at least 1 "
            "(a convolutional network, not an mlp)"
        ) from None
    return content


def animation(found: Snapshots, probe: int) -> Callable[[Path], None]:
    """Return a function that writes a probe's maps as an animation, a frame per epoch."""

    def write(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_gif(found, path, probe, scale=max(1, 48 // max(found.maps.shape[3:])))

    return write


def strip_sheet(subject: AnalysisTarget, found: Snapshots, probe: int, name: str) -> np.ndarray:
    """Draw one probe's strip next to its image, labelled with channels and epochs."""
    chosen = np.unique(np.linspace(0, len(found.epochs) - 1, min(EPOCHS, len(found.epochs))).astype(int))
    selected = replace(found, epochs=found.epochs[chosen], maps=found.maps[chosen])
    _, _, channels, height, width = selected.maps.shape
    scale, gap = max(1, SIDE // max(height, width)), 2
    tiles = strip(selected, probe, gap).reshape(channels, height + gap, len(chosen), width + gap)[:, :height, :, :width]
    tiles = tiles.repeat(scale, 1).repeat(scale, 3)  # keeps the gap narrow for small maps
    tiles = np.pad(tiles, ((0, 0), (0, 4), (0, 0), (0, 4)), constant_values=255)
    grey = tiles.reshape(channels * tiles.shape[1], -1)
    picture = np.repeat(grey[..., None], 3, axis=2)
    labelled = _labelled(picture, found.channels.tolist(), selected.epochs.tolist())
    parts = [labelled]
    images = subject.read("validation")
    if name in images.names:
        image = image_tile(images.select([images.names.index(name)]).pixels()[0].numpy(), 120, subject.shown_channels)
        parts.insert(0, headed(sized(image, 120), [("probe image", "label", SOFT)]))
    title = f"{found.layer}, epoch {selected.epochs[0]} to {selected.epochs[-1]}: {channels} channels"
    note = f"{name}. A row is a channel, a column an epoch; each row has its own brightness scale."
    return titled(beside(parts), title, note)


def _labelled(picture: np.ndarray, channels: list[int], epochs: list[int]) -> np.ndarray:
    """Write epochs above and channels on the left."""
    from PIL import Image, ImageDraw

    left, top = 34, 18
    canvas = Image.new("RGB", (picture.shape[1] + left, picture.shape[0] + top), (255, 255, 255))
    canvas.paste(Image.fromarray(picture), (left, top))
    pen, typeface = ImageDraw.Draw(canvas), font("label")
    across, down = picture.shape[1] / len(epochs), picture.shape[0] / len(channels)
    for index, epoch in enumerate(epochs):
        pen.text((left + across * index + 2, 2), str(epoch), fill=SOFT, font=typeface)
    for index, channel in enumerate(channels):
        pen.text((2, top + down * index + 2), str(channel), fill=INK, font=typeface)
    return np.asarray(canvas)


def settled_epoch(found: Snapshots) -> str:
    """Report the epoch after which the maps change less than a tenth of their largest change."""
    changes = np.array(found.to_json()["mean_change"])
    if len(changes) < 2 or changes.max() <= 0:
        return f"{found.layer}: {len(found.epochs)} epochs recorded"
    moving = np.flatnonzero(changes > 0.1 * changes.max())
    after = int(found.epochs[moving[-1] + 1])
    if after == int(found.epochs[-1]):
        return f"{found.layer}: its maps still change in the last epoch"
    return f"{found.layer}: its maps hardly change after epoch {after} of {int(found.epochs[-1])}"
