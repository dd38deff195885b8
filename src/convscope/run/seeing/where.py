"""Where the network looks, and whether its maps mean anything."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from convscope.errors import ConfigError, did_you_mean
from convscope.explain import (
    WEIGHTINGS,
    Attribution,
    Cascade,
    OcclusionSettings,
    Progress,
    cascade,
    class_map,
    input_gradients,
    integrated_gradients,
    occlusion,
    overlay,
    smooth_grad,
)
from convscope.run.seeing.choose import chosen_images, chosen_layers, probabilities, where_layer
from convscope.run.seeing.findings import Findings
from convscope.run.seeing.settings import SanityLook, WhereLook
from convscope.run.seeing.sheets import chart, shown, squared, table, titled
from convscope.run.seeing.subject import Images, Subject

SIDE = 132
WORDS = {
    "grad_cam": "Grad-CAM", "grad_cam_plus_plus": "Grad-CAM++", "hires_cam": "HiResCAM", "layer_cam": "LayerCAM",
    "integrated_gradients": "integrated", "input_gradients": "gradients",
}  # fmt: skip
COARSE = 32  # places a side of a drawn map
LEFT = 0.5  # correlation that random weights may leave: more, and the maps come from the image rather than the network


def see_where(subject: Subject, look: WhereLook, on_progress: Progress) -> Findings:
    """One sheet: a row for each image, a column for each kind of map and layer."""
    images = chosen_images(subject, look.images, look.split, look.each, look.most, look.seed)
    x, answers = subject.input(images), probabilities(subject, images)
    targets = torch.from_numpy(answers.argmax(1)) if look.target is None else _target(subject, look.target, len(x))
    layers = _layers(subject, look.layers, x)
    maps: list[Attribution] = []
    jobs = [(how, layer) for how in look.how for layer in (layers if how in WEIGHTINGS else ("",))]
    for done, (how, layer) in enumerate(jobs, 1):
        maps.append(attributed(subject.model, x, how, layer, targets, look.seed))
        on_progress(done, len(jobs))
    numbers = {
        "images": images.names,
        "truth": [subject.called(int(target)) for target in images.targets],
        "answers": [subject.called(int(answer)) for answer in answers.argmax(1)],
        "confidence": answers.max(1),
        "maps": [one.to_json() for one in maps],
    }
    return Findings({"where": where_sheet(subject, images, answers, maps)}, numbers, _sentences(maps))


def where_sheet(subject: Subject, images: Images, answers: np.ndarray, maps: list[Attribution]) -> np.ndarray:
    """Each image beside its maps, under what it is and what it was taken for."""
    pixels, rows = images.pixels().numpy(), []
    layers = list(dict.fromkeys(one.layer for one in maps if one.layer))
    for place, name in enumerate(images.names):
        truth, answer = subject.called(int(images.targets[place])), subject.called(int(answers[place].argmax()))
        followed = subject.called(int(maps[0].targets[place]))
        label = f"{name}: answered {answer}, {100 * answers[place].max():.0f} %"
        label += f" (is {truth})" if truth and truth != answer else ""
        label += f"; maps for {followed}" if followed != answer else ""
        tiles = [shown(pixels[place], SIDE)]
        tiles += [squared(overlay(pixels[place], _drawn(one.maps[place])), SIDE) for one in maps]
        heads = ["image", *(_head(one, place, len(layers) > 1) for one in maps)]
        rows.append((label, tiles, heads))
    note = (
        "Bright (or red): speaks for the class; blue: speaks against it. Maps show where, not why; "
        "those that disagree are no reason for trust. Each map is on its own scale."
    )
    at = f", at {layers[0]}" if len(layers) == 1 else ""
    return titled(table(rows), f"Where {subject.name} looks{at}", note)


def _drawn(values: np.ndarray) -> np.ndarray:
    """A map as it is drawn: pixel by pixel it would be dust, so fine ones are averaged to 32 places a side."""
    shrink = COARSE / max(values.shape)
    if shrink >= 1:
        return values
    size = max(1, round(values.shape[1] * shrink)), max(1, round(values.shape[0] * shrink))
    small = Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BOX)
    return np.asarray(small)


def _head(found: Attribution, place: int, several: bool) -> str:
    """A map's name, saying where it is even: nothing there spoke for the class."""
    even = np.ptp(found.maps[place]) == 0
    return _words(found.method) + (f" {found.layer}" if several and found.layer else "") + (": none" if even else "")


def _words(method: str) -> str:
    return WORDS.get(method, method.replace("_", " "))


def _sentences(maps: list[Attribution]) -> tuple[str, ...]:
    """Whether the kinds of maps agree on the peak's place."""
    if len(maps) < 2:
        return ()
    peaks = [_peaks(one) for one in maps]
    near = [float((np.abs(peaks[0] - other).max(1) <= 0.25).mean()) for other in peaks[1:]]
    first = f"{_words(maps[0].method)} {maps[0].layer}".strip()
    return tuple(
        f"{first} and {_words(other.method)} {other.layer}".strip()
        + f" peak within a quarter of the image of each other in {100 * share:.0f} % of the images"
        for other, share in zip(maps[1:], near, strict=True)
    )


def _peaks(found: Attribution) -> np.ndarray:
    """(B, 2) row and column of each map's largest value, as shares of the image."""
    height, width = found.maps.shape[1:]
    rows, columns = np.unravel_index(found.maps.reshape(len(found.maps), -1).argmax(1), (height, width))
    return np.stack([(rows + 0.5) / height, (columns + 0.5) / width], 1)


def _layers(subject: Subject, words: tuple[str, ...], x: Tensor) -> tuple[str, ...]:
    return chosen_layers(subject, words, x) if words else (where_layer(subject.model, x),)


def _target(subject: Subject, name: str, count: int) -> Tensor:
    if name not in subject.classes:
        raise ConfigError(f"target: no class {name}{did_you_mean(name, subject.classes or ('none',))}")
    return torch.full((count,), subject.classes.index(name))


def attributed(model: nn.Module, x: Tensor, how: str, layer: str, targets: Tensor, seed: int) -> Attribution:
    """One kind of map by its name; `layer` counts for those that are of a layer."""
    if how in WEIGHTINGS:
        return class_map(model, x, layer, targets, how)
    if how == "occlusion":
        window = max(1, min(x.shape[2:]) // 5)
        return occlusion(model, x, targets, OcclusionSettings(window=window, stride=max(1, window // 2)))
    if how == "smooth_grad":
        from convscope.explain import NoiseSettings

        return smooth_grad(model, x, targets, NoiseSettings(seed=seed))
    return {"input_gradients": input_gradients, "integrated_gradients": integrated_gradients}[how](model, x, targets)


def see_sanity(subject: Subject, look: SanityLook, on_progress: Progress) -> Findings:
    """How much of each kind of map is left when the weights are random, layer by layer from the output."""
    images = chosen_images(subject, look.images, look.split, look.each, look.most, look.seed)
    x = subject.input(images)
    targets = torch.from_numpy(probabilities(subject, images).argmax(1))
    layer = _layers(subject, look.layers, x)[-1]
    found: dict[str, Cascade] = {}
    for place, how in enumerate(look.how):

        def explain(net: nn.Module, how: str = how) -> np.ndarray:
            return attributed(net, x, how, layer, targets, look.seed).maps

        found[how] = cascade(
            subject.model, explain, draws=look.draws, seed=look.seed,
            on_progress=_after(on_progress, place * look.draws, len(look.how) * look.draws),
        )  # fmt: skip
    numbers = {"images": images.names, "layer": layer, "methods": {how: one.to_json() for how, one in found.items()}}
    return Findings(
        {"sanity": _sanity_sheet(found, layer)}, numbers, tuple(_verdict(how, one) for how, one in found.items())
    )


def _after(on_progress: Progress, before: int, whole: int) -> Progress:
    return lambda done, _of: on_progress(before + done, whole)


def _verdict(how: str, found: Cascade) -> str:
    left = float(found.correlations[-1].mean())
    if left <= LEFT:
        return f"{how}: correlation {left:.2f} once all weights are random: its maps come from what was learnt"
    return (
        f"{how}: correlation {left:.2f} once all weights are random, more than {LEFT}: "
        "much of its maps comes from the image alone; do not take them for reasons"
    )


def _sanity_sheet(found: dict[str, Cascade], layer: str) -> np.ndarray:
    def draw(axes: Any) -> None:
        for how, one in found.items():
            axes.plot([1.0, *one.correlations.mean(1)], marker=".", label=how.replace("_", " "))
        axes.axhline(LEFT, color="#808890", linewidth=1, linestyle=":")
        axes.set_xlabel("layers with random weights, from the output down")
        axes.set_ylabel("rank correlation")
        axes.set_ylim(-0.6, 1.05)
        axes.legend(frameon=False)

    note = "How alike the maps are to those of the trained network. A line that stays high draws edges, not reasons."
    return titled(chart(draw), f"Sanity check at {layer}", note)
