"""Attribution maps by method, and their figures over images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor, nn

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import image_tile, squared, table, titled
from convscope.analysis.selection import attribution_layer, chosen_layers
from convscope.analysis.target import AnalysisTarget
from convscope.errors import ConfigError, did_you_mean
from convscope.explainers import (
    WEIGHTINGS,
    Attribution,
    NoiseSettings,
    OcclusionSettings,
    class_map,
    enlarge,
    input_gradients,
    integrated_gradients,
    map_tile,
    occlusion,
    overlay,
    smooth_grad,
)
from convscope.progress import Progress

SIDE = 132
DISPLAY_NAMES = {
    "grad_cam": "Grad-CAM", "grad_cam_plus_plus": "Grad-CAM++", "hires_cam": "HiResCAM", "layer_cam": "LayerCAM",
    "integrated_gradients": "integrated", "input_gradients": "gradients",
}  # fmt: skip
OUTLINE = (60, 220, 120)
DRAWN_SIDE = 16  # positions per side of a drawn map
MAX_SIDE = 112  # positions per side of a map whose values are sent to the page
DIGITS = 6  # decimals of these values


def attribution_sheet(
    subject: AnalysisTarget,
    images: ImageSet,
    scores: np.ndarray | None,
    maps: list[Attribution],
    objects: np.ndarray | None = None,
    against: str | None = None,
) -> np.ndarray:
    """Draw each image next to its maps, with its class and prediction; `objects` (N, H, W) are outlined.

    `scores` are the class probabilities (N, K); None if the task has no classes. `against` is the answer whose
    score was subtracted.
    """
    pixels, rows = images.pixels().numpy(), []
    layers = list(dict.fromkeys(one.layer for one in maps if one.layer))
    for index, name in enumerate(images.names):
        truth, explained = int(images.targets[index]), int(maps[0].targets[index])
        label = _caption(subject, name, truth, explained, None if scores is None else scores[index])
        label += f", not {against}" if against else ""
        drawn = [overlay(pixels[index], _drawn(one.maps[index])) for one in maps]
        tiles = [
            image_tile(pixels[index], SIDE, subject.shown_channels),
            *(squared(picture, SIDE) for picture in drawn),
        ]
        if objects is not None:
            tiles = [outlined(one, objects[index]) for one in tiles]
        headings = ["image", *(_heading(one, index, len(layers) > 1) for one in maps)]
        rows.append((label, tiles, headings))
    note = (
        "Positive (bright/red) values support the class, negative (blue) oppose it. Maps show which positions "
        "matter, not why; "
        "do not trust maps that disagree. Each map is on its own scale."
    ) + ("" if objects is None else " Green line: the annotated object of the class.")
    at = f", at {layers[0]}" if len(layers) == 1 else ""
    return titled(table(rows), f"Attribution maps of {subject.name}{at}", note)


def _caption(subject: AnalysisTarget, name: str, truth: int, explained: int, scores: np.ndarray | None) -> str:
    if scores is None:
        return f"{name}: maps for {subject.answer_name(explained)}"
    predicted = int(subject.task.predicted_class(scores[None])[0])
    label, true_name = f"{name}: predicted {subject.class_name(predicted)}", subject.class_name(truth)
    label += f", {100 * scores[predicted]:.0f} %"
    label += f" (label {true_name})" if true_name and truth != predicted else ""
    return label + (f"; maps for {subject.answer_name(explained)}" if explained != predicted else "")


def outlined(picture: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Draw the outline of an object (H, W) on a square tile of its image."""
    mask = squared(np.repeat(255 * inside.astype(np.uint8)[..., None], 3, axis=2), len(picture))[..., 0] > 127
    blank = squared(np.zeros((*inside.shape, 3), np.uint8), len(picture))[..., 0] > 0  # padding of an oblong image
    mask &= ~blank
    interior = mask.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            interior &= np.roll(mask, step, axis)
    drawn = picture.copy()
    drawn[mask & ~interior] = OUTLINE
    return drawn


def heat_tiles(
    images: ImageSet, maps: Sequence[Attribution], size: tuple[int, int]
) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Return maps as overlays (H, W, 4), with opacity by magnitude, and the values of each."""
    tiles, rows = {}, []
    for index, image in enumerate(images.names):
        for map_index, one in enumerate(maps):
            values, name = one.maps[index], f"heat.{index}.{map_index}"
            tiles[name] = _transparent(enlarge(values[None], size)[0])
            rows.append({
                "image": image, "method": one.method, "layer": one.layer, "class": int(one.targets[index]),
                "low": float(values.min()), "high": float(values.max()), "picture": name, **_pooled(values),
            })  # fmt: skip
    return tiles, rows


def _pooled(values: np.ndarray) -> dict[str, Any]:
    """Return a map's values, average-pooled to at most `MAX_SIDE` positions per side."""
    scale = max(1, -(-max(values.shape) // MAX_SIDE))
    height, width = (length // scale * scale for length in values.shape)
    cells = values[:height, :width].reshape(height // scale, scale, width // scale, scale).mean((1, 3))
    return {"height": cells.shape[0], "width": cells.shape[1], "map": np.round(cells.astype(np.float64), DIGITS)}


def _transparent(heat: np.ndarray) -> np.ndarray:
    top = float(np.abs(heat).max())
    opacity = (np.abs(heat) / top if top > 0 else np.zeros(heat.shape)) * 255
    return np.concatenate([map_tile(heat), opacity.round().astype(np.uint8)[..., None]], 2)


def _drawn(values: np.ndarray) -> np.ndarray:
    """Return a map as drawn: average-pooled to at most 16 positions per side, since single pixels are unreadable."""
    shrink = DRAWN_SIDE / max(values.shape)
    if shrink >= 1:
        return values
    size = max(1, round(values.shape[1] * shrink)), max(1, round(values.shape[0] * shrink))
    small = Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BOX)
    return np.asarray(small)


def _heading(found: Attribution, index: int, several: bool) -> str:
    """Return the heading of a map; a constant map has no evidence for the class."""
    is_constant = np.ptp(found.maps[index]) == 0
    return (
        display_name(found.method)
        + (f" {found.layer}" if several and found.layer else "")
        + (": none" if is_constant else "")
    )


def display_name(method: str) -> str:
    """Return the display name of a method."""
    return DISPLAY_NAMES.get(method, method.replace("_", " "))


def agreement(maps: list[Attribution]) -> tuple[str, ...]:
    """Report how often the peaks of the maps coincide."""
    if len(maps) < 2:
        return ()
    peaks = [_peaks(one) for one in maps]
    near = [float((np.abs(peaks[0] - other).max(1) <= 0.25).mean()) for other in peaks[1:]]
    first = f"{display_name(maps[0].method)} {maps[0].layer}".strip()
    return tuple(
        f"{first} and {display_name(other.method)} {other.layer}".strip()
        + f" peak within a quarter of the image of each other in {100 * share:.0f} % of the images"
        for other, share in zip(maps[1:], near, strict=True)
    )


def _peaks(found: Attribution) -> np.ndarray:
    """Return (B, 2) row and column of each map's maximum, as fractions of the image."""
    height, width = found.maps.shape[1:]
    rows, columns = np.unravel_index(found.maps.reshape(len(found.maps), -1).argmax(1), (height, width))
    return np.stack([(rows + 0.5) / height, (columns + 0.5) / width], 1)


def chosen_maps(
    subject: AnalysisTarget, methods: Sequence[str], layers: Sequence[str], channels: Sequence[int], x: Tensor
) -> list[tuple[str, str]]:
    """Return pairs of method and layer; "" for methods that attribute to pixels.

    Class maps need a layer with maps, and only they have channels: without such a layer, or with named channels,
    methods that do not apply are omitted.

    Raises:
        ConfigError: no method applies.
    """
    layers = chosen_layers(subject, layers, x) if layers else (attribution_layer(subject.model, x),)
    of_layers = [one for one in methods if one in WEIGHTINGS and layers != ("",)]
    of_image = [one for one in methods if one not in WEIGHTINGS and not channels]
    if not of_layers and layers == ("",) and not of_image:
        raise ConfigError(
            f"{subject.name}: no layer has maps; choose --method integrated_gradients, input_gradients, smooth_grad or "
            "occlusion"
        )
    if not of_layers and not of_image:
        named = ", ".join(methods)
        raise ConfigError(f"channels: {named} attribute to pixels and have no channels; choose {', '.join(WEIGHTINGS)}")
    jobs = {one: [(one, layer) for layer in layers] for one in of_layers} | {one: [(one, "")] for one in of_image}
    return [job for one in methods if one in jobs for job in jobs[one]]


def target_class(subject: AnalysisTarget, name: str) -> int:
    """Return the index of a class.

    Raises:
        ConfigError: no such class.
    """
    if name not in subject.classes:
        raise ConfigError(f"target: no class {name}{did_you_mean(name, subject.classes or ('none',))}")
    return subject.classes.index(name)


def target_answer(subject: AnalysisTarget, name: str, setting: str = "target") -> int:
    """Return the index of an answer: a class, a label, a number or the side of a box.

    Raises:
        ConfigError: no such answer.
    """
    if name not in subject.answer_names:
        raise ConfigError(f"{setting}: no answer {name}{did_you_mean(name, subject.answer_names or ('none',))}")
    return subject.answer_names.index(name)


def attribution(
    model: nn.Module,
    x: Tensor,
    kind: tuple[str, str],
    targets: Tensor,
    channels: Sequence[int] = (),
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Attribution:
    """Compute the maps of one method at one layer; occlusion windows scale with the image size."""
    name, layer = kind
    if name in WEIGHTINGS:
        found = class_map(model, x, layer, targets, name, tuple(channels))
        if on_progress:
            on_progress(1, 1)
        return found
    if name == "occlusion":
        window = max(1, min(x.shape[2:]) // 5)
        settings = OcclusionSettings(window=window, stride=max(1, window // 2))
        return occlusion(model, x, targets, settings, on_progress)
    if name == "smooth_grad":
        return smooth_grad(model, x, targets, NoiseSettings(seed=seed), on_progress)
    if name == "integrated_gradients":
        return integrated_gradients(model, x, targets, on_progress=on_progress)
    return input_gradients(model, x, targets)
