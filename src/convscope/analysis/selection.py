"""Selection of images, layers and channels."""

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
from convscope.explainers import find_layer, record
from convscope.models import EncoderDecoder, Network
from convscope.modules import preserve_state

MISTAKES = "mistakes"
OTHER_METHODS = "use activations, filters, stimuli, invert, maximise or neighbours instead"
MIN_MAP_SIDE = 4  # smaller maps do not localise


def select_images(subject: AnalysisTarget, settings: ImageSettings) -> ImageSet:
    """Select the images of a method's settings, as `chosen_images`."""
    return chosen_images(
        subject, settings.images, settings.split, settings.per_class, settings.max_images, settings.seed
    )


def chosen_images(
    subject: AnalysisTarget, words: Sequence[str], split: str, each: int | None, most: int, seed: int = 0
) -> ImageSet:
    """Select images by class, name, file or folder.

    Args:
        words: classes, names of images in the split, files, folders, or "mistakes"; () selects some of each class.
            Ids that `AnalysisTarget.lookup` resolves come first.
        split: "train" or "validation".
        each: images per class; None is up to `most`.
        most: total number of images, unless they are named one by one.
        seed: seed of the selection within each class.
    Raises:
        ConfigError: an unknown name, or nothing to choose from.
        DataError: not a decodable image.
    """
    known = [subject.lookup(word) for word in words] if subject.lookup else []
    if words and known and all(known):
        return joined([one for one in known if one])
    files = _files(subject, words)
    if words and len(files) == len(words):
        return subject.from_files(image_files(files))
    found = subject.read(split)
    if not len(found):
        raise ConfigError(f"images: {subject.name} has no images; name files or folders")
    indices: list[int] = []
    for word in words:
        indices += _resolve_word(subject, found, split, word, each or most, seed)
    return found.select(indices if words else _some_of_each_class(found, each, most, seed))


def _files(subject: AnalysisTarget, words: Sequence[str]) -> list[Path]:
    """Return the words that are files or folders, unless the target resolves ids only."""
    if subject.lookup:
        return []
    return [Path(word) for word in words if word not in subject.classes and Path(word).exists()]


def _resolve_word(subject: AnalysisTarget, found: ImageSet, split: str, word: str, each: int, seed: int) -> list[int]:
    if word in subject.classes:
        of_class = np.flatnonzero(found.targets == subject.classes.index(word))
        if not len(of_class):
            raise ConfigError(f"images: no {word} in the {split} split; choose another class or split")
        return _shuffled(of_class, seed)[:each]
    if word in found.names:
        return [found.names.index(word)]
    if word == MISTAKES:
        wrong = mistakes(subject, found)
        if not wrong:
            raise ConfigError(f"images: no mistakes in the {split} split; choose a class, an image or a file")
        return wrong[:each]
    if _files(subject, [word]):
        raise ConfigError(f"images: {word} is a file, the others are not; name either files, or classes and images")
    known = (*subject.classes, *found.names[:5000], MISTAKES)
    near = closest(word, known)
    meant = f"; did you mean {near}?" if near else "; give a class, a file, or a name from data.json"
    raise ConfigError(f"images: no class, image or file {word}{meant}")


def _some_of_each_class(found: ImageSet, each: int | None, most: int, seed: int) -> list[int]:
    """Return a few images of each class, class by class; any if classes are not known."""
    order = np.array(_shuffled(np.arange(len(found)), seed))
    picked = order[round_robin(found.targets[order], most, each)].tolist()
    return sorted(picked, key=lambda index: (int(found.targets[index]), index))


def round_robin(targets: np.ndarray, most: int, each: int | None = None) -> list[int]:
    """Alternate between classes, up to `each` of a class and `most` in total; -1 is an unknown class."""
    groups = [(int(target), np.flatnonzero(targets == target).tolist()) for target in np.unique(targets)]
    groups = [(target, group if each is None or target < 0 else group[:each]) for target, group in groups]
    rounds = max((len(group) for _, group in groups), default=0)
    return [group[i] for i in range(rounds) for _, group in groups if i < len(group)][:most]


def _shuffled(indices: np.ndarray, seed: int) -> list[int]:
    order: list[int] = np.random.default_rng(seed).permutation(indices).tolist()
    return order


def probabilities(subject: AnalysisTarget, images: ImageSet) -> np.ndarray:
    """Return class probabilities (N, K).

    Raises:
        ConfigError: the network does not return class scores.
    """
    require_class_scores(subject, convertible=True)
    parts = []
    with preserve_state(subject.model):
        for x in subject.batches(images):
            output = subject.model(x)
            if not isinstance(output, Tensor) or output.ndim != 2:
                raise ConfigError(f"{subject.name}: does not return (B, K) logits; {OTHER_METHODS}")
            parts.append(subject.task.class_probabilities(output).cpu().numpy())
    return np.concatenate(parts)


def predicted_classes(subject: AnalysisTarget, scores: np.ndarray) -> dict[str, Any]:
    """Return the names of the predicted classes and their probabilities, from class probabilities (N, K)."""
    predicted = subject.task.predicted_class(scores)
    names = [subject.class_name(int(one)) for one in predicted]
    return {"predictions": names, "confidence": scores[np.arange(len(predicted)), predicted]}


def predicted_records(subject: AnalysisTarget, images: ImageSet) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Return the predicted classes, and for each image its name, true and predicted class, and confidence."""
    scores = probabilities(subject, images)
    predicted = subject.task.predicted_class(scores)
    records = [
        {
            "name": name,
            "truth": subject.class_name(int(truth)),
            "prediction": subject.class_name(int(prediction)),
            "confidence": float(row[prediction]),
        }
        for name, truth, prediction, row in zip(images.names, images.targets, predicted, scores, strict=True)
    ]
    return predicted, records


def first_answers(subject: AnalysisTarget, x: Tensor, pixel: tuple[int, int] | None = None) -> Tensor:
    """Return (B,) the answer that is explained if none is named.

    Raises:
        ConfigError: the network's output is not the task's.
    """
    with preserve_state(subject.model), torch.no_grad():
        output = subject.model(x)
        if not isinstance(output, Tensor) or subject.task.answer_scores(output, pixel).ndim != 2:
            raise ConfigError(f"{subject.name}: does not return (B, K) logits; {OTHER_METHODS}")
        return subject.task.default_answer(output, pixel)


def chosen_pixel(given: Sequence[int]) -> tuple[int, int] | None:
    """Return row and column of a pixel; None for ().

    Raises:
        ConfigError: not two numbers.
    """
    if not given:
        return None
    if len(given) != 2:
        raise ConfigError(f"pixel: {', '.join(map(str, given))}; give the row and the column, such as 12,30")
    return given[0], given[1]


def require_class_scores(subject: AnalysisTarget, convertible: bool = False) -> None:
    """Raise ConfigError if the outputs are not class scores and (`convertible`) cannot be converted to them.

    `AnalysisTarget.class_scores_only` converts them.
    """
    if not (subject.task.names_classes if convertible else subject.task.outputs_classes):
        raise ConfigError(f"{subject.name}: task '{subject.task.name}' has no class scores; {OTHER_METHODS}")


def mistakes(subject: AnalysisTarget, images: ImageSet) -> list[int]:
    """Return the indices of misclassified images, most confident first."""
    scores = probabilities(subject, images)
    wrong = np.flatnonzero((subject.task.predicted_class(scores) != images.targets) & (images.targets >= 0))
    order: list[int] = wrong[np.argsort(-scores[wrong].max(1), kind="stable")].tolist()
    return order


def chosen_layers(subject: AnalysisTarget, words: Sequence[str], sample: Tensor) -> tuple[str, ...]:
    """Return the named layers, or the network's stages, from early to late.

    Raises:
        ModelError: no such layer, with the nearest name.
    """
    for word in words:
        find_layer(subject.model, word)
    return tuple(words) or stages(subject.model, sample)


def stages(model: nn.Module, sample: Tensor) -> tuple[str, ...]:
    """Return stem and stages of a `Network`; of any other module, the last layer of each resolution."""
    sizes = _sizes(model, sample)
    if isinstance(model, Network):
        names = ("stem", *(f"stages.{name}" for name, _ in model.stages.named_children()))
        return tuple(name for name in names if name in sizes)
    last = {size: name for name, size in sizes.items() if min(size) > 1}
    order = list(sizes)
    return tuple(sorted(last.values(), key=order.index)) or tuple(order[-1:])


def attribution_layer(model: nn.Module, sample: Tensor) -> str:
    """Return the deepest stage with maps of at least 4 x 4, else the one with the largest maps, else "".

    Of an encoder-decoder it is the decoder's last level: class maps of the encoder do not lie on the objects of a mask.
    A U-Net trained on 232 photographs of people, 24 validation images, Grad-CAM inside the person (43 % of the pixels):
    48 % of the map at the deepest stage of at least 4 x 4, 67 % at the decoder's last level.
    """
    if isinstance(model, EncoderDecoder) and len(model.decoder):
        return f"decoder.{len(model.decoder) - 1}"
    sizes = _sizes(model, sample)
    candidates = [name for name in stages(model, sample) if name in sizes]
    fine = [name for name in candidates if min(sizes[name]) >= MIN_MAP_SIDE]
    if fine or not candidates:
        return fine[-1] if fine else ""
    most = max(candidates, key=lambda name: min(sizes[name]))
    return most if min(sizes[most]) > 1 else ""


def _sizes(model: nn.Module, sample: Tensor) -> dict[str, tuple[int, int]]:
    """Return the output size of each layer, (1, 1) for vectors, in the order of execution."""
    sizes: dict[str, tuple[int, int]] = {}

    def recorder(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim in (2, 4):
                sizes.pop(name, None)
                sizes[name] = (output.shape[2], output.shape[3]) if output.ndim == 4 else (1, 1)

        return hook

    with preserve_state(model):
        handles = [module.register_forward_hook(recorder(name)) for name, module in model.named_modules() if name]
        try:
            model(sample[:1])
        finally:
            for handle in handles:
                handle.remove()
    return sizes


def chosen_channels(layer: str, count: int, named: Sequence[int], most: int) -> list[int]:
    """Return the named channels, or up to `most`, evenly spaced.

    Raises:
        ConfigError: no such channel.
    """
    for channel in named:
        if not 0 <= channel < count:
            raise ConfigError(
                f"channels: no {channel} in layer {layer}, which has {count}; choose from 0 to {count - 1}"
            )
    if named:
        return list(named)
    evenly: list[int] = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist()
    return evenly


def width_of(model: nn.Module, layer: str, sample: Tensor) -> int:
    """Return the number of output channels of a layer."""
    with record(model, layer) as outputs, torch.no_grad():
        outputs.forward(sample[:1])
        return int(outputs[layer].shape[1])
