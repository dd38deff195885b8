"""How the maps of a few fixed images change while the network learns.

Written beside a training run, one small file an epoch, never more bytes than allowed: when they run out, every second
epoch goes and from then on only every second one is kept.
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
from convscope.explain.hooks import record
from convscope.explain.quantize import downsample, quantised


class SnapshotSettings(BaseModel, frozen=True, extra="forbid"):
    """How much is kept: channels per layer (evenly chosen), the maps' longest side, bytes in the folder in all."""

    channels: int = Field(16, ge=1)
    side: int = Field(32, ge=1)
    most_bytes: int = Field(50_000_000, ge=1)


@dataclass(frozen=True)
class Snapshots:
    """One layer's maps over the epochs.

    Attributes:
        layer: its name.
        epochs: (E,) int64, in order.
        channels: (c,) int64, their ids in the layer.
        maps: (E, P, c, h, w) float32 for P probe images, to 1/255 of each map's range.
    """

    layer: str
    epochs: np.ndarray
    channels: np.ndarray
    maps: np.ndarray

    def frames(self, probe: int = 0) -> np.ndarray:
        """Return (E, c, h, w) in [0, 1]: a channel's brightness is on one scale over all epochs."""
        maps = self.maps[:, probe]
        low = maps.min((0, 2, 3), keepdims=True)
        spread = maps.max((0, 2, 3), keepdims=True) - low
        return np.asarray((maps - low) / np.where(spread > 0, spread, 1))

    def to_json(self) -> dict[str, Any]:
        """Return epochs, channels, and how far the maps moved from each kept epoch to the next."""
        step = np.abs(np.diff(self.maps, axis=0)).mean((1, 2, 3, 4)) if len(self.maps) > 1 else np.zeros(0)
        return {
            "layer": self.layer,
            "epochs": self.epochs.tolist(),
            "channels": self.channels.tolist(),
            "mean_change": step.tolist(),
        }


def keep_snapshot(
    model: nn.Module,
    probes: Tensor,
    layers: Sequence[str],
    folder: Path,
    epoch: int,
    settings: SnapshotSettings | None = None,
) -> bool:
    """Write the probes' maps as of this epoch into the folder.

    Args:
        model: the network in training; left as it was found.
        probes: (P, C, H, W) the same few images every time.
        layers: ones that give maps (B, C, h, w).
        folder: made where absent; holds nothing else.
        epoch: its number; one that exists is written anew.
        settings: how much is kept.
    Returns:
        Whether it was kept: after thinning, epochs between the kept ones are not.
    Raises:
        ModelError: no such layer, or one without places.
        OSError: the disk.
    """
    settings = settings or SnapshotSettings()
    folder.mkdir(parents=True, exist_ok=True)
    with record(model, *layers) as kept:
        model(probes)
        arrays = [_small(kept.maps(layer), settings) for layer in layers]
    content = {f"{name}/{layer}": part[name] for layer, part in zip(layers, arrays, strict=True) for name in part}
    aside = folder / "writing.npz"
    np.savez_compressed(aside, **content)  # type: ignore[arg-type]
    if not _make_room(folder, epoch, settings.most_bytes - aside.stat().st_size):
        aside.unlink()
        return False
    os.replace(aside, _path(folder, epoch))  # noqa: PTH105
    return True


def read_snapshots(folder: Path, layer: str) -> Snapshots:
    """Return what was kept of one layer.

    Raises:
        DataError: the folder holds no snapshot of that layer.
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
        raise DataError(f"{folder}: no snapshot of layer {layer}; train with snapshots of it switched on")
    return Snapshots(layer, np.array(epochs), channels, np.stack(maps))


def strip(snapshots: Snapshots, probe: int = 0, gap: int = 2) -> np.ndarray:
    """Return one picture, uint8 (height, width), of a probe: a row for each channel, a column for each epoch."""
    frames = np.pad(snapshots.frames(probe), ((0, 0), (0, 0), (0, gap), (0, gap)), constant_values=0.5)
    epochs, channels, height, width = frames.shape
    return _bytes(frames.transpose(1, 2, 0, 3).reshape(channels * height, epochs * width))


def write_gif(snapshots: Snapshots, path: Path, probe: int = 0, scale: int = 4, milliseconds: int = 200) -> None:
    """Write an animated picture of a probe: a frame for each epoch, in it a square grid of channels."""
    from PIL import Image

    frames = np.pad(snapshots.frames(probe), ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=0.5)
    epochs, channels, height, width = frames.shape
    columns = int(np.ceil(np.sqrt(channels)))
    rows = -(-channels // columns)
    full = np.zeros((epochs, rows * columns, height, width), frames.dtype)
    full[:, :channels] = frames
    grids = full.reshape(epochs, rows, columns, height, width).transpose(0, 1, 3, 2, 4)
    grids = _bytes(grids.reshape(epochs, rows * height, columns * width)).repeat(scale, 1).repeat(scale, 2)
    for epoch, grid in enumerate(grids):  # Pillow joins frames that are equal; a marker that moves keeps each
        grid[-1, : 1 + epoch * (grid.shape[1] - 1) // max(1, epochs - 1)] = 255
        grid[0, 0] = epoch % 2 * 255
    pictures = [Image.fromarray(grid) for grid in grids]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0)


def _small(maps: Tensor, settings: SnapshotSettings) -> dict[str, np.ndarray]:
    """Choose channels evenly, shrink, and store as bytes with each map's range."""
    count = min(settings.channels, maps.shape[1])
    channels = torch.linspace(0, maps.shape[1] - 1, count).round().long()
    chosen = downsample(maps[:, channels.to(maps.device)].float(), settings.side)
    low, high, levels = quantised(chosen.cpu().numpy())
    return {"maps": levels, "low": low, "high": high, "channels": channels.numpy()}


def _make_room(folder: Path, epoch: int, room: int) -> bool:
    """Thin the folder until no more than `room` bytes are in it; say whether this epoch has a place in it."""
    while True:
        epochs = _epochs(folder)
        if len(epochs) >= 2 and (epoch - epochs[0]) % (epochs[1] - epochs[0]):
            return False
        if sum(_path(folder, one).stat().st_size for one in epochs if one != epoch) <= room:
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
