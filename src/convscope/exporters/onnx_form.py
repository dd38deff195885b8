"""The form `onnx`: from pictures to answers in one file, proven in ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from convscope.exported import Exported, open_exported
from convscope.exported.runtimes import MODEL_FILE
from convscope.exported.self_test import KEY, answers_of
from convscope.exporters.first_difference import first_difference
from convscope.exporters.latency import Predicting
from convscope.exporters.onnx_file import bare_model, picture_model
from convscope.exporters.onnx_proof import parity
from convscope.exporters.proof import TOLERANCE, Example, Parity, ProofError, network_input
from convscope.exporters.request import ExportedFiles, ExportRequest, refusal, written
from convscope.exporters.source import Source, open_source_model

BARE_FILE, PARITY_FILE = "network.onnx", "parity.json"


def write(request: ExportRequest) -> ExportedFiles:
    """Write ``model.onnx``, its proof ``parity.json`` and, if asked, ``network.onnx``; see `forms.export_model`."""
    source = open_source_model(request.model)
    examples = request.examples(source)
    built = picture_model(source)
    proven = prove(source, built, examples)
    opened = Exported.from_bytes(built.SerializeToString(), Path(MODEL_FILE), answers=source.task)
    built.metadata_props.add(key=KEY, value=answers_of(opened.run, opened.input.spec))
    contents = {MODEL_FILE: built.SerializeToString()}
    if request.bare:
        contents[BARE_FILE] = _proven_bare(source, examples).SerializeToString()
    return written(request.folder, contents, proven, PARITY_FILE, examples[0])


def opened(folder: Path, _source: Source) -> Predicting:
    """The written file, as a function of decoded images."""
    return open_exported(folder / MODEL_FILE).predict


def prove(source: Source, built: onnx.ModelProto, examples: Sequence[Example]) -> Parity:
    """Compare a model with its source on images, each alone and in batches.

    Raises:
        ProofError: it gives other answers; the message says where the first difference arises.
    """
    opened = Exported.from_bytes(built.SerializeToString(), Path(MODEL_FILE), answers=source.task)
    try:
        found = parity(opened, examples)
    except ProofError as error:
        where = first_difference(source, built, examples[0])
        raise ProofError(f"{error}; {where}; nothing was written") from error
    if found.passed:
        return found
    where = first_difference(source, built, examples[0])
    raise ProofError(f"{refusal('ONNX model', source, found)}; {where}; nothing was written")


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
