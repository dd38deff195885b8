"""Which images, layers and channels are looked at."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convscope.analysis.images import ImageSet, joined
from convscope.analysis.method import ImageSettings
from convscope.analysis.target import AnalysisTarget
from convscope.bundle import image_files
from convscope.errors import ConfigError, closest
from convscope.explain import find_layer, record
from convscope.models import Network
from convscope.modules import preserve_state

MISTAKES = "mistakes"
OTHERS = "use activations, filters, stimuli, invert, maximise or neighbours instead"
ENOUGH_PLACES = 4  # rows and columns below which a map says hardly where


def select_images(subject: AnalysisTarget, settings: ImageSettings) -> ImageSet:
    """The images that a method's settings name, as `chosen_images`."""
    return chosen_images(
        subject, settings.images, settings.split, settings.per_class, settings.max_images, settings.seed
    )


def chosen_images(
    subject: AnalysisTarget, words: Sequence[str], split: str, each: int | None, most: int, seed: int = 0
) -> ImageSet:
    """The images that the user asked for.

    Args:
        words: classes, names of images in the set, files, folders, or "mistakes"; none takes some of each class.
            What `AnalysisTarget.lookup` knows comes first.
        split: "train" or "validation".
        each: how many of a class; None is up to `most`.
        most: how many in all, where none were named one by one.
        seed: draws those of each class.
    Raises:
        ConfigError: a word that is none of these, or nothing to choose from.
        DataError: a file that is no image.
    """
    known = [subject.lookup(word) for word in words] if subject.lookup else []
    if words and known and all(known):
        return joined([one for one in known if one])
    files = _files(subject, words)
    if words and len(files) == len(words):
        return subject.from_files(image_files(files))
    found = subject.read(split)
    if not len(found):
        raise ConfigError(f"images: {subject.name} comes without images; name files or folders")
    places: list[int] = []
    for word in words:
        places += _resolve_word(subject, found, split, word, each or most, seed)
    return found.select(places if words else _some_of_each_class(found, each, most, seed))


def _files(subject: AnalysisTarget, words: Sequence[str]) -> list[Path]:
    """The words that are files or folders, where a target may read any."""
    if subject.lookup:
        return []
    return [Path(word) for word in words if word not in subject.classes and Path(word).exists()]


def _resolve_word(subject: AnalysisTarget, found: ImageSet, split: str, word: str, each: int, seed: int) -> list[int]:
    if word in subject.classes:
        of_class = np.flatnonzero(found.targets == subject.classes.index(word))
        if not len(of_class):
            raise ConfigError(f"images: no {word} in the {split} set; choose another class or set")
        return _shuffled(of_class, seed)[:each]
    if word in found.names:
        return [found.names.index(word)]
    if word == MISTAKES:
        wrong = mistakes(subject, found)
        if not wrong:
            raise ConfigError(f"images: no mistakes in the {split} set; choose a class, an image or a file")
        return wrong[:each]
    if _files(subject, [word]):
        raise ConfigError(f"images: {word} is a file beside words that are none; name either files or words")
    known = (*subject.classes, *found.names[:5000], MISTAKES)
    near = closest(word, known)
    meant = f"; did you mean {near}?" if near else "; give a class, a file, or a name from data.json"
    raise ConfigError(f"images: no class, image or file {word}{meant}")


def _some_of_each_class(found: ImageSet, each: int | None, most: int, seed: int) -> list[int]:
    """A few of each class, class by class; where classes are not known, any."""
    order = np.array(_shuffled(np.arange(len(found)), seed))
    picked = order[round_robin(found.targets[order], most, each)].tolist()
    return sorted(picked, key=lambda place: (int(found.targets[place]), place))


def round_robin(targets: np.ndarray, most: int, each: int | None = None) -> list[int]:
    """The first of every class, then the second, up to `each` of a class and `most` in all; -1 is no class."""
    groups = [(int(target), np.flatnonzero(targets == target).tolist()) for target in np.unique(targets)]
    groups = [(target, group if each is None or target < 0 else group[:each]) for target, group in groups]
    turns = max((len(group) for _, group in groups), default=0)
    return [group[turn] for turn in range(turns) for _, group in groups if turn < len(group)][:most]


def _shuffled(places: np.ndarray, seed: int) -> list[int]:
    order: list[int] = np.random.default_rng(seed).permutation(places).tolist()
    return order


def probabilities(subject: AnalysisTarget, images: ImageSet) -> np.ndarray:
    """(N, K) what the network answers, as probabilities.

    Raises:
        ConfigError: it answers with something else than classes.
    """
    require_class_scores(subject, somehow=True)
    parts = []
    with preserve_state(subject.model):
        for x in subject.batches(images):
            output = subject.model(x)
            if not isinstance(output, Tensor) or output.ndim != 2:
                raise ConfigError(f"{subject.name}: does not answer with (B, K) logits; {OTHERS}")
            parts.append(subject.task.class_probabilities(output).cpu().numpy())
    return np.concatenate(parts)


def require_class_scores(subject: AnalysisTarget, somehow: bool = False) -> None:
    """Raise ConfigError where the network's answers are no classes, nor (`somehow`) can become some.

    What can become some does so inside `AnalysisTarget.class_scores_only`.
    """
    if not (subject.task.names_classes if somehow else subject.task.outputs_classes):
        raise ConfigError(f"{subject.name}: task '{subject.task.name}' has no class scores; {OTHERS}")


def mistakes(subject: AnalysisTarget, images: ImageSet) -> list[int]:
    """The images that are answered wrongly, surest first."""
    answers = probabilities(subject, images)
    wrong = np.flatnonzero((subject.task.predicted_class(answers) != images.targets) & (images.targets >= 0))
    order: list[int] = wrong[np.argsort(-answers[wrong].max(1), kind="stable")].tolist()
    return order


def chosen_layers(subject: AnalysisTarget, words: Sequence[str], sample: Tensor) -> tuple[str, ...]:
    """The layers that the user named, or the network's stages, early to late.

    Raises:
        ModelError: no such layer, with the nearest name.
    """
    for word in words:
        find_layer(subject.model, word)
    return tuple(words) or stages(subject.model, sample)


def stages(model: nn.Module, sample: Tensor) -> tuple[str, ...]:
    """Stem and stages of a network of ours; of any other, the layer that ends each resolution."""
    sizes = _sizes(model, sample)
    if isinstance(model, Network):
        own = ("stem", *(f"stages.{name}" for name, _ in model.stages.named_children()))
        return tuple(name for name in own if name in sizes)
    last = {size: name for name, size in sizes.items() if min(size) > 1}
    order = list(sizes)
    return tuple(sorted(last.values(), key=order.index)) or tuple(order[-1:])


def attribution_layer(model: nn.Module, sample: Tensor) -> str:
    """The deepest stage whose maps are still at least 4 x 4; where none is, the one with the most places; "" where
    nothing has any.
    """
    sizes = _sizes(model, sample)
    able = [name for name in stages(model, sample) if name in sizes]
    fine = [name for name in able if min(sizes[name]) >= ENOUGH_PLACES]
    if fine or not able:
        return fine[-1] if fine else ""
    most = max(able, key=lambda name: min(sizes[name]))
    return most if min(sizes[most]) > 1 else ""


def _sizes(model: nn.Module, sample: Tensor) -> dict[str, tuple[int, int]]:
    """Height and width of what each layer gives, vectors as (1, 1), in the order in which layers finish."""
    sizes: dict[str, tuple[int, int]] = {}

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim in (2, 4):
                sizes.pop(name, None)
                sizes[name] = (output.shape[2], output.shape[3]) if output.ndim == 4 else (1, 1)

        return hook

    with preserve_state(model):
        handles = [module.register_forward_hook(note(name)) for name, module in model.named_modules() if name]
        try:
            model(sample[:1])
        finally:
            for handle in handles:
                handle.remove()
    return sizes


def chosen_channels(layer: str, count: int, wanted: Sequence[int], most: int) -> list[int]:
    """The channels that the user named, or up to `most`, evenly chosen.

    Raises:
        ConfigError: one that the layer does not have.
    """
    for channel in wanted:
        if not 0 <= channel < count:
            raise ConfigError(
                f"channels: no {channel} in layer {layer}, which has {count}; choose from 0 to {count - 1}"
            )
    if wanted:
        return list(wanted)
    evenly: list[int] = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist()
    return evenly


def width_of(model: nn.Module, layer: str, sample: Tensor) -> int:
    """How many channels a layer gives."""
    with record(model, layer) as kept, torch.no_grad():
        kept.forward(sample[:1])
        return int(kept[layer].shape[1])
