"""Export a model: build each form, prove it, then write it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

from convscope.bundle import load_bundle
from convscope.bundle.bundle import WEIGHTS_FILE
from convscope.errors import ConfigError, RunError
from convscope.exporters.examples import image_contents, resized_images, validation_images
from convscope.exporters.first_difference import first_difference
from convscope.exporters.onnx_file import Source, bare_model, picture_model
from convscope.exporters.proof import (
    TOLERANCE,
    Example,
    Parity,
    ProofError,
    expected_answers,
    network_input,
    parity,
)
from convscope.exporters.runtime import Exported
from convscope.files import atomic_write
from convscope.runs.folder import RunFolder, model_folder
from convscope.runs.pixel_settings import images_only

MODEL_FILE, BARE_FILE, PARITY_FILE = "model.onnx", "network.onnx", "parity.json"
BARE_BATCH = 8


@dataclass(frozen=True)
class ExportedFiles:
    """What an export wrote: files, and the proof of the one from pictures to answers."""

    folder: Path
    files: tuple[Path, ...]
    parity: Parity
    tolerance: float = TOLERANCE

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"files": [str(file) for file in self.files], "parity": self.parity.to_dict()}


def export_onnx(
    model: Path, out: Path | None = None, *, bare: bool = False, images: Sequence[Path] = ()
) -> ExportedFiles:
    """Write a model as ONNX after proving that it gives the model's answers.

    Args:
        model: the folder of a run or of a saved model.
        out: the folder to write into; None: ``export`` in `model`.
        bare: also write the network alone, from normalised tensors to its outputs.
        images: image files for the proof; none: files of the run's validation split.

    Raises:
        ProofError: the exported model gives other answers; nothing is written.
        ConfigError: a saved model without images for the proof, or the inputs are no images.
        RunError, ModelError, DataError: the model or the images cannot be read.
    """
    source = open_source_model(model)
    images_only(source.config.preprocessing.kind, "convscope export", model)
    contents = proof_images(model, source, images)
    built = picture_model(source)
    proven, examples = prove(source, built, contents)
    folder = out or model / "export"
    content = {MODEL_FILE: built}
    if bare:
        content[BARE_FILE] = _proven_bare(source, examples)
    for name, proto in content.items():
        atomic_write(folder / name, proto.SerializeToString())
    atomic_write(folder / PARITY_FILE, (json.dumps(proven.to_dict(), indent=2) + "\n").encode())
    names = [*content, PARITY_FILE]
    return ExportedFiles(folder, tuple(folder / name for name in names), proven)


def open_source_model(model: Path) -> Source:
    """Open the network of a run or a saved model, with the facts that exported files carry.

    Raises:
        RunError, ModelError: see `model_folder` and `load_bundle`.
    """
    folder = model_folder(model)
    network, config = load_bundle(folder)
    with (folder / WEIGHTS_FILE).open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    return Source(network, config, digest, _card(model))


def proof_images(model: Path, source: Source, images: Sequence[Path]) -> list[bytes]:
    """The contents of the images that prove an export: given files or the run's validation images, and other sizes.

    Raises:
        ConfigError: a saved model has no data, and no images are given.
    """
    if images:
        found = image_contents(images)
    elif model_folder(model) == model:
        raise ConfigError(
            f"export {model}: a saved model has no validation images to prove the export; give some with --images"
        )
    else:
        found = validation_images(RunFolder.open(model))
    return [*found, *resized_images(found, source.config.preprocessing.channels)]


def prove(source: Source, built: onnx.ModelProto, images: Sequence[bytes]) -> tuple[Parity, list[Example]]:
    """Compare a model with its source on images, each alone and in batches.

    Raises:
        ProofError: it gives other answers; the message says where the first difference arises.
    """
    name = source.config.architecture.name
    opened = Exported.from_bytes(built.SerializeToString(), Path(MODEL_FILE))
    examples = expected_answers(source, opened, images)
    try:
        found = parity(opened, examples)
    except ProofError as error:
        where = first_difference(source, built, examples[0])
        raise ProofError(f"{error}; {where}; nothing was written") from error
    if found.passed:
        return found, examples
    where = first_difference(source, built, examples[0])
    raise ProofError(
        f"export {name}: the ONNX model does not give the run's answers: {found}, more than {TOLERANCE:.0e}; {where}; "
        "nothing was written"
    )


def _proven_bare(source: Source, examples: Sequence[Example]) -> onnx.ModelProto:
    """The network alone, compared on the same images.

    Raises:
        ProofError: its outputs differ.
    """
    built, network = bare_model(source), source.network
    session = onnxruntime.InferenceSession(built.SerializeToString(), providers=["CPUExecutionProvider"])
    largest, multiple = 0.0, int(getattr(network, "multiple", 1))
    for example in examples:
        height, width = example.decoded.pixels.shape[1:]
        if height % multiple or width % multiple:
            continue
        x = network_input(source, example.decoded)
        with torch.inference_mode():
            expected = network(x).numpy()
        (found,) = session.run(None, {"x": x.numpy()})
        largest = max(largest, float(np.abs(found - expected).max()) / max(1.0, float(np.abs(expected).max())))
    if not largest <= TOLERANCE:
        raise ProofError(
            f"export --bare: the outputs differ by {largest:.1e} from the run's, more than {TOLERANCE:.0e}; "
            "nothing was written"
        )
    return built


def _card(model: Path) -> dict[str, Any]:
    """Facts about the run; none of a saved model."""
    try:
        run = RunFolder.open(model)
        environment, data = run.environment(), run.data()
    except RunError:
        return {}
    return {
        "data": Path(str(data["source"])).name,
        "fingerprint": data["fingerprint"],
        "images": {name: len(files) for name, files in data["splits"].items()},
        "convscope": environment.get("convscope", ""),
        "torch": environment.get("torch", ""),
    }
