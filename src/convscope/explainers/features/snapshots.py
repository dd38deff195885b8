"""Feature maps of a few fixed probe images, saved during training.

One small file per epoch, within a size limit: when it is reached, every second epoch is deleted, and from then on only
every second epoch is saved.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from convscope.errors import DataError
from convscope.explainers.hooks import record
from convscope.explainers.quantize import downsample, quantised
from convscope.files import sync_folder

_WRITING = "writing.npz"


class SnapshotSettings(BaseModel, frozen=True, extra="forbid"):
    """What is saved: channels per layer (evenly spaced), longest side of the maps, maximum bytes of the folder."""

    channels: int = Field(16, ge=1)
    side: int = Field(32, ge=1)
    most_bytes: int = Field(50_000_000, ge=1)


@dataclass(frozen=True)
class Snapshots:
    """A layer's maps over the epochs.

    Attributes:
        layer: the layer's name.
        epochs: (E,) int64, in order.
        channels: (c,) int64, channel indices in the layer.
        maps: (E, P, c, h, w) float32 for P probe images, quantised to 1/255 of each map's range.
    """

    layer: str
    epochs: np.ndarray
    channels: np.ndarray
    maps: np.ndarray

    def frames(self, probe: int = 0) -> np.ndarray:
        """Return (E, c, h, w) in [0, 1]; each channel has one brightness scale for all epochs."""
        maps = self.maps[:, probe]
        low = maps.min((0, 2, 3), keepdims=True)
        extent = maps.max((0, 2, 3), keepdims=True) - low
        return np.asarray((maps - low) / np.where(extent > 0, extent, 1))

    def to_json(self) -> dict[str, Any]:
        """Return epochs, channels, and the mean absolute change of the maps from each saved epoch to the next."""
        change = np.abs(np.diff(self.maps, axis=0)).mean((1, 2, 3, 4)) if len(self.maps) > 1 else np.zeros(0)
        return {
            "layer": self.layer,
            "epochs": self.epochs.tolist(),
            "channels": self.channels.tolist(),
            "mean_change": change.tolist(),
        }


def save_snapshot(
    model: nn.Module,
    probes: Tensor,
    layers: Sequence[str],
    folder: Path,
    epoch: int,
    settings: SnapshotSettings | None = None,
) -> bool:
    """Save the feature maps of the probe images for this epoch.

    Args:
        model: the network in training; its state is restored.
        probes: (P, C, H, W), the same images for every epoch.
        layers: layers that return maps (B, C, h, w).
        folder: created if missing; contains nothing else.
        epoch: the epoch's number; an existing snapshot of it is replaced.
        settings: what is saved.
    Returns:
        Whether the snapshot was saved: after thinning, the epochs in between are not.
    Raises:
        ModelError: no such layer, or its output is not maps.
        OSError: the file cannot be written.
    """
    settings = settings or SnapshotSettings()
    folder.mkdir(parents=True, exist_ok=True)
    with record(model, *layers) as kept:
        model(probes)
        arrays = [_compress(kept.maps(layer), settings) for layer in layers]
    content = {f"{name}/{layer}": part[name] for layer, part in zip(layers, arrays, strict=True) for name in part}
    temporary = folder / _WRITING
    with temporary.open("wb") as file:
        np.savez_compressed(file, **content)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    if not _free_space(folder, epoch, settings.most_bytes - temporary.stat().st_size):
        temporary.unlink()
        return False
    temporary.replace(_path(folder, epoch))
    sync_folder(folder)
    return True


def forget_snapshots(folder: Path, epoch: int) -> None:
    """Delete the snapshots of epochs after this one, which a resumed run repeats, and an unfinished one."""
    (folder / _WRITING).unlink(missing_ok=True)
    for one in _epochs(folder):
        if one > epoch:
            _path(folder, one).unlink()


def read_snapshots(folder: Path, layer: str) -> Snapshots:
    """Read the snapshots of one layer.

    Raises:
        DataError: the folder contains no snapshot of the layer.
    """
    files = [(epoch, _path(folder, epoch)) for epoch in _epochs(folder)]
    epochs, maps, channels = [], [], np.zeros(0, np.int64)
    for epoch, path in files:
        with np.load(path, allow_pickle=False) as content:
            if f"maps/{layer}" not in content:
                continue
            low, high = content[f"low/{layer}"][..., None, None], content[f"high/{layer}"][..., None, None]
            maps.append(low + content[f"maps/{layer}"].astype(np.float32) / 255 * (high - low))
            channels = content[f"channels/{layer}"]
            epochs.append(epoch)
    if not maps:
        raise DataError(f"{folder}: no snapshot of layer {layer}; train with snapshots of it enabled")
    return Snapshots(layer, np.array(epochs), channels, np.stack(maps))


def strip(snapshots: Snapshots, probe: int = 0, gap: int = 2) -> np.ndarray:
    """Return an image, uint8 (height, width), of a probe: one row per channel, one column per epoch."""
    frames = np.pad(snapshots.frames(probe), ((0, 0), (0, 0), (0, gap), (0, gap)), constant_values=0.5)
    epochs, channels, height, width = frames.shape
    return _bytes(frames.transpose(1, 2, 0, 3).reshape(channels * height, epochs * width))


def write_gif(snapshots: Snapshots, path: Path, probe: int = 0, scale: int = 4, milliseconds: int = 200) -> None:
    """Write an animated GIF of a probe: one frame per epoch, each a square grid of channels."""
    from PIL import Image

    frames = np.pad(snapshots.frames(probe), ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=0.5)
    epochs, channels, height, width = frames.shape
    columns = int(np.ceil(np.sqrt(channels)))
    rows = -(-channels // columns)
    full = np.zeros((epochs, rows * columns, height, width), frames.dtype)
    full[:, :channels] = frames
    grids = full.reshape(epochs, rows, columns, height, width).transpose(0, 1, 3, 2, 4)
    grids = _bytes(grids.reshape(epochs, rows * height, columns * width)).repeat(scale, 1).repeat(scale, 2)
    for epoch, grid in enumerate(grids):  # Pillow merges equal frames; a moving marker keeps them distinct
        grid[-1, : 1 + epoch * (grid.shape[1] - 1) // max(1, epochs - 1)] = 255
        grid[0, 0] = epoch % 2 * 255
    images = [Image.fromarray(grid) for grid in grids]
    images[0].save(path, save_all=True, append_images=images[1:], duration=milliseconds, loop=0)


def _compress(maps: Tensor, settings: SnapshotSettings) -> dict[str, np.ndarray]:
    """Select evenly spaced channels, downsample, and quantise to bytes with a range per map."""
    count = min(settings.channels, maps.shape[1])
    channels = torch.linspace(0, maps.shape[1] - 1, count).round().long()
    chosen = downsample(maps[:, channels.to(maps.device)].float(), settings.side)
    low, high, levels = quantised(chosen.cpu().numpy())
    return {"maps": levels, "low": low, "high": high, "channels": channels.numpy()}


def _free_space(folder: Path, epoch: int, budget: int) -> bool:
    """Delete epochs until at most `budget` bytes remain; return whether this epoch is to be saved."""
    while True:
        epochs = _epochs(folder)
        if len(epochs) >= 2 and (epoch - epochs[0]) % (epochs[1] - epochs[0]):
            return False
        if sum(_path(folder, one).stat().st_size for one in epochs if one != epoch) <= budget:
            return True
        if len(epochs) < 2:
            return False
        for one in epochs[1::2]:
            _path(folder, one).unlink()


def _epochs(folder: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix("epoch_")) for path in folder.glob("epoch_*.npz"))


def _path(folder: Path, epoch: int) -> Path:
    return folder / f"epoch_{epoch:05d}.npz"


def _bytes(values: np.ndarray) -> np.ndarray:
    return (values * 255).round().astype(np.uint8)
