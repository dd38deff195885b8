"""An exported file that is served, by ONNX Runtime."""

import json
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, ClassVar

from convscope.errors import ModelError
from convscope.exported import Exported, open_exported
from convscope.server.served import Served, version_of


@dataclass(frozen=True, eq=False)
class ServedFile(Served):
    """An opened file; without a path, see `Served`."""

    exported: Exported

    platform: ClassVar[str] = "onnxruntime_onnx"

    @classmethod
    def open(cls, path: Path, name: str, threads: int) -> "ServedFile":
        """Open a file that `convscope export` wrote; `threads` of the runtime.

        Raises:
            ModelError: there is no such file, it was not written by convscope, or it is being replaced.
        """
        version = version_of([path])
        opened = open_exported(path, threads)
        if version_of([path]) != version:
            raise ModelError(f"{path}: changed while it was read; read it again")
        return cls(name, version or "", opened)

    @property
    def inference(self) -> Exported:
        """From files to predictions."""
        return self.exported

    @property
    def any_size(self) -> bool:
        """See `Served`."""
        return self.exported.input.any_size

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the network's input."""
        spec = self.exported.input.spec
        height, width = spec.size or (1, 1)
        return height, width, spec.channels

    def card(self) -> dict[str, Any]:
        """Return what a client can know of the model: the fields of its config.json, and facts about its run."""
        config = json.loads(self.exported.facts["config"])
        return {
            "name": self.name, "version": self.version, **config, **self.exported.card,
            "onnxruntime": installed("onnxruntime"), "device": "cpu",
        }  # fmt: skip
