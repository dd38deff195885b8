"""Suggestions for changing the architecture, each with the measurement that supports it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from convscope.errors import DataError, ModelError
from convscope.explainers.features.filters import Filters
from convscope.explainers.features.stimuli import Stimuli
from convscope.explainers.hooks import find_layer
from convscope.explainers.receptive_field import ReceptiveField
from convscope.explainers.targets import logits_of
from convscope.modules import preserve_state
from convscope.progress import Progress

NORMS = (nn.BatchNorm2d, nn.GroupNorm)
DEAD_SCALE = 0.01  # of the layer's largest


@dataclass(frozen=True)
class Suggestion:
    """One suggestion and the measurement behind it.

    Attributes:
        kind: "dead", "silent", "duplicate", "removable", "redundant stages", "receptive field too small" or "receptive
            field too large".
        layer: the layer it applies to.
        finding: the measurement in a sentence.
        figure: the measured value.
        suggestion: the change to try.
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
    """The accuracy lost when a module is replaced by the identity.

    Attributes:
        layer: the removed module.
        accuracy: of the network without it, in [0, 1].
        cost: accuracy lost; negative if accuracy rises.
        num_parameters: of the removed module.
        images: number of images evaluated.
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
    """Measure the accuracy lost when each module is replaced by the identity, one at a time.

    Veit et al. 2016, section 4.1, lesion study. The network is not retrained, so each cost is an upper bound.

    Args:
        model: any network with (B, K) logits.
        batches: called once per module; yields (x, classes).
        parts: dotted module paths; None is every module with children whose output has the shape of its input.
        on_progress: called with the number of modules done and the total.
    Returns:
        Sorted by cost, ascending.
    Raises:
        DataError: no images.
        ModelError: the output of a named module does not have the shape of its input.
    """
    with preserve_state(model):
        x, _ = next(iter(batches()), (None, None))
        if x is None:
            raise DataError("removal costs: no images; pass at least one batch")
        removable = _removable(model, x)
        for part in parts or ():
            if find_layer(model, part) and part not in removable:
                raise ModelError(
                    f"layer {part}: its output and input shapes differ; choose a layer that preserves the shape"
                )
        (baseline, images), removals = _accuracy(model, batches()), []
        blocks = [name for name in removable if name and any(True for _ in find_layer(model, name).children())]
        chosen = blocks if parts is None else parts
        for done, part in enumerate(chosen, 1):
            module = find_layer(model, part)
            handle = module.register_forward_hook(lambda _module, inputs, _output: inputs[0])
            try:
                accuracy, _ = _accuracy(model, batches())
            finally:
                handle.remove()
            parameters = sum(weight.numel() for weight in module.parameters())
            removals.append(Removal(part, accuracy, baseline - accuracy, parameters, images))
            if on_progress:
                on_progress(done, len(chosen))
    return tuple(sorted(removals, key=lambda removal: removal.cost))


def suggest_from_filters(found: Filters, channels: Sequence[int] = ()) -> tuple[Suggestion, ...]:
    """Suggest fewer filters for a layer with dead or duplicate filters; `channels` restricts which are considered."""
    count, suggestions = len(found.norms), []
    dead = [one for one in found.dead if not channels or one in channels]
    if dead:
        fraction = len(dead) / count
        finding = f"{len(dead)} of {count} filters have near-zero weights: {_ids(dead)}"
        suggestions.append(Suggestion(
            "dead", found.layer, finding, fraction,
            f"train it with {count - len(dead)} filters, or a lower learning rate or weight decay",
        ))  # fmt: skip
    redundant = sorted({second for _, second, _ in found.duplicates if not channels or second in channels})
    if redundant:
        fraction = len(redundant) / count
        finding = f"{len(redundant)} of {count} filters duplicate another: {_ids(redundant)}"
        suggestions.append(Suggestion(
            "duplicate", found.layer, finding, fraction,
            f"train it with {count - len(redundant)} filters",
        ))  # fmt: skip
    return tuple(suggestions)


def suggest_from_norms(
    model: nn.Module, within: Sequence[str] = (), channels: Sequence[int] = ()
) -> tuple[Suggestion, ...]:  # fmt: skip
    """Suggest narrower layers where a norm multiplies channels by almost nothing, so that they are constant.

    A channel is dead if the magnitude of its scale is at most 1 % of the layer's largest (as Liu et al. 2017,
    arXiv:1708.06519, who prune by the scale of batch norm).

    Args:
        model: any network.
        within: layers in which to look; () is the whole network.
        channels: channels that are considered; () is all.
    """
    found = []
    for name, module in model.named_modules():
        if not isinstance(module, NORMS) or module.weight is None:
            continue
        if within and not any(f"{name}.".startswith(f"{layer}.") for layer in within):
            continue
        scale = module.weight.detach().float().abs().cpu().numpy()
        dead = [k for k in np.flatnonzero(scale <= DEAD_SCALE * scale.max()).tolist() if not channels or k in channels]
        if dead:
            count = len(scale)
            finding = f"{len(dead)} of {count} channels are multiplied by almost 0: {_ids(dead)}"
            advice = f"train it with {count - len(dead)} channels, or a lower weight decay of the norms"
            found.append(Suggestion("dead", name, finding, len(dead) / count, advice))
    return tuple(found)


def suggest_from_stimuli(found: Stimuli, channels: Sequence[int] = ()) -> tuple[Suggestion, ...]:
    """Suggest a change for channels that no image activates; `channels` restricts which are considered."""
    silent = [one for one in found.silent if not channels or one in channels]
    if not silent:
        return ()
    count = len(found.values)
    finding = f"{len(silent)} of {count} channels stay at or below 0 on all {found.num_images} images: {_ids(silent)}"
    advice = f"train it with {count - len(silent)} channels, or a lower learning rate, or a leaky activation"
    return (Suggestion("silent", found.layer, finding, len(silent) / count, advice),)


def suggest_from_removals(removals: Sequence[Removal], worth: float = 0.005) -> tuple[Suggestion, ...]:
    """Suggest removing modules that cost at most `worth` in accuracy; modules inside such a module are not listed."""
    cheap = [removal for removal in removals if removal.cost <= worth]
    return tuple(
        Suggestion(
            "removable", one.layer,
            f"accuracy without it: {one.accuracy:.3f} on {one.images} images, {one.cost:+.3f} lost; "
            f"parameters saved: {one.num_parameters:,}",
            one.cost, "train the network without it",
        )
        for one in cheap if not any(one.layer.startswith(f"{other.layer}.") for other in cheap)
    )  # fmt: skip


def suggest_from_field(field: ReceptiveField, objects: np.ndarray, most: float = 4.0) -> tuple[Suggestion, ...]:
    """Suggest a larger receptive field if objects do not fit in it, a smaller one if it spans many objects.

    Args:
        field: receptive field of the last stage that returns maps.
        objects: (N, 2) heights and widths in pixels of the network's input.
        most: a field larger than this many times the median object is too large.
    """
    longest, extent = objects.max(1), min(field.size)
    typical, whole_image = float(np.median(longest)), min(field.size) >= min(field.image)
    too_large = float((longest > extent).mean())
    if too_large > 0.1 and not whole_image:
        finding = (
            f"receptive field of {extent} pixels; {too_large:.0%} of the objects are larger "
            f"(median {typical:.0f} pixels)"
        )
        advice = "add a stage, an earlier stride or pooling, dilation, or train on smaller images"
        return (Suggestion("receptive field too small", field.layer, finding, too_large, advice),)
    ratio = extent / max(typical, 1)
    if ratio > most:
        finding = (
            f"receptive field of {extent} pixels{' (the whole image)' if whole_image else ''}, "
            f"{ratio:.1f} times the median object"
        )
        advice = (
            "crop to the objects, train on larger images, use an earlier stage for small objects, or use fewer stages"
        )
        return (Suggestion("receptive field too large", field.layer, finding, ratio, advice),)
    return ()


def _removable(model: nn.Module, x: Tensor) -> list[str]:
    """Return the names of the modules whose output has the shape of their input."""
    removable: list[str] = []

    def compare(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, inputs: Any, output: Any) -> None:
            same = isinstance(output, Tensor) and len(inputs) > 0 and isinstance(inputs[0], Tensor)
            if same and inputs[0].shape == output.shape and name not in removable:
                removable.append(name)

        return hook

    handles = []
    try:
        for name, module in model.named_modules():
            handles.append(module.register_forward_hook(compare(name)))
        model(x)
    finally:
        for handle in handles:
            handle.remove()
    return removable


def _accuracy(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[float, int]:
    """Return the accuracy and the number of images."""
    correct = total = 0
    for x, targets in batches:
        correct += int((logits_of(model(x)).argmax(1) == targets.to(x.device)).sum())
        total += len(targets)
    return correct / total, total


def _ids(numbers: Iterable[int], most: int = 10) -> str:
    listed = [str(number) for number in numbers]
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
