"""Where the network looks: heat maps over images."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from convscope.analysis.images import ImageSet
from convscope.analysis.layout import image_tile, squared, table, titled
from convscope.analysis.result import Findings
from convscope.analysis.selection import attribution_layer, chosen_images, chosen_layers, probabilities
from convscope.analysis.settings import AttributionSettings, PointingSettings, SanitySettings
from convscope.analysis.target import AnalysisTarget
from convscope.errors import ConfigError, did_you_mean
from convscope.explain import (
    WEIGHTINGS,
    Attribution,
    NoiseSettings,
    OcclusionSettings,
    class_map,
    input_gradients,
    integrated_gradients,
    occlusion,
    overlay,
    smooth_grad,
)
from convscope.progress import Progress

SIDE = 132
METHOD_NAMES = {
    "grad_cam": "Grad-CAM", "grad_cam_plus_plus": "Grad-CAM++", "hires_cam": "HiResCAM", "layer_cam": "LayerCAM",
    "integrated_gradients": "integrated", "input_gradients": "gradients",
}  # fmt: skip
LINE = (60, 220, 120)
COARSE = 16  # places a side of a drawn map


def attribution_maps(subject: AnalysisTarget, settings: AttributionSettings, on_progress: Progress) -> Findings:
    """One sheet: a row for each image, a column for each kind of map and layer."""
    images = chosen_images(subject, settings.images, settings.split, settings.each, settings.most, settings.seed)
    x, answers = subject.input(images), probabilities(subject, images)
    said = subject.task.predicted_class(answers)
    targets = torch.from_numpy(said) if settings.target is None else _target(subject, settings.target, len(x))
    jobs = chosen_maps(subject, settings, x)
    maps: list[Attribution] = []
    for place, job in enumerate(jobs):
        maps.append(attribution(subject.model, x, job, targets, settings, _part(on_progress, place, len(jobs))))
    numbers = {
        "images": images.names,
        "truth": [subject.class_name(int(target)) for target in images.targets],
        "answers": [subject.class_name(int(answer)) for answer in said],
        "confidence": answers[np.arange(len(said)), said],
        "maps": [one.to_json() for one in maps],
    }
    objects = None if images.object_masks is None else images.masks_of(targets.numpy())
    return Findings({"where": attribution_sheet(subject, images, answers, maps, objects)}, numbers, _sentences(maps))


def attribution_sheet(
    subject: AnalysisTarget,
    images: ImageSet,
    answers: np.ndarray,
    maps: list[Attribution],
    objects: np.ndarray | None = None,
) -> np.ndarray:
    """Each image beside its maps, under what it is and what it was taken for; `objects` (N, H, W) are outlined."""
    pixels, rows, said = images.pixels().numpy(), [], subject.task.predicted_class(answers)
    layers = list(dict.fromkeys(one.layer for one in maps if one.layer))
    for place, name in enumerate(images.names):
        truth, answer = subject.class_name(int(images.targets[place])), subject.class_name(int(said[place]))
        followed = subject.class_name(int(maps[0].targets[place]))
        label = f"{name}: answered {answer}, {100 * answers[place, said[place]]:.0f} %"
        label += f" (is {truth})" if truth and truth != answer else ""
        label += f"; maps for {followed}" if followed != answer else ""
        drawn = [overlay(pixels[place], _drawn(one.maps[place])) for one in maps]
        tiles = [image_tile(pixels[place], SIDE), *(squared(picture, SIDE) for picture in drawn)]
        if objects is not None:
            tiles = [outlined(one, objects[place]) for one in tiles]
        heads = ["image", *(_head(one, place, len(layers) > 1) for one in maps)]
        rows.append((label, tiles, heads))
    note = (
        "Bright (or red): speaks for the class; blue: speaks against it. Maps show where, not why; "
        "those that disagree are no reason for trust. Each map is on its own scale."
    ) + ("" if objects is None else " Green line: where the data mark the class.")
    at = f", at {layers[0]}" if len(layers) == 1 else ""
    return titled(table(rows), f"Where {subject.name} looks{at}", note)


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
    return (
        method_name(found.method) + (f" {found.layer}" if several and found.layer else "") + (": none" if even else "")
    )


def method_name(method: str) -> str:
    """A method's name for people."""
    return METHOD_NAMES.get(method, method.replace("_", " "))


def _sentences(maps: list[Attribution]) -> tuple[str, ...]:
    """Whether the kinds of maps agree on the peak's place."""
    if len(maps) < 2:
        return ()
    peaks = [_peaks(one) for one in maps]
    near = [float((np.abs(peaks[0] - other).max(1) <= 0.25).mean()) for other in peaks[1:]]
    first = f"{method_name(maps[0].method)} {maps[0].layer}".strip()
    return tuple(
        f"{first} and {method_name(other.method)} {other.layer}".strip()
        + f" peak within a quarter of the image of each other in {100 * share:.0f} % of the images"
        for other, share in zip(maps[1:], near, strict=True)
    )


def _peaks(found: Attribution) -> np.ndarray:
    """(B, 2) row and column of each map's largest value, as shares of the image."""
    height, width = found.maps.shape[1:]
    rows, columns = np.unravel_index(found.maps.reshape(len(found.maps), -1).argmax(1), (height, width))
    return np.stack([(rows + 0.5) / height, (columns + 0.5) / width], 1)


def chosen_maps(
    subject: AnalysisTarget, settings: AttributionSettings | SanitySettings | PointingSettings, x: Tensor
) -> list[tuple[str, str]]:
    """Kinds of maps with their layers, "" for those of the image itself.

    Class maps need a layer with places, and alone have channels: where there are none, or where channels are named,
    the kinds that do not fit are left out.

    Raises:
        ConfigError: none is left.
    """
    layers = chosen_layers(subject, settings.layers, x) if settings.layers else (attribution_layer(subject.model, x),)
    of_layers = [how for how in settings.how if how in WEIGHTINGS and layers != ("",)]
    of_image = [how for how in settings.how if how not in WEIGHTINGS and not settings.channels]
    if not of_layers and layers == ("",) and not of_image:
        raise ConfigError(
            f"{subject.name}: no layer has maps; choose --how integrated_gradients, input_gradients, smooth_grad or "
            "occlusion"
        )
    if not of_layers and not of_image:
        asked = ", ".join(settings.how)
        raise ConfigError(f"channels: {asked} are of the image and have none; choose {', '.join(WEIGHTINGS)}")
    jobs = {how: [(how, layer) for layer in layers] for how in of_layers} | {how: [(how, "")] for how in of_image}
    return [job for how in settings.how if how in jobs for job in jobs[how]]


def _target(subject: AnalysisTarget, name: str, count: int) -> Tensor:
    if name not in subject.classes:
        raise ConfigError(f"target: no class {name}{did_you_mean(name, subject.classes or ('none',))}")
    return torch.full((count,), subject.classes.index(name))


def attributed(model: nn.Module, x: Tensor, how: str, layer: str, targets: Tensor, seed: int) -> Attribution:
    """One kind of map by its name; `layer` counts for those that are of a layer."""
    return attribution(model, x, (how, layer), targets, AttributionSettings(seed=seed))


def attribution(
    model: nn.Module,
    x: Tensor,
    kind: tuple[str, str],
    targets: Tensor,
    settings: AttributionSettings | SanitySettings | PointingSettings,
    on_progress: Progress | None = None,
) -> Attribution:
    """One kind of map at one layer, with windows that suit the images' size."""
    how, layer = kind
    if how in WEIGHTINGS:
        found = class_map(model, x, layer, targets, how, settings.channels)
        if on_progress:
            on_progress(1, 1)
        return found
    if how == "occlusion":
        window = max(1, min(x.shape[2:]) // 5)
        method_settings = OcclusionSettings(window=window, stride=max(1, window // 2))
        return occlusion(model, x, targets, method_settings, on_progress)
    if how == "smooth_grad":
        return smooth_grad(model, x, targets, NoiseSettings(seed=settings.seed), on_progress)
    if how == "integrated_gradients":
        return integrated_gradients(model, x, targets, on_progress=on_progress)
    return input_gradients(model, x, targets)


def _part(on_progress: Progress, before: int, whole: int) -> Progress:
    """One job's progress among all, each counted as a hundred."""
    return lambda done, of: on_progress(100 * before + round(100 * done / (of or 1)), 100 * whole)
