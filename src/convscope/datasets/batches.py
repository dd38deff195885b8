"""Batches of images and targets, epoch by epoch."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field, InstanceOf, SerializeAsAny
from torch import Tensor
from torch.nn import functional

from convscope.datasets.augment.mixup import MIXES
from convscope.datasets.augment.pipeline import to_unit_floats
from convscope.datasets.inputs.image_input import IMAGE
from convscope.datasets.inputs.registry import INPUT_KINDS
from convscope.datasets.store.resources import available_memory
from convscope.datasets.targets.registry import DEFAULT_KIND


class BatchSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of `Batches`."""

    batch: int = Field(128, ge=1)
    mean: tuple[float, ...]
    """Per channel of the input, of the training images in [0, 1] units."""
    std: tuple[float, ...]
    input_kind: str = IMAGE
    """The kind of input, one of `INPUT_KINDS`, which augments and normalises."""
    policy: str | SerializeAsAny[InstanceOf[BaseModel]] = "none"
    """A name of a policy, or a policy of this kind of input."""
    mirror: bool = True
    """Whether the policy may mirror images left to right."""
    alternate: bool = True
    """Whether mirroring alternates between epochs instead of being random, so that any two epochs contain both
    versions (Jordan 2024, arXiv:2404.00498, section 3.6)."""
    shuffle: bool = False
    balanced: bool = False
    """Sample classes equally often, with replacement; the length of an epoch stays the same."""
    target_kind: str = DEFAULT_KIND
    """The kind of target, one of `TARGET_KINDS`: some are transformed with their images."""
    mix: Literal["none", "mixup", "cutmix"] = "none"
    """How images are mixed with others; targets are then (B, K) proportions."""
    mix_alpha: float = Field(0.2, gt=0)
    num_classes: int = 0
    """K, needed to mix class targets."""
    seed: int = 0
    device: str = "cpu"
    channels_last: bool = False


class Batches:
    """Iterator over the batches of an epoch: (x, y) with x (B, C, ...) float32, normalised, and y (B,) int64.

    Order and augmentation depend on (seed, epoch) only. When shuffled, a last batch of less than half the size, or
    of one image, is dropped (batch normalisation over few images is harmful), unless it is the only one.

    On a CUDA device, pixels that are not memory-mapped and take at most a quarter of its free memory are moved there
    once.

    Args:
        pixels: (N, C, ...) as stored: (H, W) uint8 of images, (L,) float32 of series; an array or a memory map.
        targets: (N, ...) returned unchanged, one row per image.
        indices: (M,) the rows to use.
    """

    def __init__(
        self,
        pixels: NDArray[Any],
        targets: NDArray[Any],
        indices: NDArray[np.int64],
        settings: BatchSettings,
    ) -> None:
        self.settings = settings
        self.device = torch.device(settings.device)
        self.targets = torch.from_numpy(np.ascontiguousarray(targets[indices]))
        self._input = INPUT_KINDS[settings.input_kind]
        self._augment = self._input.augmentation(settings.policy, settings.mirror)
        self._mirrored_first = torch.rand(len(self.targets), generator=generator_for(settings.seed)) < 0.5
        self._rows: Tensor | None = None
        in_memory = isinstance(pixels, np.ndarray) and not isinstance(pixels, np.memmap)
        self._undecoded: Any = None if isinstance(pixels, np.ndarray) else pixels
        if self.device.type == "cuda" and in_memory and _fits(pixels, len(indices), self.device):
            self._pixels = torch.from_numpy(pixels[indices]).to(self.device)
        else:
            self._pixels = torch.from_numpy(pixels if self._undecoded is None else pixels[:0])
            self._rows = torch.from_numpy(np.asarray(indices, np.int64))
        exceeds_memory = isinstance(pixels, np.memmap) and pixels.nbytes > available_memory() // 2
        self._prefetch = self.device.type != "cpu" or self._undecoded is not None or exceeds_memory
        shape = (1, -1, *[1] * len(self._input.sides))
        self._mean = torch.tensor(settings.mean, dtype=torch.float32, device=self.device).view(shape)
        self._std = torch.tensor(settings.std, dtype=torch.float32, device=self.device).view(shape)

    def __len__(self) -> int:
        """Batches per epoch."""
        whole, rest = divmod(len(self.targets), self.settings.batch)
        few = 2 * rest < self.settings.batch or rest == 1  # statistics of one image may not exist
        dropped = (self.settings.shuffle or self.settings.balanced) and whole > 0 and few
        return whole + (rest > 0 and not dropped)

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of an epoch.

        A thread prefetches one batch if preparation waits for a disk or a GPU; it ends with the iterator. If training
        itself runs on the CPU, prefetching would compete for its cores: OpenMP has more threads than cores, and a step
        of a small network takes twice as long.
        """
        order = self.order(epoch)
        count = len(self)
        if not self._prefetch:
            for number in range(count):
                yield self._batch(order, epoch, number)
            return
        with ThreadPoolExecutor(1, "convscope-batches") as worker:
            pending = [worker.submit(self._batch, order, epoch, number) for number in range(min(1, count))]
            for number in range(1, count + 1):
                ready = pending.pop().result()
                if number < count:
                    pending.append(worker.submit(self._batch, order, epoch, number))
                yield ready

    def single_pass(self, augmented: bool = False, shuffle: bool = False) -> "Batches":
        """Batches that contain each image once, augmented or not, shuffled or in order; pixels are shared."""
        plain = {"shuffle": shuffle, "balanced": False, "mix": "none"} | ({} if augmented else {"policy": "none"})
        other = copy(self)
        other.settings = self.settings.model_copy(update=plain)
        other._augment = self._input.augmentation(other.settings.policy, other.settings.mirror)
        return other

    def restricted(self, rows: Tensor) -> "Batches":
        """Batches of some of the images: `rows` (m,) are positions in `indices`; pixels are shared."""
        other = copy(self)
        other.targets, other._mirrored_first = self.targets[rows], self._mirrored_first[rows]
        other._rows = rows if self._rows is None else self._rows[rows]
        return other

    def order(self, epoch: int) -> Tensor:
        """(M,) positions in `indices`, in the order of the epoch."""
        generator = generator_for(self.settings.seed, epoch)
        if self.settings.balanced:
            _, kind, counts = torch.unique(self.targets, dim=0, return_inverse=True, return_counts=True)
            return torch.multinomial(1 / counts[kind].double(), len(kind), replacement=True, generator=generator)
        if self.settings.shuffle:
            return torch.randperm(len(self.targets), generator=generator)
        return torch.arange(len(self.targets))

    def _decoded(self, rows: Tensor) -> Tensor:
        return torch.from_numpy(self._undecoded[rows.numpy()])

    def _mirrored(self, chosen: Tensor, epoch: int) -> Tensor | bool:
        """Which images of a batch to mirror, or whether to mirror at random."""
        if not (self.settings.mirror and self.settings.alternate):
            return self.settings.mirror
        return self._mirrored_first[chosen] ^ bool(epoch % 2)

    def _batch(self, order: Tensor, epoch: int, number: int) -> tuple[Tensor, Tensor]:
        chosen = order[number * self.settings.batch : (number + 1) * self.settings.batch]
        rows = chosen if self._rows is None else self._rows[chosen]
        x = self._pixels[rows.to(self._pixels.device)] if self._undecoded is None else self._decoded(rows)
        if x.device.type != self.device.type and self.device.type == "cuda":
            x = x.pin_memory()  # so that the copy overlaps with computation
        x = x.to(self.device, non_blocking=True)
        generator = generator_for(self.settings.seed, epoch, number)
        y = self.targets[chosen]
        x, y = self._augment.augment_pair(x, y, self.settings.target_kind, generator, self._mirrored(chosen, epoch))
        if self.settings.mix != "none":
            shares = y if y.is_floating_point() else functional.one_hot(y, self.settings.num_classes).float()
            x, y = MIXES[self.settings.mix](to_unit_floats(x), shares, self.settings.mix_alpha, generator)
        layout = torch.channels_last if self.settings.channels_last else torch.contiguous_format
        return self._input.normalise(x, self._mean, self._std, layout), y.to(self.device)


def _fits(pixels: NDArray[Any], images: int, device: torch.device) -> bool:
    return images * pixels[:1].nbytes <= torch.cuda.mem_get_info(device)[0] // 4


def generator_for(*seeds: int) -> torch.Generator:
    """A CPU generator for all devices, so that runs on all devices draw the same random numbers."""
    state = np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) >> 1)
