"""Predict with exported files in ONNX Runtime."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from torch import nn

from convscope.bundle import BundleConfig, DecodedFile, FailedFile, Inference
from convscope.bundle.self_test import is_wanted
from convscope.datasets.inputs.opening import quiet_pillow
from convscope.datasets.store.resources import usable_cores
from convscope.errors import DataError, ModelError
from convscope.exporters.onnx_file import FILE_SIZE, IMAGE
from convscope.exporters.onnx_self_test import KEY, check_answers
from convscope.exporters.proof import BATCH
from convscope.tasks import Prediction, Task

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

    @cached_property
    def inference(self) -> Inference:
        """The steps around the network, which is in the file."""
        return Inference(nn.Identity(), self.config)

    def decode(self, image: Encoded, name: str = "") -> DecodedFile:
        """Read one encoded image as `predict` does: at most as large as the network needs.

        Raises:
            DataError: it cannot be read.
        """
        return self.inference.decode(image, name)

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
        return [_record(item) for item in self._predict_batch(images)]

    def predict(self, files: Sequence[Path]) -> Iterator[Prediction | FailedFile]:
        """Yield one result per file, in order, as `bundle.predict` does."""
        for start in range(0, len(files), BATCH):
            yield from self._predict_batch(files[start : start + BATCH])

    def decoded(self, images: Sequence[Encoded]) -> list[DecodedFile | FailedFile]:
        """Decode images in threads."""
        with quiet_pillow(), ThreadPoolExecutor(usable_cores(), "convscope-decode") as pool:
            return list(pool.map(self._decoded, images))

    def batches(
        self, decoded: Sequence[DecodedFile]
    ) -> Iterator[tuple[Sequence[DecodedFile], dict[str, NDArray[Any]]]]:
        """Yield decoded images with their answers: in one batch if they have one size, and no answer has the files'."""
        one_by_one = len({image.pixels.shape for image in decoded}) > 1 or "pixels" in self.task.answer_places.values()
        for batch in [[image] for image in decoded] if one_by_one else [decoded] if decoded else []:
            pixels = np.stack([image.pixels.transpose(1, 2, 0) for image in batch])
            yield batch, self.run(pixels, np.array([image.frame.size for image in batch], np.int64))

    def predictions(self, decoded: Sequence[DecodedFile]) -> list[Prediction]:
        """Predictions for decoded images, in their order."""
        found: list[Prediction] = []
        for batch, answers in self.batches(decoded):
            found += self.task.from_answers(answers, [image.frame for image in batch])
        return found

    def _predict_batch(self, images: Sequence[Encoded]) -> list[Prediction | FailedFile]:
        decoded = self.decoded(images)
        found = iter(self.predictions([image for image in decoded if isinstance(image, DecodedFile)]))
        return [image if isinstance(image, FailedFile) else next(found) for image in decoded]

    def _decoded(self, image: Encoded) -> DecodedFile | FailedFile:
        name = str(image) if isinstance(image, Path) else ""
        try:
            return self.decode(image, name)
        except DataError as error:
            return FailedFile(name, str(error).removeprefix(f"{name or 'image'}: "))

    @classmethod
    def from_bytes(cls, content: bytes, path: Path, threads: int = 0) -> Self:
        """Open a model from the content of its file; `threads` 0 leaves their number to the runtime.

        Raises:
            ModelError: the content is no model of convscope, or gives other answers than when it was written.
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
        opened = cls(path, session, config, config.build_task(), json.loads(facts["card"]))
        if KEY in facts and is_wanted():
            check_answers(opened.run, config.preprocessing, facts[KEY], path)
        return opened


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
    record = item.to_dict()
    if not item.file:
        del record["file"]
    return record
