"""Predictions for files by an exported file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from typing import Self

from convscope.errors import ConfigError
from convscope.exported.model import Exported, open_exported
from convscope.exported.runtimes import Runtime
from convscope.predictions import Prediction
from convscope.predictions.files import FailedFile, predict_files
from convscope.predictions.predictor import FilePredictor
from convscope.predictions.sources import Source


@dataclass(frozen=True, eq=False)
class ExportedPredictor(FilePredictor):
    """The network of an exported file, in ONNX Runtime."""

    exported: Exported

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Self:
        """Open a file that `convscope export` wrote.

        Raises:
            ModelError: there is no such file, or it was not written by convscope.
        """
        opened = open_exported(path)
        return cls(opened.answers_kind, opened)

    @classmethod
    def for_request(cls, path: str | PathLike[str], processes: int, runtime: Runtime) -> Self:
        """Open a file if it can do what is asked for.

        Raises:
            ConfigError: several processes, or PyTorch, are asked for.
            ModelError: see `open`.
        """
        if processes > 1:
            raise ConfigError(f"predict --processes {processes}: {path} uses all cores in one process; leave it out")
        if runtime == "torch":
            raise ConfigError(f"--runtime torch: {path} needs ONNX Runtime; give the folder of the run")
        return cls.open(path)

    @property
    def digest(self) -> str:
        """Of the weights."""
        return self.exported.facts["weights_sha256"]

    def items(
        self, sources: Iterable[Source], tta_views: str | None, on_batch: Callable[[int, float], None]
    ) -> Iterator[Prediction | FailedFile]:
        """Yield one item per source; see `FilePredictor.stream`.

        Raises:
            ConfigError: `tta_views` is given.
        """
        if tta_views is not None:
            raise ConfigError(
                f"predict --views {tta_views}: {self.exported.path} has the views that training chose; give the folder "
                "of the run"
            )
        return predict_files(self.exported, sources, on_batch)
