"""The form `torch`: a program of `torch.export` that runs without convscope and without the network's source code."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.exporters.free_shape import free_shape
from convscope.exporters.latency import Predicting
from convscope.exporters.proof import Answers, Example, Parity, ProofError, compare, unplaced
from convscope.exporters.request import ExportedFiles, ExportRequest, refusal, written
from convscope.exporters.source import Source, metadata, open_source_model, preprocessing_of

PROGRAM_FILE, PARITY_FILE = "model.pt2", "model.pt2.parity.json"


class PixelNetwork(nn.Module):
    """A network with its task: pixels (B, C, h, w) uint8 at the size of its input to a dict of `Task.answers`."""

    mean: Tensor
    std: Tensor

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.network, self.task = source.network, source.task
        settings = preprocessing_of(self.network, source.config)
        for name, values in (("mean", settings.mean), ("std", settings.std)):
            self.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1))

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        x = (pixels.to(torch.float32) / 255 - self.mean) / self.std
        return self.task.answers(self.network(x))


def write(request: ExportRequest) -> ExportedFiles:
    """Write ``model.pt2`` and its proof; see `forms.export_model`."""
    request.no_bare("torch")
    source = open_source_model(request.model)
    examples = request.examples(source)
    program = program_of(source)
    proven = prove_program(source, program, examples)
    return written(request.folder, {PROGRAM_FILE: program}, proven, PARITY_FILE, examples[0])


def program_of(source: Source) -> bytes:
    """The content of the .pt2 file; its extra files are the texts of `metadata`.

    Raises:
        ModelError: PyTorch cannot trace the network.
        ConfigError: see `preprocessing_of`.
    """
    module, shape = PixelNetwork(source).eval(), free_shape(source.network, source.config)
    content = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            traced = torch.export.export(module, (shape.example(torch.uint8),), dynamic_shapes=(shape.dims,))
            torch.export.save(traced, content, extra_files=metadata(source))
    except RuntimeError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"export: PyTorch cannot trace the network {source.config.architecture.name} ({reason}); "
            "choose another network"
        ) from error
    return content.getvalue()


def opened(folder: Path, source: Source) -> Predicting:
    """The written program, as a function of decoded images of one size."""
    module = _loaded((folder / PROGRAM_FILE).read_bytes())
    multiple = free_shape(source.network, source.config).multiple
    return lambda images: _answers(module, [one.pixels for one in images], multiple)


def _loaded(program: bytes) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.load(io.BytesIO(program)).module()


def prove_program(source: Source, program: bytes, examples: Sequence[Example]) -> Parity:
    """Compare a program, read from its bytes, with its source on images, in batches.

    Raises:
        ProofError: it gives other answers.
    """
    module = _loaded(program)
    multiple = free_shape(source.network, source.config).multiple

    def run(batch: Sequence[Example]) -> list[Answers]:
        return [
            answers
            for part in _of_one_size(batch)
            for answers in _answers(module, [one.decoded.pixels for one in part], multiple)
        ]

    try:
        largest, different = compare(unplaced(examples), {}, run)
    except ProofError as error:
        raise ProofError(f"{error}; nothing was written") from error
    found = Parity(len(examples), largest, different)
    if not found.passed:
        raise ProofError(f"{refusal('program', source, found)}; nothing was written")
    return found


def _of_one_size(batch: Sequence[Example]) -> list[Sequence[Example]]:
    """The batch, or its examples one by one if they have several sizes."""
    return [batch] if len({one.decoded.pixels.shape for one in batch}) == 1 else [[one] for one in batch]


@torch.inference_mode()
def _answers(program: nn.Module, images: Sequence[NDArray[Any]], multiple: int) -> list[Answers]:
    """Answers for images of one size; sides are padded to a `multiple`, and the answers of the padding cut off."""
    pixels = np.stack(images)
    height, width = pixels.shape[2:]
    if multiple:
        pixels = np.pad(pixels, ((0, 0), (0, 0), (0, -height % multiple), (0, -width % multiple)), "edge")
    answers: dict[str, Any] = {name: value.numpy() for name, value in program(torch.from_numpy(pixels)).items()}
    if multiple:
        answers = {name: value[..., :height, :width] for name, value in answers.items()}
    return [{name: value[row : row + 1] for name, value in answers.items()} for row in range(len(images))]
