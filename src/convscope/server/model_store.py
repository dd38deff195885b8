"""The served models by name, each replaced when the network in its folder changes."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.datasets.store.resources import usable_cores
from convscope.errors import ConfigError, ConvscopeError, did_you_mean
from convscope.exported import is_exported
from convscope.files import unique_names
from convscope.predictions import Prediction
from convscope.predictions.files import DecodedFile
from convscope.printable import printable
from convscope.server.batcher import Batcher
from convscope.server.metrics import Metrics
from convscope.server.opening import open_served, served_version
from convscope.server.served import Served
from convscope.server.settings import ServerSettings
from convscope.web.errors import NotFoundError

POLL_SECONDS = 1.0  # between checks of the folders


@dataclass(frozen=True, eq=False)
class Serving:
    """A model with its batches.

    Attributes:
        model: the loaded network.
        batcher: its images in work.
        example: the prediction for a grey image.
    """

    model: Served
    batcher: Batcher[DecodedFile, Prediction]
    example: Prediction


class ModelStore:
    """The models of one process.

    Args:
        paths: folders of runs or saved models, or exported files.
        settings: settings of the server.
        metrics: receives what is measured; None: new ones.

    Raises:
        RunError, ModelError: a model cannot be opened.
    """

    def __init__(self, paths: Sequence[Path], settings: ServerSettings, metrics: Metrics | None = None) -> None:
        self.settings = settings
        self._paths = dict(zip(model_names(paths), paths, strict=True))
        self.metrics = metrics or Metrics(tuple(self._paths))
        self.compute = ThreadPoolExecutor(1, "convscope-compute")
        """One thread: the runtime itself uses several cores, and hooks of explain methods do not meet predictions."""
        self._decode = ThreadPoolExecutor(usable_cores(), "convscope-decode")
        self._failed: dict[str, str | None] = {}
        self._serving = {name: self._open(name) for name in self._paths}
        self.draining = False

    @property
    def names(self) -> list[str]:
        """The names of the models."""
        return list(self._paths)

    @property
    def explains(self) -> bool:
        """Whether one of the models draws heat maps."""
        return any(serving.model.explains for serving in self._serving.values())

    def get(self, name: str | None) -> Serving:
        """Return a model by its name; without one, the only model.

        Raises:
            NotFoundError: no such model.
            ConfigError: there are several and none is named.
        """
        if name is None and len(self._serving) > 1:
            raise ConfigError(f"model: {len(self._serving)} are served; name one of {', '.join(self._serving)}")
        chosen = next(iter(self._serving)) if name is None else name
        if chosen not in self._serving:
            raise NotFoundError(f"model: no {chosen[:80]}{did_you_mean(chosen, self._serving)}")
        return self._serving[chosen]

    @contextmanager
    def admitted(self, serving: Serving, images: int = 1) -> Iterator[None]:
        """Count images as in work inside the context.

        Raises:
            BusyError: too many are in work already.
        """
        with serving.batcher.admitted(images):
            self.metrics.set_pending(serving.model.name, serving.batcher.pending)
            try:
                yield
            finally:
                self.metrics.set_pending(serving.model.name, serving.batcher.pending - images)

    async def predict(self, serving: Serving, source: bytes | NDArray[np.uint8], name: str) -> Prediction:
        """Return the prediction for the bytes of a file, or for pixels (H, W, C), computed together with others.

        Raises:
            TooLargeError, UnsupportedImageError: it cannot be decoded.
        """
        return await serving.batcher.result(await self.decode(serving, source, name))

    async def decode(self, serving: Serving, source: bytes | NDArray[np.uint8], name: str) -> DecodedFile:
        """Decode the bytes of a file, or pixels (H, W, C), in a thread.

        Raises:
            TooLargeError, UnsupportedImageError: it cannot be decoded.
        """
        decode: Any = serving.model.decode if isinstance(source, bytes) else serving.model.from_array
        with serving.batcher.arriving():
            return await asyncio.get_running_loop().run_in_executor(self._decode, decode, source, name)

    async def follow(self) -> None:
        """Replace models whose folder changes, until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.reload_changed()

    async def reload_changed(self) -> list[str]:
        """Replace models whose folder changed, and return their names; one that cannot be opened stays as it was."""
        replaced, loop = [], asyncio.get_running_loop()
        for name, path in self._paths.items():
            version = await loop.run_in_executor(None, served_version, path)
            old = self._serving[name]
            if version is None or version in (old.model.version, self._failed.get(name)):
                continue
            try:
                self._serving[name] = await loop.run_in_executor(self.compute, self._open, name)
            except ConvscopeError as error:
                self._failed[name] = version
                print(f"convscope: {printable(str(error))}; the former model stays in use", file=sys.stderr)
                continue
            await old.batcher.close()
            replaced.append(name)
        return replaced

    async def close(self) -> None:
        """Answer the images in work, then end the threads."""
        for serving in self._serving.values():
            await serving.batcher.close()
        self._decode.shutdown()
        self.compute.shutdown()

    def _open(self, name: str) -> Serving:
        settings = self.settings
        model = open_served(self._paths[name], name, settings)

        def on_batch(size: int, seconds: float) -> None:
            self.metrics.observe(name, "batch_size", size)
            self.metrics.observe(name, "batch_seconds", seconds)

        batcher = Batcher[DecodedFile, Prediction](
            model.predict, self.compute, settings.max_batch, settings.max_pending, on_batch
        )
        return Serving(model, batcher, model.warm_up())


def model_names(paths: Sequence[Path]) -> list[str]:
    """Return a name for each model: that of its folder, or of its file without the ending, made unique.

    >>> model_names([Path("runs/digits-1"), Path("runs/cats-1"), Path("other/digits-1"), Path("shipped/cats.onnx")])
    ['digits-1', 'cats-1', 'digits-1-2', 'cats']
    """
    return unique_names(path.stem if is_exported(path) else path.resolve().name for path in paths)
