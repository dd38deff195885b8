"""The target of an analysis: a network, its preprocessing and its images."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from torch import Tensor, nn

from convscope.analysis.images import ImageSet, check_object_masks, image_set_of
from convscope.bundle import is_bundle, load_bundle
from convscope.datasets import ImageSpec, decode
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.datasets.inputs.kind import InputPreprocessing
from convscope.devices import inference_device, use_cores
from convscope.errors import ConfigError, RunError
from convscope.explainers import PixelSpace, image_statistics
from convscope.progress import Progress
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import reload
from convscope.tasks import DEFAULT_TASK, Task

__all__ = ["AnalysisTarget", "ImageSet", "InputInfo", "open_target", "wrap_module"]

STATISTICS_IMAGES = 512  # training images whose statistics optimised images share, of at most so many pixels in all
STATISTICS_PIXELS = 8_000_000
BATCH = 64


@dataclass(frozen=True, eq=False)
class AnalysisTarget:
    """A network with its images.

    Attributes:
        name: name in titles.
        model: any module, on its device.
        classes: names of its outputs; () if not known.
        mean: mean of the pixels in [0, 1] per channel: the input is (pixel - mean) / std.
        std: standard deviation per channel.
        size: (H, W) of its input; (L,) of series.
        home: folder of the results, ``explain/`` of a run.
        read: function from a split ("train" or "validation") to its images.
        spec: how files become pixels; None: grey or RGB at `size`.
        task: the task of the network.
        preprocessing: how files and stored values become inputs, if they are no images.
        shown_channels: those that figures show of more than three, see `datasets.shown_channels`.
        lookup: function from an image id to the image or None; if set, files are not read.
    """

    name: str
    model: nn.Module
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: tuple[int, ...]
    home: Path
    read: Callable[[str], ImageSet]
    spec: ImageSpec | None = None
    task: Task = DEFAULT_TASK(())  # noqa: RUF009  (frozen)
    lookup: Callable[[str], ImageSet | None] | None = None
    preprocessing: InputPreprocessing | None = None
    shown_channels: tuple[int, ...] = ()

    @contextmanager
    def class_scores_only(self) -> Iterator[None]:
        """Reduce the outputs to (B, K) class logits in this context, if the task has them next to others."""
        if self.task.outputs_classes or not self.task.names_classes:
            yield
            return
        handle = self.model.register_forward_hook(lambda _module, _inputs, output: self.task.class_scores(output))
        try:
            yield
        finally:
            handle.remove()

    @contextmanager
    def answer_scores_only(
        self, pixel: tuple[int, int] | None = None, against: int | None = None
    ) -> Iterator[None]:  # fmt: skip
        """Reduce the outputs to (B, J) scores of the task's answers in this context.

        Args:
            pixel: row and column of the pixel that answers, in a mask.
            against: an answer whose score is subtracted from all others.
        """

        def reduce(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
            scores = self.task.answer_scores(output, pixel)
            return scores if against is None else scores - scores[:, against : against + 1]

        handle = self.model.register_forward_hook(reduce)
        try:
            yield
        finally:
            handle.remove()

    @property
    def answer_names(self) -> tuple[str, ...]:
        """Names of the answers that can be explained: those of the task, else the classes."""
        return self.task.answer_names or self.classes

    def answer_name(self, answer: int) -> str:
        """Return an answer's name; its number if it has none."""
        return self.answer_names[answer] if 0 <= answer < len(self.answer_names) else str(answer)

    @cached_property
    def space(self) -> PixelSpace:
        """The pixel space of the input, with the statistics of the training images if there are any."""
        statistics = None
        images = self.read("train")
        if len(images):
            most = min(STATISTICS_IMAGES, STATISTICS_PIXELS // math.prod(self.size) + 1, len(images))
            chosen = np.linspace(0, len(images) - 1, most).astype(int)
            statistics = image_statistics([images.select(chosen).pixels()])
        return PixelSpace(self.mean, self.std, statistics)

    def input(self, images: ImageSet, indices: slice = slice(None)) -> Tensor:
        """Return normalised inputs (B, C, H, W) on the network's device."""
        pixels = images.pixels(indices)
        weight = next(self.model.parameters(), pixels)
        if self.preprocessing is not None:
            return self.preprocessing(pixels).to(weight.device)
        return PixelSpace(self.mean, self.std).to_input(pixels).to(weight.device)

    def batches(self, images: ImageSet) -> Iterator[Tensor]:
        """Yield inputs in batches."""
        for first in range(0, len(images), BATCH):
            yield self.input(images, slice(first, first + BATCH))

    def class_name(self, target: int) -> str:
        """Return a class's name; "" if not known."""
        if target < 0:
            return ""
        return self.classes[target] if target < len(self.classes) else str(target)

    @property
    def decoding(self) -> ImageSpec:
        """How files become pixels of the network's input size."""
        size = (self.size[0], self.size[1])
        return replace(self.spec or ImageSpec(size, len(self.mean)), size=size)

    def from_files(self, files: Sequence[Path]) -> ImageSet:
        """Read image files at the network's input size; the class is the folder's name if it is a class."""
        if self.preprocessing is not None:
            return self._from_other_files(self.preprocessing, files)
        pixels = [decode(file, self.decoding).pixels for file in files]
        targets = [self.classes.index(file.parent.name) if file.parent.name in self.classes else -1 for file in files]
        store = np.stack(pixels) if pixels else np.zeros((0, len(self.mean), *self.size), np.uint8)
        return ImageSet(tuple(map(str, files)), np.array(targets, np.int64), store, np.arange(len(files)))

    def _from_other_files(self, preprocessing: InputPreprocessing, files: Sequence[Path]) -> ImageSet:
        found = [one for file in files for one in preprocessing.decode_all(file)]
        store = np.stack([decoded.values for _, decoded in found])
        return ImageSet(tuple(name for name, _ in found), np.full(len(found), -1), store, np.arange(len(found)))


class InputInfo(BaseModel, frozen=True, extra="forbid"):
    """Preprocessing and names of the images of a custom module.

    Attributes:
        mean: mean of the pixels in [0, 1] per channel; () is 0. The module's input is (pixel - mean) / std.
        std: standard deviation per channel; () is 1.
        classes: names of the module's outputs.
        names: names of the images; () numbers them.
        home: folder in which ``explain/`` is created.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    home: Path = Path()


def wrap_module(
    model: nn.Module,
    pixels: NDArray[Any] | Tensor,
    targets: Sequence[int] | NDArray[np.int64] | Tensor | None = None,
    info: InputInfo | None = None,
    object_masks: NDArray[Any] | Tensor | None = None,
) -> AnalysisTarget:
    """Wrap any module and its images for `explain`.

    Args:
        model: module with any number of input channels; methods that need classes require (B, K) logits.
        pixels: (N, C, H, W), uint8 or float in [0, 1], before normalisation.
        targets: (N,) class indices.
        info: normalisation and names. Any other preprocessing is part of the module:
            ``nn.Sequential(preprocessing, network)``.
        object_masks: (N, H, W) masks of the objects: bool, or the class of each pixel and 255 for none.
    Raises:
        ConfigError: shapes that do not match.
    """
    info = info or InputInfo()
    store = pixels.detach().cpu().numpy() if isinstance(pixels, Tensor) else np.asarray(pixels)
    if store.ndim != 4 or not len(store):
        raise ConfigError(f"pixels: shape {store.shape}; give at least one image as (N, C, H, W)")
    count, channels = store.shape[:2]
    labels = np.full(count, -1) if targets is None else np.asarray(targets)
    names = info.names or tuple(f"image {i}" for i in range(count))
    for name, given, expected in (
        ("targets", len(labels), count), ("names", len(names), count),
        ("mean", len(info.mean) or channels, channels), ("std", len(info.std) or channels, channels),
    ):  # fmt: skip
        if given != expected:
            raise ConfigError(f"{name}: {given} for {count} images of {channels} channels; give {expected}")
    labels = labels.astype(np.int64)
    images = ImageSet(tuple(names), labels, store, np.arange(count), check_object_masks(object_masks, labels, store))
    mean, std = info.mean or (0.0,) * channels, info.std or (1.0,) * channels
    size = store.shape[2], store.shape[3]
    return AnalysisTarget(
        type(model).__name__, model, info.classes, mean, std, size, info.home / "explain", lambda _split: images
    )


def open_target(path: Path, on_progress: Progress | None = None) -> AnalysisTarget:
    """Open a run's network with its images, or a saved model, whose images are named as files.

    Raises:
        RunError: no such run, or it has no network yet.
        ModelError: the network cannot be loaded.
    """
    if is_bundle(path):
        model, config = load_bundle(path, inference_device("auto"))
        preprocessing, home = config.preprocessing, path / "explain"
        none = ImageSet(
            (),
            np.zeros(0, np.int64),
            np.zeros((0, preprocessing.channels, *preprocessing.size), np.uint8),
            np.zeros(0, int),
        )
        return AnalysisTarget(
            path.name,
            model,
            config.classes,
            preprocessing.mean,
            preprocessing.std,
            preprocessing.size,
            home,
            lambda _split: none,
            task=config.build_task(),
            **_reading(preprocessing),
        )
    folder = RunFolder.open(path)
    use_cores(folder.recipe().train.threads or None)
    model, config = load_bundle(folder.trained_model(), inference_device(folder.recipe().train.device))
    preprocessing, sets = config.preprocessing, _RunImages(folder, on_progress)
    return AnalysisTarget(
        path.resolve().name,
        model,
        config.classes,
        preprocessing.mean,
        preprocessing.std,
        preprocessing.size,
        path / "explain",
        sets.read,
        task=config.build_task(),
        **_reading(preprocessing),
    )


def _reading(preprocessing: InputPreprocessing) -> dict[str, Any]:
    """How files become inputs, as fields of `AnalysisTarget`."""
    if isinstance(preprocessing, ImagePreprocessing):
        return {"spec": preprocessing.spec, "shown_channels": preprocessing.shown_channels}
    return {"preprocessing": preprocessing}


class _RunImages:
    """The splits of a run, decoded on first use; the test split is not available."""

    def __init__(self, folder: RunFolder, on_progress: Progress | None) -> None:
        self._folder, self._on_progress = folder, on_progress
        self._read: dict[str, ImageSet] = {}

    def read(self, split: str) -> ImageSet:
        if split not in self._read:
            try:
                prepared = reload(self._folder, (split,), self._on_progress)
            except KeyError:
                raise RunError(f"{self._folder.path}: has no split {split}; train again") from None
            self._read[split] = image_set_of(prepared, split)
        return self._read[split]
