"""What was kept of the training, epoch by epoch: the maps of a few fixed images."""

from collections import OrderedDict
from typing import Any

import numpy as np

from convscope.analysis.probe_strips import probes_of
from convscope.errors import ConfigError, ConvscopeError
from convscope.explain import Snapshots, quantised, read_snapshots
from convscope.explorer.backend.errors import NotAvailableError
from convscope.explorer.backend.image_sets import ImageSets
from convscope.explorer.backend.inputs import SentMaps
from convscope.explorer.backend.live_run import LiveRun

LAYERS = 8  # whose maps stay in memory
NOTE = "only these images and channels were kept during training, and at no more than 32 places a side"


class ProbeHistory:
    """What a run's training kept; a layer's maps stay in memory while one slides through them."""

    def __init__(self, run: LiveRun, image_sets: ImageSets) -> None:
        self.seen, self.sets = run, image_sets
        self._read: OrderedDict[str, tuple[tuple[float, ...], Snapshots]] = OrderedDict()

    def probes(self) -> dict[str, Any]:
        """The images and layers whose maps were kept, and at which epochs.

        Raises:
            NotYetError: none were.
        """
        kept = self._kept()
        names = list(self.seen.images("validation").names)
        images = [self.sets.record("validation", names.index(name)) for name in kept["names"] if name in names]
        layers = []
        for layer in kept["layers"]:
            found = self._of(layer)
            layers.append({"layer": layer, "epochs": found.epochs.tolist(), "channels": found.channels.tolist()})
        return {"images": images, "layers": layers, "note": NOTE}

    def maps(self, layer: str, probe: int, epoch: int) -> tuple[SentMaps, list[list[float]]]:
        """A probe's maps at an epoch, and each channel's range over all epochs, so that brightness can be compared.

        Raises:
            NotYetError: no maps were kept.
            ConfigError: no such layer, probe or epoch.
        """
        kept = self._kept()
        if layer not in kept["layers"]:
            raise ConfigError(f"layer {layer[:80]}: no maps were kept of it; choose one of {', '.join(kept['layers'])}")
        found = self._of(layer)
        if not 0 <= probe < found.maps.shape[1]:
            raise ConfigError(f"probe: no {probe}; choose from 0 to {found.maps.shape[1] - 1}")
        if epoch not in found.epochs:
            raise ConfigError(f"epoch: no maps of epoch {epoch}; choose one of {', '.join(map(str, found.epochs))}")
        maps = found.maps[int(np.flatnonzero(found.epochs == epoch)[0]), probe]
        low, high, levels = quantised(maps)
        scale = np.stack([found.maps[:, probe].min((0, 2, 3)), found.maps[:, probe].max((0, 2, 3))], 1)
        shape = (maps.shape[1], maps.shape[2])
        sent = SentMaps(
            layer, tuple(found.channels.tolist()), len(maps), shape, "maps", levels,
            low.astype(np.float32), high.astype(np.float32),
        )  # fmt: skip
        return sent, scale.tolist()

    def _kept(self) -> dict[str, Any]:
        try:
            return probes_of(self.seen.folder.probes)
        except ConvscopeError as error:
            raise NotAvailableError(str(error)) from None

    def _of(self, layer: str) -> Snapshots:
        """A layer's maps, read anew when an epoch came or went."""
        folder = self.seen.folder.probes
        times = tuple(file.stat().st_mtime for file in sorted(folder.glob("epoch_*.npz")))
        if layer not in self._read or self._read[layer][0] != times:
            try:
                self._read[layer] = times, read_snapshots(folder, layer)
            except (ConvscopeError, FileNotFoundError):  # none is there yet, or one was thinned out meanwhile
                raise NotAvailableError("probes: no epoch's maps are there yet; wait for the end of an epoch") from None
        self._read.move_to_end(layer)
        while len(self._read) > LAYERS:
            self._read.popitem(last=False)
        return self._read[layer][1]
