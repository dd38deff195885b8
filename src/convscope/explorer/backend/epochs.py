"""Feature maps of a few fixed probe images, recorded at each epoch of training."""

from collections import OrderedDict
from typing import Any

import numpy as np

from convscope.analysis.probe_strips import probes_of
from convscope.errors import ConfigError, ConvscopeError
from convscope.explainers import Snapshots, quantised, read_snapshots
from convscope.explorer.backend.image_sets import ImageSets
from convscope.explorer.backend.inputs import SelectedMaps
from convscope.explorer.backend.live_run import LiveRun
from convscope.web.errors import NotAvailableError

MAX_LAYERS = 8  # layers whose maps are cached
NOTE = "only these images and channels were recorded during training, at most 32 x 32 positions per map"


class ProbeHistory:
    """The recorded probe maps of a run, with the last layers cached."""

    def __init__(self, run: LiveRun, image_sets: ImageSets) -> None:
        self.run, self.image_sets = run, image_sets
        self._cache: OrderedDict[str, tuple[tuple[float, ...], Snapshots]] = OrderedDict()

    def probes(self) -> dict[str, Any]:
        """Return the probe images, and each recorded layer with its epochs and channels.

        Raises:
            NotAvailableError: no maps were recorded.
        """
        recorded = self._recorded()
        names = list(self.run.images("validation").names)
        images = [
            self.image_sets.record("validation", names.index(name)) for name in recorded["names"] if name in names
        ]
        layers = []
        for layer in recorded["layers"]:
            found = self._snapshots(layer)
            layers.append({"layer": layer, "epochs": found.epochs.tolist(), "channels": found.channels.tolist()})
        return {"images": images, "layers": layers, "note": NOTE}

    def maps(self, layer: str, probe: int, epoch: int) -> tuple[SelectedMaps, list[list[float]]]:
        """Return a probe's maps at an epoch, and each channel's range over all epochs, for a common brightness scale.

        Raises:
            NotAvailableError: no maps were recorded.
            ConfigError: no such layer, probe or epoch.
        """
        recorded = self._recorded()
        if layer not in recorded["layers"]:
            raise ConfigError(
                f"layer {layer[:80]}: no maps were recorded; choose one of {', '.join(recorded['layers'])}"
            )
        found = self._snapshots(layer)
        if not 0 <= probe < found.maps.shape[1]:
            raise ConfigError(f"probe: no {probe}; choose from 0 to {found.maps.shape[1] - 1}")
        if epoch not in found.epochs:
            raise ConfigError(f"epoch: no maps of epoch {epoch}; choose one of {', '.join(map(str, found.epochs))}")
        maps = found.maps[int(np.flatnonzero(found.epochs == epoch)[0]), probe]
        low, high, levels = quantised(maps)
        scale = np.stack([found.maps[:, probe].min((0, 2, 3)), found.maps[:, probe].max((0, 2, 3))], 1)
        shape = (maps.shape[1], maps.shape[2])
        selected = SelectedMaps(
            layer, tuple(found.channels.tolist()), len(maps), shape, "maps", levels,
            low.astype(np.float32), high.astype(np.float32),
        )  # fmt: skip
        return selected, scale.tolist()

    def _recorded(self) -> dict[str, Any]:
        try:
            return probes_of(self.run.folder.probes)
        except ConvscopeError as error:
            raise NotAvailableError(str(error)) from None

    def _snapshots(self, layer: str) -> Snapshots:
        """Return a layer's maps, reloaded when the recorded epochs change."""
        folder = self.run.folder.probes
        times = tuple(file.stat().st_mtime for file in sorted(folder.glob("epoch_*.npz")))
        if layer not in self._cache or self._cache[layer][0] != times:
            try:
                self._cache[layer] = times, read_snapshots(folder, layer)
            except (ConvscopeError, FileNotFoundError):  # none yet, or one was deleted meanwhile
                raise NotAvailableError("probes: no maps recorded yet; wait for the end of an epoch") from None
        self._cache.move_to_end(layer)
        while len(self._cache) > MAX_LAYERS:
            self._cache.popitem(last=False)
        return self._cache[layer][1]
