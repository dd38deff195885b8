"""Test-time augmentation: the logits of several views of an image are averaged.

"1" is the image itself. "5" are crops at the corners and the centre, "10" these and their mirror images (Krizhevsky et
al. 2012, section 4.1); "multi-scale" takes ten at each of three sizes (Simonyan and Zisserman 2015, section 3.2).
"shifts" suits small images: the whole image with weight two, and the image shifted by one pixel up and left, and down
and right, with their mirror images (Jordan 2024, arXiv:2404.00498, section 3.5): six views.

No view is mirrored where training did not mirror, since a mirrored digit is another sign: "10" then averages five
crops, "multi-scale" five at each size, "shifts" three views.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from convscope.bundle.bundle import BundleConfig
from convscope.datasets import TARGET_KINDS
from convscope.errors import ConfigError, did_you_mean

LARGER_SCALE = 8 / 7  # 256 for a crop of 224
SCALES = {"1": (), "5": (LARGER_SCALE,), "10": (LARGER_SCALE,), "multi-scale": (1.0, LARGER_SCALE, 9 / 7), "shifts": ()}
TTA_VIEWS = tuple(SCALES)


class AveragedViews(nn.Module):
    """A network whose output is the mean of its logits over views.

    Args:
        model: maps (B, C, H, W) of `size` to (B, K) logits.
        size: (H, W) of a crop.
        tta_views: one of `TTA_VIEWS`.
        mirror: whether the views include mirror images.

    Raises:
        ConfigError: `tta_views` is unknown.
    """

    def __init__(self, model: nn.Module, size: tuple[int, ...], tta_views: str, mirror: bool = True) -> None:
        super().__init__()
        if tta_views not in SCALES:
            raise ConfigError(f"views: no {tta_views}{did_you_mean(tta_views, TTA_VIEWS)}")
        self.model, self.size, self.tta_views, self.mirror = model, size, tta_views, mirror

    @property
    def input_size(self) -> tuple[int, ...]:
        """(H, W) of its input images: the largest of the sizes that it crops from."""
        largest = max(SCALES[self.tta_views], default=1.0)
        return tuple(round(largest * side) for side in self.size)

    @property
    def num_views(self) -> int:
        """Views per image."""
        return len(list(self.views(torch.zeros(1, 1, *self.input_size))))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H', W') images of `input_size` to (B, K) mean logits."""
        return self.average(self.per_view(x))

    def per_view(self, x: Tensor) -> Tensor:
        """(V, B, K) logits of each view; for "1" and "shifts" the first view is the unchanged image."""
        return torch.stack([self.model(view) for view in self.views(x)])

    def average(self, logits: Tensor) -> Tensor:
        """(V, B, K) logits of `per_view` to their (B, K) mean."""
        if self.tta_views == "shifts":  # the unshifted views have weight two
            logits = torch.cat([logits, logits[: 1 + self.mirror]])
        return logits.mean(dim=0)

    def views(self, x: Tensor) -> Iterator[Tensor]:
        """The views, each (B, C, H, W)."""
        if self.tta_views == "1":
            yield x
        if self.tta_views == "shifts":
            for shifted in (x, *shift_by_one_pixel(x)):
                yield from (shifted, shifted.flip(-1)) if self.mirror else (shifted,)
        for scale in SCALES[self.tta_views]:
            sides = [round(scale * side) for side in self.size]
            scaled = x
            if tuple(sides) != tuple(x.shape[-2:]):
                scaled = functional.interpolate(x, size=sides, mode="bilinear", antialias=True, align_corners=False)
            for crop in five_crops(scaled, (self.size[0], self.size[1])):
                yield crop
                if self.mirror and self.tta_views != "5":
                    yield crop.flip(-1)


def with_tta(model: nn.Module, config: BundleConfig, tta_views: str | None) -> AveragedViews:
    """A network with test-time augmentation, whose views have the size of the training images.

    Args:
        model: the network of a bundle.
        config: its configuration.
        tta_views: one of `TTA_VIEWS`; None: the bundle's default.

    Raises:
        ConfigError: `tta_views` is unknown, or the predictions are spatial.
    """
    tta_views = config.tta_views if tta_views is None else tta_views
    check_tta(config.build_task().target_kind, tta_views, len(config.preprocessing.size))
    return AveragedViews(model, config.preprocessing.size, tta_views, config.mirrored)


def check_tta(target_kind: str, tta_views: str, rank: int = 2) -> None:
    """Check that the views can be averaged: predictions with positions, such as masks and boxes, move with the view.

    Args:
        target_kind: the task's kind of target, see `tasks.Task.target_kind`.
        tta_views: one of `TTA_VIEWS`.
        rank: number of sides of the input.

    Raises:
        ConfigError: the predictions are spatial, or the inputs are no images, and there are several views.
    """
    if tta_views != "1" and rank != 2:
        raise ConfigError(f"views: {tta_views} is for images, and this network's input has {_sides(rank)}; use 1")
    if tta_views != "1" and TARGET_KINDS[target_kind].spatial:
        raise ConfigError(
            f"views: {tta_views} is not supported for {target_kind}, whose positions change with the view; use 1"
        )


def _sides(rank: int) -> str:
    return "1 side" if rank == 1 else f"{rank} sides"


def five_crops(x: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
    """The five crops of `size`; the whole images once if they are not larger."""
    height, width = size
    down, right = x.shape[-2] - height, x.shape[-1] - width
    positions = [(0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)]
    for top, left in dict.fromkeys(positions):
        yield x[..., top : top + height, left : left + width]


def shift_by_one_pixel(x: Tensor) -> tuple[Tensor, Tensor]:
    """The images shifted one pixel down and right, and one pixel up and left, with reflection padding."""
    height, width = x.shape[-2:]
    padded = functional.pad(x, (1, 1, 1, 1), mode="reflect")
    return padded[..., :height, :width], padded[..., 2:, 2:]
