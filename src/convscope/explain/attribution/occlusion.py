"""How much the class's score falls when a window of the image is hidden."""

from collections.abc import Iterator

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from convscope.errors import ConfigError
from convscope.explain.attribution.attribution import Attribution
from convscope.explain.targets import class_scores
from convscope.modules import preserve_state
from convscope.progress import Progress

SHARE = 8  # windows of the default size that fit beside each other


class OcclusionSettings(BaseModel, frozen=True, extra="forbid"):
    """The window's side and step in pixels, what it is filled with (network input units), images at once.

    Attributes:
        window: None is an eighth of the image's shorter side: 16 at 128 pixels, 28 at 224, 1 below 16.
        stride: None is half of the window.
        fill: 0 is the mean colour where inputs are normalised.
        batch: images at once.
    """

    window: int | None = Field(None, ge=1)
    stride: int | None = Field(None, ge=1)
    fill: float = 0.0
    batch: int = Field(64, ge=1)


def occlusion(
    model: nn.Module,
    x: Tensor,
    targets: Tensor | None = None,
    settings: OcclusionSettings | None = None,
    on_progress: Progress | None = None,
) -> Attribution:
    """How much the class logit falls when a window over each pixel is hidden.

    Zeiler and Fergus 2014, section 4.2, with the drop instead of the remaining score; where windows overlap,
    their mean. Fill 0 is the mean colour where inputs are normalised.

    Args:
        model: any network with (B, K) logits.
        x: (B, C, H, W) images as the network takes them.
        targets: (B,) class indices; None takes the class that the network prefers.
        settings: the window.
        on_progress: called with the windows done, and of how many.
    Returns:
        Values (B, 1, H, W) and maps (B, H, W) in logit units; below 0 where hiding helps the class.
    Raises:
        ConfigError: a window larger than the image or a stride that skips pixels.
    """
    settings = settings or OcclusionSettings()
    height, width = x.shape[2:]
    side, stride = _window(settings, height, width)
    windows = [(top, left) for top in _starts(height, side, stride) for left in _starts(width, side, stride)]
    with preserve_state(model):
        fall, times = torch.zeros(len(x), height, width, device=x.device), torch.zeros(height, width, device=x.device)
        scores, chosen = class_scores(model(x), targets)
        done = 0
        for part in _parts(windows, max(1, settings.batch // len(x))):
            hidden = torch.stack([_hide(x, (top, left), side, settings.fill) for top, left in part])
            left_over, _ = class_scores(model(hidden.flatten(0, 1)), chosen.repeat(len(part)))
            drops = scores - left_over.reshape(len(part), len(x))
            for (top, left), drop in zip(part, drops.float(), strict=True):
                rows, columns = slice(top, top + side), slice(left, left + side)
                fall[:, rows, columns] += drop[:, None, None]
                times[rows, columns] += 1
            done += len(part)
            if on_progress:
                on_progress(done, len(windows))
    maps = (fall / times).cpu().numpy()
    return Attribution("occlusion", "", chosen.cpu().numpy(), scores.float().cpu().numpy(), maps[:, None], maps)


def _window(settings: OcclusionSettings, height: int, width: int) -> tuple[int, int]:
    """The side and the stride, chosen by the image's size where they are not given."""
    shorter = min(height, width)
    side = settings.window or max(1, shorter // SHARE)
    stride = settings.stride or max(1, side // 2)
    if side > shorter:
        raise ConfigError(f"occlusion: window {side} on {height} x {width} pixels; choose a smaller one")
    if stride > side:
        raise ConfigError(f"occlusion: stride {stride} skips pixels between windows of {side}; choose less")
    return side, stride


def _starts(length: int, side: int, stride: int) -> range:
    """Windows start every stride pixels until one reaches the border, where it is cut off."""
    return range(0, max(length - side, 0) + stride, stride)


def _hide(x: Tensor, corner: tuple[int, int], side: int, fill: float) -> Tensor:
    hidden = x.clone()
    hidden[:, :, corner[0] : corner[0] + side, corner[1] : corner[1] + side] = fill
    return hidden


def _parts(windows: list[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    for first in range(0, len(windows), size):
        yield windows[first : first + size]
