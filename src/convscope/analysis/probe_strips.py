"""How the maps of a few fixed images changed while the network learned, from what training kept in ``probes/``."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from convscope.analysis.layout import INK, SOFT, beside, font, headed, image_tile, sized, titled
from convscope.analysis.target import AnalysisTarget
from convscope.errors import ConfigError, RunError
from convscope.explain import Snapshots, strip, write_gif

EPOCHS = 12  # columns of a strip, evenly chosen
SIDE = 48


def kept_layers(kept: dict[str, Any], layers: tuple[str, ...]) -> tuple[str, ...]:
    """The layers that the user named, or all whose maps were kept.

    Raises:
        RunError: a layer whose maps were not kept.
    """
    for layer in layers:
        if layer not in kept["layers"]:
            raise RunError(
                f"layer {layer}: its maps were not kept while training; choose one of {_listed(kept['layers'])}"
            )
    return layers or tuple(kept["layers"])


def chosen_probes(subject: AnalysisTarget, probe: int | None, images: tuple[str, ...], names: list[str]) -> list[int]:
    """The probes that the user named by number, by name or by class; else all."""
    count = len(names)
    if probe is not None and probe >= count:
        raise RunError(f"probe: no {probe} of {count} probe images; choose from 0 to {count - 1}")
    if probe is not None:
        return [probe]
    if not images:
        return list(range(count))
    found = subject.read("validation")
    classes = [subject.class_name(int(found.targets[found.names.index(n)])) if n in found.names else "" for n in names]
    for word in images:
        if word not in (*names, *classes):
            raise ConfigError(f"images: no probe image or class {word}; choose one of {_listed(names)}")
    return [i for i in range(count) if names[i] in images or classes[i] in images]


def some_channels(found: Snapshots, wanted: tuple[int, ...]) -> Snapshots:
    """The maps of the channels that the user named, or of all.

    Raises:
        ConfigError: a channel whose maps were not kept.
    """
    kept = found.channels.tolist()
    for channel in wanted:
        if channel not in kept:
            raise ConfigError(
                f"channels: {channel} of layer {found.layer} was not kept while training; choose from {_listed(kept)}"
            )
    places = [kept.index(channel) for channel in wanted] or list(range(len(kept)))
    return replace(found, channels=found.channels[places], maps=found.maps[:, :, places])


def _listed(words: Iterable[object]) -> str:
    return ", ".join(map(str, words))


def probes_of(folder: Path) -> dict[str, Any]:
    """The names of the probe images and of the layers.

    Raises:
        RunError: the training kept none.
    """
    try:
        content: dict[str, Any] = json.loads((folder / "probes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RunError(
            f"{folder}: no probes were kept; train anew with train.probes of at least 1 (a network of maps, not an mlp)"
        ) from None
    return content


def animation(found: Snapshots, probe: int) -> Callable[[Path], None]:
    """What writes a probe's maps as an animation, a frame per epoch."""

    def write(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_gif(found, path, probe, scale=max(1, 48 // max(found.maps.shape[3:])))

    return write


def strip_sheet(subject: AnalysisTarget, found: Snapshots, probe: int, name: str) -> np.ndarray:
    """One probe's strip, beside the image, with channels and epochs written on."""
    chosen = np.unique(np.linspace(0, len(found.epochs) - 1, min(EPOCHS, len(found.epochs))).astype(int))
    few = replace(found, epochs=found.epochs[chosen], maps=found.maps[chosen])
    _, _, channels, height, width = few.maps.shape
    scale, gap = max(1, SIDE // max(height, width)), 2
    tiles = strip(few, probe, gap).reshape(channels, height + gap, len(chosen), width + gap)[:, :height, :, :width]
    tiles = tiles.repeat(scale, 1).repeat(scale, 3)  # the gap stays narrow where maps are small
    tiles = np.pad(tiles, ((0, 0), (0, 4), (0, 0), (0, 4)), constant_values=255)
    grey = tiles.reshape(channels * tiles.shape[1], -1)
    picture = np.repeat(grey[..., None], 3, axis=2)
    labelled = _labelled(picture, found.channels.tolist(), few.epochs.tolist())
    parts = [labelled]
    images = subject.read("validation")
    if name in images.names:
        image = image_tile(images.select([images.names.index(name)]).pixels()[0].numpy(), 120)
        parts.insert(0, headed(sized(image, 120), [("probe image", "label", SOFT)]))
    title = f"{found.layer}, epoch {few.epochs[0]} to {few.epochs[-1]}: {channels} channels"
    note = f"{name}. A row is a channel, a column an epoch; brightness is on one scale along a row."
    return titled(beside(parts), title, note)


def _labelled(picture: np.ndarray, channels: list[int], epochs: list[int]) -> np.ndarray:
    """Epoch numbers above, channel ids at the left."""
    from PIL import Image, ImageDraw

    left, top = 34, 18
    canvas = Image.new("RGB", (picture.shape[1] + left, picture.shape[0] + top), (255, 255, 255))
    canvas.paste(Image.fromarray(picture), (left, top))
    pen, letters = ImageDraw.Draw(canvas), font("label")
    across, down = picture.shape[1] / len(epochs), picture.shape[0] / len(channels)
    for place, epoch in enumerate(epochs):
        pen.text((left + across * place + 2, 2), str(epoch), fill=SOFT, font=letters)
    for place, channel in enumerate(channels):
        pen.text((2, top + down * place + 2), str(channel), fill=INK, font=letters)
    return np.asarray(canvas)


def settled_epoch(found: Snapshots) -> str:
    """From which epoch on the maps move less than a tenth of what they moved at most."""
    changes = np.array(found.to_json()["mean_change"])
    if len(changes) < 2 or changes.max() <= 0:
        return f"{found.layer}: {len(found.epochs)} epochs kept"
    moving = np.flatnonzero(changes > 0.1 * changes.max())
    after = int(found.epochs[moving[-1] + 1])
    if after == int(found.epochs[-1]):
        return f"{found.layer}: its maps still change in the last epoch"
    return f"{found.layer}: its maps hardly change after epoch {after} of {int(found.epochs[-1])}"
