"""From what was found to what to change: each suggestion with the figure behind it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from convscope.errors import DataError, ModelError
from convscope.explain.features.filters import Filters
from convscope.explain.features.stimuli import Stimuli
from convscope.explain.hooks import find_layer
from convscope.explain.receptive_field import ReceptiveField
from convscope.explain.targets import logits_of
from convscope.modules import preserve_state
from convscope.progress import Progress


@dataclass(frozen=True)
class Suggestion:
    """One finding.

    Attributes:
        kind: "dead", "silent", "duplicate", "removable", "stages to spare", "field too small" or "field too large".
        layer: where.
        finding: what is so, with the figure, in a sentence.
        figure: the figure.
        suggestion: what to try.
    """

    kind: str
    layer: str
    finding: str
    figure: float
    suggestion: str

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


@dataclass(frozen=True)
class Removal:
    """What a part is worth.

    Attributes:
        layer: the part that was passed by.
        accuracy: of the network without it.
        cost: accuracy lost, below 0 where it does better without.
        num_parameters: that would be saved.
        images: that it was judged on.
    """

    layer: str
    accuracy: float
    cost: float
    num_parameters: int
    images: int

    def to_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return asdict(self)


def removal_costs(
    model: nn.Module,
    batches: Callable[[], Iterable[tuple[Tensor, Tensor]]],
    parts: Sequence[str] | None = None,
    on_progress: Progress | None = None,
) -> tuple[Removal, ...]:
    """The accuracy that each part of a network is worth: what is lost when its input is passed on in its place.

    Veit et al. 2016, section 4.1, lesion study. Nothing is trained afterwards, so a cost is at most this high.

    Args:
        model: any network with (B, K) logits.
        batches: called once for each part; gives (x, classes).
        parts: dotted module paths; None is every part that holds others and keeps its input's shape.
        on_progress: called with the parts done, and of how many.
    Returns:
        The cheapest first.
    Raises:
        DataError: no images.
        ModelError: a named part that does not keep its input's shape.
    """
    with preserve_state(model):
        x, _ = next(iter(batches()), (None, None))
        if x is None:
            raise DataError("removal costs: no images; give at least one batch")
        able = _passable(model, x)
        for part in parts or ():
            if find_layer(model, part) and part not in able:
                raise ModelError(f"layer {part}: its output has not its input's shape; choose one that keeps it")
        (whole, images), removals = _accuracy(model, batches()), []
        blocks = [name for name in able if name and any(True for _ in find_layer(model, name).children())]
        chosen = blocks if parts is None else parts
        for place, part in enumerate(chosen, 1):
            module = find_layer(model, part)
            handle = module.register_forward_hook(lambda _module, inputs, _output: inputs[0])
            try:
                accuracy, _ = _accuracy(model, batches())
            finally:
                handle.remove()
            weights = sum(weight.numel() for weight in module.parameters())
            removals.append(Removal(part, accuracy, whole - accuracy, weights, images))
            if on_progress:
                on_progress(place, len(chosen))
    return tuple(sorted(removals, key=lambda removal: removal.cost))


def suggest_from_filters(found: Filters, channels: Sequence[int] = ()) -> tuple[Suggestion, ...]:
    """Suggest narrowing a layer with dead filters or duplicates; with `channels`, of those alone."""
    count, suggestions = len(found.norms), []
    dead = [one for one in found.dead if not channels or one in channels]
    if dead:
        share = len(dead) / count
        finding = f"{len(dead)} of {count} filters have next to no weight: {_ids(dead)}"
        suggestions.append(Suggestion(
            "dead", found.layer, finding, share,
            f"train it with {count - len(dead)} filters, or a lower learning rate or weight decay",
        ))  # fmt: skip
    spare = sorted({second for _, second, _ in found.duplicates if not channels or second in channels})
    if spare:
        share = len(spare) / count
        suggestions.append(Suggestion(
            "duplicate", found.layer, f"{len(spare)} of {count} filters repeat another: {_ids(spare)}", share,
            f"train it with {count - len(spare)} filters",
        ))  # fmt: skip
    return tuple(suggestions)


def suggest_from_stimuli(found: Stimuli, channels: Sequence[int] = ()) -> tuple[Suggestion, ...]:
    """Suggest what to do about channels that no image excites; with `channels`, about those alone."""
    silent = [one for one in found.silent if not channels or one in channels]
    if not silent:
        return ()
    count = len(found.values)
    finding = f"{len(silent)} of {count} channels stay at or below 0 on all {found.num_images} images: {_ids(silent)}"
    advice = f"train it with {count - len(silent)} channels, or a lower learning rate, or a leaky activation"
    return (Suggestion("silent", found.layer, finding, len(silent) / count, advice),)


def suggest_from_removals(removals: Sequence[Removal], worth: float = 0.005) -> tuple[Suggestion, ...]:
    """Suggest training without the parts whose removal costs at most `worth` of accuracy; not also parts of them."""
    cheap = [removal for removal in removals if removal.cost <= worth]
    return tuple(
        Suggestion(
            "removable", one.layer,
            f"accuracy without it: {one.accuracy:.3f} of {one.images} images, {one.cost:+.3f} lost; "
            f"weights saved: {one.num_parameters:,}",
            one.cost, "train the network without it",
        )
        for one in cheap if not any(one.layer.startswith(f"{other.layer}.") for other in cheap)
    )  # fmt: skip


def suggest_from_field(field: ReceptiveField, objects: np.ndarray, most: float = 4.0) -> tuple[Suggestion, ...]:
    """Suggest a larger field where objects do not fit in it, a smaller one where it is many objects wide.

    Args:
        field: of the last stage that gives maps.
        objects: (N, 2) heights and widths in pixels of the network's input.
        most: a field wider than this many typical objects is too large, unless it is within the image.
    """
    longest, reach = objects.max(1), min(field.size)
    typical, whole = float(np.median(longest)), min(field.size) >= min(field.image)
    missed = float((longest > reach).mean())
    if missed > 0.1 and not whole:
        finding = (
            f"a unit sees {reach} pixels, and {missed:.0%} of the objects are larger (half are over {typical:.0f})"
        )
        advice = "add a stage, an earlier stride or pooling, dilation, or train on smaller images"
        return (Suggestion("field too small", field.layer, finding, missed, advice),)
    ratio = reach / max(typical, 1)
    if ratio > most:
        finding = (
            f"a unit sees {reach} pixels{' (the whole image)' if whole else ''}, {ratio:.1f} times a typical object"
        )
        advice = "crop to the objects, train on larger images, take an earlier stage for small objects, or fewer stages"
        return (Suggestion("field too large", field.layer, finding, ratio, advice),)
    return ()


def _passable(model: nn.Module, x: Tensor) -> list[str]:
    """Return the modules whose output has their input's shape."""
    able: list[str] = []

    def compare(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, inputs: Any, output: Any) -> None:
            same = isinstance(output, Tensor) and len(inputs) > 0 and isinstance(inputs[0], Tensor)
            if same and inputs[0].shape == output.shape and name not in able:
                able.append(name)

        return hook

    handles = []
    try:
        for name, module in model.named_modules():
            handles.append(module.register_forward_hook(compare(name)))
        model(x)
    finally:
        for handle in handles:
            handle.remove()
    return able


def _accuracy(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[float, int]:
    """Return the share that is right, and of how many images."""
    right = total = 0
    for x, targets in batches:
        right += int((logits_of(model(x)).argmax(1) == targets.to(x.device)).sum())
        total += len(targets)
    return right / total, total


def _ids(numbers: Iterable[int], most: int = 10) -> str:
    listed = [str(number) for number in numbers]
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
