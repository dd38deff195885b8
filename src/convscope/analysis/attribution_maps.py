"""Attribution maps by name, and their drawing over images."""

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
WORDS = {
    "grad_cam": "Grad-CAM", "grad_cam_plus_plus": "Grad-CAM++", "hires_cam": "HiResCAM", "layer_cam": "LayerCAM",
    "integrated_gradients": "integrated", "input_gradients": "gradients",
}  # fmt: skip
LINE = (60, 220, 120)
COARSE = 16  # positions a side of a drawn map
FINEST = 112  # positions a side of a map whose numbers are sent to a page
DIGITS = 6  # of those numbers


def attribution_sheet(
    subject: AnalysisTarget,
    images: ImageSet,
    answers: np.ndarray,
    maps: list[Attribution],
    objects: np.ndarray | None = None,
) -> np.ndarray:
    """Each image beside its maps, under what it is and what it was taken for; `objects` (N, H, W) are outlined."""
    pixels, rows, predicted = images.pixels().numpy(), [], subject.task.predicted_class(answers)
    layers = list(dict.fromkeys(one.layer for one in maps if one.layer))
    for place, name in enumerate(images.names):
        truth, answer = subject.class_name(int(images.targets[place])), subject.class_name(int(predicted[place]))
        followed = subject.class_name(int(maps[0].targets[place]))
        label = f"{name}: predicted {answer}, {100 * answers[place, predicted[place]]:.0f} %"
        label += f" (is {truth})" if truth and truth != answer else ""
        label += f"; maps for {followed}" if followed != answer else ""
        drawn = [overlay(pixels[place], _drawn(one.maps[place])) for one in maps]
        tiles = [image_tile(pixels[place], SIDE), *(squared(picture, SIDE) for picture in drawn)]
        if objects is not None:
            tiles = [outlined(one, objects[place]) for one in tiles]
        heads = ["image", *(_head(one, place, len(layers) > 1) for one in maps)]
        rows.append((label, tiles, heads))
    note = (
        "Positive (bright/red) values support the class, negative (blue) oppose it. Maps show where, not why; "
        "do not trust maps that disagree. Each map is on its own scale."
    ) + ("" if objects is None else " Green line: the object of the class in the data.")
    at = f", at {layers[0]}" if len(layers) == 1 else ""
    return titled(table(rows), f"Attribution maps of {subject.name}{at}", note)


def outlined(picture: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """A square tile with a line around an object (H, W) of the image in it."""
    grown = squared(np.repeat(255 * inside.astype(np.uint8)[..., None], 3, axis=2), len(picture))[..., 0] > 127
    blank = squared(np.zeros((*inside.shape, 3), np.uint8), len(picture))[..., 0] > 0  # beside an oblong image
    grown &= ~blank
    within = grown.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            within &= np.roll(grown, step, axis)
    marked = picture.copy()
    marked[grown & ~within] = LINE
    return marked


def heat_tiles(
    images: ImageSet, maps: Sequence[Attribution], size: tuple[int, int]
) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Maps to lay over images, (H, W, 4) with opacity by strength, and the numbers of each."""
    tiles, rows = {}, []
    for index, image in enumerate(images.names):
        for place, one in enumerate(maps):
            values, name = one.maps[index], f"heat.{index}.{place}"
            tiles[name] = _transparent(enlarge(values[None], size)[0])
            rows.append({
                "image": image, "method": one.method, "layer": one.layer, "class": int(one.targets[index]),
                "low": float(values.min()), "high": float(values.max()), "picture": name, **_coarse(values),
            })  # fmt: skip
    return tiles, rows


def _coarse(values: np.ndarray) -> dict[str, Any]:
    """A map's numbers, at no more positions than are worth sending."""
    scale = max(1, -(-max(values.shape) // FINEST))
    height, width = (length // scale * scale for length in values.shape)
    cells = values[:height, :width].reshape(height // scale, scale, width // scale, scale).mean((1, 3))
    return {"height": cells.shape[0], "width": cells.shape[1], "map": np.round(cells.astype(np.float64), DIGITS)}


def _transparent(heat: np.ndarray) -> np.ndarray:
    top = float(np.abs(heat).max())
    opacity = (np.abs(heat) / top if top > 0 else np.zeros(heat.shape)) * 255
    return np.concatenate([map_tile(heat), opacity.round().astype(np.uint8)[..., None]], 2)


def _drawn(values: np.ndarray) -> np.ndarray:
    """A map as it is drawn: pixel by pixel it would be dust, so fine ones are averaged to 16 places a side."""
    shrink = COARSE / max(values.shape)
    if shrink >= 1:
        return values
    size = max(1, round(values.shape[1] * shrink)), max(1, round(values.shape[0] * shrink))
    small = Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BOX)
    return np.asarray(small)


def _head(found: Attribution, place: int, several: bool) -> str:
    """A map's name, saying where it is even: nothing there spoke for the class."""
    even = np.ptp(found.maps[place]) == 0
    return words(found.method) + (f" {found.layer}" if several and found.layer else "") + (": none" if even else "")


def words(method: str) -> str:
    """A method's name for people."""
    return WORDS.get(method, method.replace("_", " "))


def agreement(maps: list[Attribution]) -> tuple[str, ...]:
    """Whether the kinds of maps agree on the peak's place."""
    if len(maps) < 2:
        return ()
    peaks = [_peaks(one) for one in maps]
    near = [float((np.abs(peaks[0] - other).max(1) <= 0.25).mean()) for other in peaks[1:]]
    first = f"{words(maps[0].method)} {maps[0].layer}".strip()
    return tuple(
        f"{first} and {words(other.method)} {other.layer}".strip()
        + f" peak within a quarter of the image of each other in {100 * share:.0f} % of the images"
        for other, share in zip(maps[1:], near, strict=True)
    )


def _peaks(found: Attribution) -> np.ndarray:
    """(B, 2) row and column of each map's largest value, as shares of the image."""
    height, width = found.maps.shape[1:]
    rows, columns = np.unravel_index(found.maps.reshape(len(found.maps), -1).argmax(1), (height, width))
    return np.stack([(rows + 0.5) / height, (columns + 0.5) / width], 1)


def chosen_maps(
    subject: AnalysisTarget, methods: Sequence[str], layers: Sequence[str], channels: Sequence[int], x: Tensor
) -> list[tuple[str, str]]:
    """Kinds of maps with their layers, "" for those of the image itself.

    Class maps need a layer with places, and alone have channels: where there are none, or where channels are named,
    the kinds that do not fit are left out.

    Raises:
        ConfigError: none is left.
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
        raise ConfigError(f"channels: {named} are of the image and have none; choose {', '.join(WEIGHTINGS)}")
    jobs = {one: [(one, layer) for layer in layers] for one in of_layers} | {one: [(one, "")] for one in of_image}
    return [job for one in methods if one in jobs for job in jobs[one]]


def target_class(subject: AnalysisTarget, name: str) -> int:
    """The index of a class.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in subject.classes:
        raise ConfigError(f"target: no class {name}{did_you_mean(name, subject.classes or ('none',))}")
    return subject.classes.index(name)


def attribution(
    model: nn.Module,
    x: Tensor,
    kind: tuple[str, str],
    targets: Tensor,
    channels: Sequence[int] = (),
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Attribution:
    """One kind of map at one layer, with windows that suit the images' size."""
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
