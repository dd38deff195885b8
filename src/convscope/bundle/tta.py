"""Several looks at each image: the network answers for crops of a larger picture, and the logits are averaged.

One crop is the usual answer. Five are the corners and the centre, ten these and their mirror images (Krizhevsky et al.
2012, section 4.1); "multi-scale" takes ten at each of three sizes (Simonyan and Zisserman 2015, section 3.2). "shifts"
suits small images: the whole, counted twice, and the whole moved a pixel up and left and down and right, with their
mirror images where training mirrored too (Jordan 2024, arXiv:2404.00498, section 3.5): six looks, or three.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from convscope.bundle.bundle import BundleConfig
from convscope.data import TARGET_KINDS
from convscope.errors import ConfigError, did_you_mean

LARGER_SCALE = 8 / 7  # 256 for a crop of 224
SCALES = {"1": (), "5": (LARGER_SCALE,), "10": (LARGER_SCALE,), "multi-scale": (1.0, LARGER_SCALE, 9 / 7), "shifts": ()}
TTA_VIEWS = tuple(SCALES)


class AveragedViews(nn.Module):
    """A network that answers with the mean of its logits over crops.

    Args:
        model: takes (B, C, H, W) of `size`, gives (B, K) logits.
        size: (H, W) of a crop.
        tta_views: one of `TTA_VIEWS`; with "1" the network is asked once, about the image as it is.
        mirror: whether "shifts" looks at mirror images too; the other ways are what their papers say.

    Raises:
        ConfigError: when there are no such crops.
    """

    def __init__(self, model: nn.Module, size: tuple[int, int], tta_views: str, mirror: bool = True) -> None:
        super().__init__()
        if tta_views not in SCALES:
            raise ConfigError(f"views: no {tta_views}{did_you_mean(tta_views, TTA_VIEWS)}")
        self.model, self.size, self.tta_views, self.mirror = model, size, tta_views, mirror

    @property
    def input_size(self) -> tuple[int, int]:
        """(H, W) of the images that it wants: the largest of the sizes that it crops from."""
        height, width = self.size
        largest = max(SCALES[self.tta_views], default=1.0)
        return round(largest * height), round(largest * width)

    @property
    def num_views(self) -> int:
        """Looks at each image."""
        return len(list(self.views(torch.zeros(1, 1, *self.input_size))))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H', W') images of the size that it `takes` to (B, K) mean logits."""
        return self.average(self.per_view(x))

    def per_view(self, x: Tensor) -> Tensor:
        """(V, B, K) logits, look by look; "1" and "shifts" begin with the image as it is."""
        return torch.stack([self.model(view) for view in self.views(x)])

    def average(self, logits: Tensor) -> Tensor:
        """(V, B, K) logits of `per_view` to (B, K) mean ones."""
        if self.tta_views == "shifts":  # what was not moved counts twice
            logits = torch.cat([logits, logits[: 1 + self.mirror]])
        return logits.mean(dim=0)

    def views(self, x: Tensor) -> Iterator[Tensor]:
        """The crops, each (B, C, H, W)."""
        if self.tta_views == "1":
            yield x
        if self.tta_views == "shifts":
            for moved in (x, *shift_by_one_pixel(x)):
                yield from (moved, moved.flip(-1)) if self.mirror else (moved,)
        for scale in SCALES[self.tta_views]:
            sides = [round(scale * side) for side in self.size]
            scaled = x
            if tuple(sides) != tuple(x.shape[-2:]):
                scaled = functional.interpolate(x, size=sides, mode="bilinear", antialias=True, align_corners=False)
            for crop in five_crops(scaled, self.size):
                yield crop
                if self.tta_views != "5":
                    yield crop.flip(-1)


def with_tta(model: nn.Module, config: BundleConfig, tta_views: str | None) -> AveragedViews:
    """A network that looks at crops, each as large as the images that it was trained on.

    Args:
        model: the network of a bundle.
        config: the bundle's.
        tta_views: one of `TTA_VIEWS`; None: those of the bundle.

    Raises:
        ConfigError: when there are no such crops, or the answer is a place, which moves with the crop.
    """
    tta_views = config.tta_views if tta_views is None else tta_views
    check_tta(config.build_task().target_kind, tta_views)
    return AveragedViews(model, config.preprocessing.size, tta_views, config.mirrored)


def check_tta(target_kind: str, tta_views: str) -> None:
    """Several looks are not for masks and boxes.

    Args:
        target_kind: the task's kind of targets, see `tasks.Task.target_kind`.
        tta_views: one of `TTA_VIEWS`.

    Raises:
        ConfigError: the answer is a place, which moves with the crop.
    """
    if tta_views != "1" and TARGET_KINDS[target_kind].spatial:
        raise ConfigError(
            f"views: {tta_views} looks cannot be averaged where the answer is a place, as for {target_kind}"
        )


def five_crops(x: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
    """The five crops of `size`; where the images are no larger, the whole of them once."""
    height, width = size
    down, right = x.shape[-2] - height, x.shape[-1] - width
    positions = [(0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)]
    for top, left in dict.fromkeys(positions):
        yield x[..., top : top + height, left : left + width]


def shift_by_one_pixel(x: Tensor) -> tuple[Tensor, Tensor]:
    """The images moved a pixel down and right, and a pixel up and left; the border is mirrored into what opens up."""
    height, width = x.shape[-2:]
    wider = functional.pad(x, (1, 1, 1, 1), mode="reflect")
    return wider[..., :height, :width], wider[..., 2:, 2:]
