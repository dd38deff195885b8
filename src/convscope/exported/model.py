"""An exported file in ONNX Runtime: from the bytes of images to predictions, without PyTorch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from convscope.datasets.inputs.fitting import visible_window
from convscope.datasets.inputs.image import read_unfitted
from convscope.errors import ModelError
from convscope.exported import self_test
from convscope.exported.facts import FILE_SIZE, IMAGE, INPUT, PictureInput, answers_of
from convscope.predictions import Answers, Prediction, ViewTransform
from convscope.predictions.files import DecodedFile, FailedFile, predict_files
from convscope.predictions.self_test import is_wanted
from convscope.predictions.sources import FileContent, Source

Session = Any
Encoded = bytes | Path


@dataclass(frozen=True, eq=False)
class Exported:
    """An exported model, opened in its runtime; it may be used by several threads at a time.

    Attributes:
        path: the file.
        session: the runtime's.
        answers_kind: what its outputs mean, with the names of the classes.
        facts: the texts that the file carries; see `exported.facts`.
        input: how image files become pictures.
    """

    path: Path
    session: Session
    answers_kind: Answers
    facts: Mapping[str, str]
    input: PictureInput
    _prepare: Session = field(repr=False)

    noun: ClassVar[str] = "image"

    @property
    def card(self) -> dict[str, Any]:
        """Facts about the run that the file carries."""
        found: dict[str, Any] = json.loads(self.facts["card"])
        return found

    def decode(self, source: Path | bytes | NDArray[np.uint8], name: str) -> DecodedFile:
        """Read one file, the bytes of one, or pixels (H, W, C), with the pixels that `predict` gives a run's network.

        Raises:
            DataError: it cannot be read.
        """
        read = read_unfitted(source, self.input.spec, self.input.any_size)
        given = {IMAGE: read.pixels[None], FILE_SIZE: np.array([read.whole], np.int64)}
        pixels: NDArray[np.uint8] = self._prepare.run(None, given)[0][0]
        size = (pixels.shape[0], pixels.shape[1])
        left, top, right, bottom = visible_window(read.whole, size, self.input.spec.fit)
        frame = ViewTransform(name, read.whole, left, top, right - left, bottom - top)
        return DecodedFile(pixels.transpose(2, 0, 1), frame)

    def decode_all(self, file: Path) -> list[DecodedFile]:
        """The image of a file.

        Raises:
            DataError: it cannot be read.
        """
        return [self.decode(file, str(file))]

    def run(self, pixels: NDArray[np.uint8], file_size: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """The answers for a batch.

        Args:
            pixels: (B, H, W, C).
            file_size: (F, 2) height and width of the files, F = 1 or B; zeros: those of the pixels.
        """
        found = self.session.run(None, {IMAGE: pixels, FILE_SIZE: file_size})
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, found, strict=True))

    def batches(
        self, decoded: Sequence[DecodedFile]
    ) -> Iterator[tuple[Sequence[DecodedFile], dict[str, NDArray[Any]]]]:
        """Yield decoded images with their answers: in one batch if they have one size, and no answer has the files'."""
        places = self.answers_kind.answer_places.values()
        one_by_one = len({image.pixels.shape for image in decoded}) > 1 or "pixels" in places
        for batch in [[image] for image in decoded] if one_by_one else [decoded] if decoded else []:
            pixels = np.stack([image.pixels.transpose(1, 2, 0) for image in batch])
            yield batch, self.run(pixels, np.array([image.frame.size for image in batch], np.int64))

    def predict(self, images: Sequence[DecodedFile]) -> list[Prediction]:
        """Predictions for decoded images, in their order.

        Raises:
            ModelError: an answer is not finite.
        """
        found: list[Prediction] = []
        for batch, answers in self.batches(images):
            _require_finite(answers, batch)
            found += self.answers_kind.from_answers(answers, [image.frame for image in batch])
        return found

    def answers(self, images: Sequence[Encoded]) -> list[dict[str, Any]]:
        """One record per encoded image, with the fields of `predict --json`; a damaged one has "error" alone.

        Args:
            images: contents of image files, or their paths.
        """
        sources: list[Source] = [FileContent("", image) if isinstance(image, bytes) else image for image in images]
        return [_record(item) for item in predict_files(self, sources)]

    @classmethod
    def from_bytes(cls, content: bytes, path: Path, threads: int = 0, answers: Answers | None = None) -> Self:
        """Open a model from the content of its file.

        Args:
            content: the content.
            path: the file, for messages.
            threads: of the runtime; 0: as many as there are cores.
            answers: what its outputs mean; None: as the file says.

        Raises:
            ModelError: the content is no model of convscope, or gives other answers than when it was written.
        """
        session = open_session(content, path, threads)
        facts: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
        if "config" not in facts or session.get_inputs()[0].name != IMAGE:
            raise ModelError(
                f"{path}: not written by convscope export, or with --bare, so it has no preprocessing; export the run "
                "again"
            )
        if INPUT not in facts:
            raise ModelError(f"{path}: written by an earlier convscope; export the run again")
        given = PictureInput.from_metadata(facts)
        opened = cls(path, session, answers or answers_of(facts), facts, given, open_session(given.prepare, path, 1))
        if self_test.KEY in facts and is_wanted():
            self_test.check_answers(opened.run, given.spec, facts[self_test.KEY], path)
        return opened


def open_session(content: bytes, path: Path, threads: int) -> Session:
    """A session of ONNX Runtime on the processor; `threads` 0: as many as there are cores.

    Raises:
        ModelError: the content is no ONNX model.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has an exception of its own for each state of a damaged file
        raise ModelError(f"{path}: not an ONNX model that ONNX Runtime opens; export the run again") from error


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


def _require_finite(answers: Mapping[str, NDArray[Any]], batch: Sequence[DecodedFile]) -> None:
    for value in answers.values():
        finite = np.isfinite(value).reshape(len(batch), -1).all(1)
        if not finite.all():
            raise ModelError(
                f"{batch[int(finite.argmin())].frame.file}: the network's output for it is not a finite number; "
                "check the weights, or train the model again"
            )


def _record(item: Prediction | FailedFile) -> dict[str, Any]:
    record = item.to_dict()
    if not item.file:
        del record["file"]
    return record
