"""Drawing of activation maps and of kernels."""

import numpy as np

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import INK, beside, headed, image_tile, sized, squared, table, titled
from convscope.analysis.selection import chosen_channels
from convscope.analysis.target import AnalysisTarget
from convscope.explainers import Activations, Filters, grid, kernel_tile, map_tile

CHANNELS = 64  # on a sheet
KERNEL_CHANNELS = 8  # of a deep kernel that are drawn


def activation_sheet(
    subject: AnalysisTarget, images: ImageSet, place: int, found: Activations, wanted: tuple[int, ...] = ()
) -> np.ndarray:
    """One image, and what each channel of a layer answers to it."""
    maps, empty = found.maps[place], found.empty[place]
    channels = chosen_channels(found.layer, len(maps), wanted, CHANNELS)
    side = 96 if len(channels) <= 32 else 72
    whole = float(np.abs(maps).max()) if maps[0].size == 1 else None  # a single place has no scale of its own
    tiles = [sized(map_tile(maps[channel], whole), side) for channel in channels]
    sheet = grid(tiles, [str(channel) for channel in channels], columns=8, marked=[bool(empty[c]) for c in channels])
    image = image_tile(images.select([place]).pixels()[0].numpy(), 160)
    labelled = headed(image, [(subject.class_name(int(images.targets[place])) or images.names[place], "label", INK)])
    some = "" if len(channels) == len(maps) else f", {len(channels)} of them shown"
    title = f"{found.layer}: {len(maps)} channels of {maps.shape[1]} x {maps.shape[2]}{some}; {int(empty.sum())} empty"
    scale = "its own scale" if whole is None else "the layer's scale"
    note = f"{images.names[place]}. Each tile is on {scale}, from black (or blue, below zero) up; crossed out: empty."
    return titled(beside([labelled, sheet]), title, note)


def channel_maps_sheet(
    subject: AnalysisTarget, images: ImageSet, found: Activations, channels: list[int]
) -> np.ndarray:
    """A row for each image: the image, then what some channels of a layer answer to it."""
    rows, pixels = [], images.pixels().numpy()
    for place, name in enumerate(images.names):
        whole = float(np.abs(found.maps[place]).max()) if found.maps[place, 0].size == 1 else None
        maps = [squared(map_tile(found.maps[place, channel], whole), 96) for channel in channels]
        empty = [" empty" if found.empty[place, channel] else "" for channel in channels]
        called = subject.class_name(int(images.targets[place]))
        rows.append((
            f"{name}{': ' if called else ''}{called}",
            [image_tile(pixels[place], 96), *maps],
            ["image", *(f"channel {channel}{gone}" for channel, gone in zip(channels, empty, strict=True))],
        ))  # fmt: skip
    own = "its own scale" if found.maps[0, 0].size > 1 else "the layer's scale"
    note = f"Each tile is on {own}, from black (or blue, below zero) up."
    return titled(table(rows), f"{found.layer}: what {len(channels)} of its channels answer", note)


def filter_sheet(found: Filters, wanted: tuple[int, ...] = ()) -> np.ndarray:
    """Kernels with ids and smoothness."""
    count, depth = found.weights.shape[:2]
    channels = chosen_channels(found.layer, count, wanted, CHANNELS)
    strongest = np.arange(depth)
    if depth not in (1, 3):
        energy = (found.weights**2).sum((0, 2, 3))
        strongest = np.sort(np.argsort(-energy, kind="stable")[:KERNEL_CHANNELS])
    tiles = [_kernel(found.weights[channel, strongest]) for channel in channels]
    scores = None if found.smoothness is None else found.smoothness.scores
    names = [f"{c}" if scores is None else f"{c}: {scores[c]:.2f}" for c in channels]
    columns = 8 if tiles[0].shape[1] <= 120 else 1
    sheet = grid(tiles, names, columns=columns, marked=[c in found.dead for c in channels])
    note = (
        "Zero is mid-grey. Above each: its id and smoothness, 1 even, 0 random, -1 a checkerboard; crossed out: dead."
    )
    if depth not in (1, 3):
        note += f" Input channels side by side: {', '.join(map(str, strongest))}, the strongest of {depth}."
    return titled(sheet, f"{found.layer}: {count} kernels of {found.weights.shape[2]} x {found.weights.shape[3]}", note)


def _kernel(kernel: np.ndarray) -> np.ndarray:
    picture = kernel_tile(kernel)
    return sized(picture, 72 * (1 if len(kernel) in (1, 3) else len(kernel)))


def filter_sentence(found: Filters) -> str:
    """What the kernels say about the training."""
    count, smooth = len(found.weights), found.smoothness
    message = (
        f"{found.layer}: {len(found.dead)} dead, {len(found.duplicates)} pairs of duplicates among {count} kernels"
    )
    if smooth is None:
        return message
    noisy = len(smooth.noisy)
    return (
        f"{message}; smoothness {smooth.scores.mean():.2f} on average (random ones {smooth.random_mean:.2f}), "
        f"{noisy} of {count} no smoother than random ones"
    )
