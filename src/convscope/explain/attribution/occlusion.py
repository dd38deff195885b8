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


class OcclusionSettings(BaseModel, frozen=True, extra="forbid"):
    """The window's side and step in pixels, what it is filled with (network input units), images at once."""

    window: int = Field(16, ge=1)
    stride: int = Field(8, ge=1)
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
    if settings.window > min(height, width):
        raise ConfigError(f"occlusion: window {settings.window} on {height} x {width} pixels; choose a smaller one")
    if settings.stride > settings.window:
        raise ConfigError(
            f"occlusion: stride {settings.stride} skips pixels between windows of {settings.window}; choose less"
        )
    windows = [(top, left) for top in _starts(height, settings) for left in _starts(width, settings)]
    with preserve_state(model):
        fall, times = torch.zeros(len(x), height, width, device=x.device), torch.zeros(height, width, device=x.device)
        scores, chosen = class_scores(model(x), targets)
        done = 0
        for part in _parts(windows, max(1, settings.batch // len(x))):
            hidden = torch.stack([_hide(x, top, left, settings) for top, left in part])
            left_over, _ = class_scores(model(hidden.flatten(0, 1)), chosen.repeat(len(part)))
            drops = scores - left_over.reshape(len(part), len(x))
            for (top, left), drop in zip(part, drops.float(), strict=True):
                rows, columns = slice(top, top + settings.window), slice(left, left + settings.window)
                fall[:, rows, columns] += drop[:, None, None]
                times[rows, columns] += 1
            done += len(part)
            if on_progress:
                on_progress(done, len(windows))
    maps = (fall / times).cpu().numpy()
    return Attribution("occlusion", "", chosen.cpu().numpy(), scores.float().cpu().numpy(), maps[:, None], maps)


def _starts(length: int, settings: OcclusionSettings) -> range:
    """Windows start every stride pixels until one reaches the border, where it is cut off."""
    return range(0, max(length - settings.window, 0) + settings.stride, settings.stride)


def _hide(x: Tensor, top: int, left: int, settings: OcclusionSettings) -> Tensor:
    hidden = x.clone()
    hidden[:, :, top : top + settings.window, left : left + settings.window] = settings.fill
    return hidden


def _parts(windows: list[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    for first in range(0, len(windows), size):
        yield windows[first : first + size]
