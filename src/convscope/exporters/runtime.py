"""Predict with exported files in ONNX Runtime."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from torch import nn

from convscope.bundle import BundleConfig, FailedFile
from convscope.bundle.tta import AveragedViews
from convscope.datasets.inputs.kind import DecodedInput, InputPreprocessing
from convscope.datasets.inputs.opening import quiet_pillow
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError, ModelError
from convscope.exporters.onnx_file import FILE_SIZE, IMAGE
from convscope.tasks import Prediction, Task, ViewTransform

BATCH = 16
Session = Any
Encoded = bytes | Path


@dataclass(frozen=True, eq=False)
class Exported:
    """An exported model, opened in its runtime; it may be used by several threads at a time.

    Attributes:
        path: the file.
        session: the runtime's.
        config: the model's configuration, from the file.
        task: the task with its settings.
        card: facts about the run that the file carries.
    """

    path: Path
    session: Session
    config: BundleConfig
    task: Task
    card: Mapping[str, Any]

    @property
    def preprocessing(self) -> InputPreprocessing:
        """The preprocessing for the size of the network's input."""
        views = AveragedViews(
            nn.Identity(), self.config.preprocessing.size, self.config.tta_views, self.config.mirrored
        )
        return self.config.preprocessing.model_copy(update={"size": views.input_size})

    def decode(self, image: Encoded) -> DecodedInput:
        """Read one encoded image as `predict` does: at most as large as the network needs.

        Raises:
            DataError: it cannot be read.
        """
        return self.preprocessing.decode(image, self.task.any_size)

    def run(self, pixels: NDArray[np.uint8], file_size: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """The answers for a batch.

        Args:
            pixels: (B, H, W, C).
            file_size: (F, 2) height and width of the files, F = 1 or B; zeros: those of the pixels.
        """
        found = self.session.run(None, {IMAGE: pixels, FILE_SIZE: file_size})
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, found, strict=True))

    def answers(self, images: Sequence[Encoded]) -> list[dict[str, Any]]:
        """One record per encoded image, with the fields of `predict --json`; a damaged one has "error" alone.

        Args:
            images: contents of image files, or their paths.
        """
        names = [str(image) if isinstance(image, Path) else "" for image in images]
        return [_record(item) for item in self._predict_batch(images, names)]

    def predict(self, files: Sequence[Path]) -> Iterator[Prediction | FailedFile]:
        """Yield one result per file, in order, as `bundle.predict` does."""
        for start in range(0, len(files), BATCH):
            batch = files[start : start + BATCH]
            yield from self._predict_batch(batch, [str(file) for file in batch])

    def decoded(self, images: Sequence[Encoded]) -> list[DecodedInput | str]:
        """Decode images in threads; a text says why one cannot be read."""
        with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-decode") as pool:
            return list(pool.map(self._decoded, images))

    def predictions(self, decoded: Sequence[DecodedInput], names: Sequence[str]) -> list[Prediction]:
        """Predictions for decoded images: in one batch if they have one size, and no answer has the files' sizes."""
        one_by_one = len({image.values.shape for image in decoded}) > 1 or "pixels" in self.task.answer_places.values()
        rows = range(len(decoded))
        found: list[Prediction] = []
        for batch in [[row] for row in rows] if one_by_one else [list(rows)] if decoded else []:
            pixels = np.stack([decoded[row].values.transpose(1, 2, 0) for row in batch])
            sizes = np.array([decoded[row].whole for row in batch], np.int64)
            frames = [_frame(names[row], decoded[row]) for row in batch]
            found += self.task.from_answers(self.run(pixels, sizes), frames)
        return found

    def _predict_batch(self, images: Sequence[Encoded], names: Sequence[str]) -> list[Prediction | FailedFile]:
        decoded = self.decoded(images)
        readable = [(image, name) for image, name in zip(decoded, names, strict=True) if not isinstance(image, str)]
        found = iter(self.predictions([image for image, _ in readable], [name for _, name in readable]))
        return [
            FailedFile(name, image) if isinstance(image, str) else next(found)
            for image, name in zip(decoded, names, strict=True)
        ]

    def _decoded(self, image: Encoded) -> DecodedInput | str:
        try:
            return self.decode(image)
        except DataError as error:
            return str(error).removeprefix(f"{image if isinstance(image, Path) else 'image'}: ")

    @classmethod
    def from_bytes(cls, content: bytes, path: Path, threads: int = 0) -> Self:
        """Open a model from the content of its file; `threads` 0 leaves their number to the runtime.

        Raises:
            ModelError: the content is no model of convscope.
        """
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = threads
        try:
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime has an exception of its own for each state of a damaged file
            raise ModelError(f"{path}: not an ONNX model that ONNX Runtime opens; export the run again") from error
        facts = session.get_modelmeta().custom_metadata_map
        if "config" not in facts or session.get_inputs()[0].name != IMAGE:
            raise ModelError(
                f"{path}: not written by convscope export, or with --bare, so it has no preprocessing; export the run "
                "again"
            )
        config = BundleConfig.model_validate_json(facts["config"])
        return cls(path, session, config, config.build_task(), json.loads(facts["card"]))


def open_exported(path: str | PathLike[str], threads: int = 0) -> Exported:
    """Open a file that `convscope export` wrote.

    Args:
        path: an .onnx file with preprocessing.
        threads: of the runtime; 0: as many as there are cores.

    Raises:
        ModelError: there is no such file, or it was not written by convscope.
    """
    file = Path(path)
    if not file.is_file():
        raise ModelError(f"{file}: no such file; write it with: convscope export RUN")
    return Exported.from_bytes(file.read_bytes(), file, threads)


def _record(item: Prediction | FailedFile) -> dict[str, Any]:
    if isinstance(item, FailedFile):
        return {"error": item.why} | ({"file": item.file} if item.file else {})
    record = item.to_dict()
    if not item.file:
        del record["file"]
    return record


def _frame(name: str, decoded: DecodedInput) -> ViewTransform:
    left, top, right, bottom = decoded.visible
    return ViewTransform(name, (decoded.whole[0], decoded.whole[1]), left, top, right - left, bottom - top)
