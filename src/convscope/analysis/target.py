"""What is looked into: a network, how pixels become its input, and where its images come from."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from torch import Tensor, nn

from convscope.analysis.images import ImageSet, check_object_masks, image_set_of
from convscope.bundle import is_bundle, load_bundle
from convscope.data import read_image
from convscope.devices import inference_device, use_cores
from convscope.errors import ConfigError, RunError
from convscope.explain import PixelSpace, color_axes
from convscope.progress import Progress
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import reload
from convscope.tasks import DEFAULT_TASK, Task

__all__ = ["AnalysisTarget", "ImageSet", "InputInfo", "open_target", "wrap_module"]

COLOR_IMAGES = 512  # training images whose colours painted pictures take
BATCH = 64


@dataclass(frozen=True, eq=False)
class AnalysisTarget:
    """A network with its images.

    Attributes:
        name: for titles.
        model: any module, on the device that it is to run on.
        classes: names of its outputs; none where they are not known.
        mean: of the pixels in [0, 1], for each channel: the input is (pixel - mean) / std.
        std: for each channel.
        size: (H, W) of its images.
        home: the folder in which ``explain/`` is made.
        read: from a set's name ("train" or "validation") to its images.
        white: see `data.read_image`.
        task: what its answers are; numbers name no classes.
        lookup: from an image's id to it, where ids are known; then files are not read.
    """

    name: str
    model: nn.Module
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: tuple[int, int]
    home: Path
    read: Callable[[str], ImageSet]
    white: float = 65535.0
    task: Task = DEFAULT_TASK(())  # noqa: RUF009  (frozen)
    lookup: Callable[[str], ImageSet | None] | None = None

    @contextmanager
    def class_scores_only(self) -> Iterator[None]:
        """Inside, a network that also says where answers with (B, K) class logits alone; others as ever."""
        if self.task.outputs_classes or not self.task.names_classes:
            yield
            return
        handle = self.model.register_forward_hook(lambda _module, _inputs, output: self.task.class_scores(output))
        try:
            yield
        finally:
            handle.remove()

    @cached_property
    def space(self) -> PixelSpace:
        """How pixels become the input, with the colours of the training images where there are any."""
        colors = None
        images = self.read("train")
        if len(images):
            few = np.linspace(0, len(images) - 1, min(COLOR_IMAGES, len(images))).astype(int)
            colors = color_axes([images.select(few).pixels()])
        return PixelSpace(self.mean, self.std, colors)

    def input(self, images: ImageSet, places: slice = slice(None)) -> Tensor:
        """(B, C, H, W) images as the network takes them, where it lives."""
        pixels = images.pixels(places)
        weight = next(self.model.parameters(), pixels)
        return PixelSpace(self.mean, self.std).to_input(pixels).to(weight.device)

    def batches(self, images: ImageSet) -> Iterator[Tensor]:
        """All images, some at a time."""
        for first in range(0, len(images), BATCH):
            yield self.input(images, slice(first, first + BATCH))

    def class_name(self, target: int) -> str:
        """A class's name; nothing where it is not known."""
        if target < 0:
            return ""
        return self.classes[target] if target < len(self.classes) else str(target)

    def from_files(self, files: Sequence[Path]) -> ImageSet:
        """Image files as the network takes them; a file's class is its folder's name where that is one."""
        pixels = [read_image(file, len(self.mean), self.size, self.white) for file in files]
        targets = [self.classes.index(file.parent.name) if file.parent.name in self.classes else -1 for file in files]
        store = np.stack(pixels) if pixels else np.zeros((0, len(self.mean), *self.size), np.uint8)
        return ImageSet(tuple(map(str, files)), np.array(targets, np.int64), store, np.arange(len(files)))


class InputInfo(BaseModel, frozen=True, extra="forbid"):
    """What there is to know of images that go into a module of one's own.

    Attributes:
        mean: of the pixels in [0, 1], for each channel; () is 0. The module's input is (pixel - mean) / std.
        std: for each channel; () is 1.
        classes: names of the module's outputs.
        names: of the images; () numbers them.
        home: the folder in which ``explain/`` is made.
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
    """A module that convscope never saw, and images for it, ready for `explain`.

    Args:
        model: gives (B, K) logits where classes are asked after; any number of input channels.
        pixels: (N, C, H, W), uint8 or float in [0, 1], before normalisation.
        targets: (N,) class indices.
        info: how pixels become the module's input, and names. Preprocessing of any other kind goes into the module:
            ``nn.Sequential(preprocessing, network)``.
        object_masks: (N, H, W) where the objects lie: bool, or the class of each place and 255 for none.
    Raises:
        ConfigError: arrays of other shapes.
    """
    info = info or InputInfo()
    store = pixels.detach().cpu().numpy() if isinstance(pixels, Tensor) else np.asarray(pixels)
    if store.ndim != 4 or not len(store):
        raise ConfigError(f"pixels: shape {store.shape}; give at least one image as (N, C, H, W)")
    count, channels = store.shape[:2]
    known = np.full(count, -1) if targets is None else np.asarray(targets)
    names = info.names or tuple(f"image {i}" for i in range(count))
    for what, given, wanted in (
        ("targets", len(known), count), ("names", len(names), count),
        ("mean", len(info.mean) or channels, channels), ("std", len(info.std) or channels, channels),
    ):  # fmt: skip
        if given != wanted:
            raise ConfigError(f"{what}: {given} for {count} images of {channels} channels; give {wanted}")
    known = known.astype(np.int64)
    images = ImageSet(tuple(names), known, store, np.arange(count), check_object_masks(object_masks, known, store))
    mean, std = info.mean or (0.0,) * channels, info.std or (1.0,) * channels
    size = store.shape[2], store.shape[3]
    return AnalysisTarget(
        type(model).__name__, model, info.classes, mean, std, size, info.home / "explain", lambda _split: images
    )


def open_target(path: Path, on_progress: Progress | None = None) -> AnalysisTarget:
    """A run's network with its images, or a saved model, whose images have to be named as files.

    Raises:
        RunError: there is no such run, or no network in it yet.
        ModelError: its network cannot be opened.
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
            preprocessing.white,
            config.build_task(),
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
        preprocessing.white,
        config.build_task(),
    )


class _RunImages:
    """A run's sets, each decoded when it is first asked for. The test set is not for looking at."""

    def __init__(self, folder: RunFolder, on_progress: Progress | None) -> None:
        self._folder, self._on_progress = folder, on_progress
        self._read: dict[str, ImageSet] = {}

    def read(self, split: str) -> ImageSet:
        if split not in self._read:
            try:
                prepared = reload(self._folder, (split,), self._on_progress)
            except KeyError:
                raise RunError(f"{self._folder.path}: has no set {split}; train it again") from None
            self._read[split] = image_set_of(prepared, split)
        return self._read[split]
