"""Proof of a page: its graph with its weights, in ONNX Runtime; the page repeats a self test where it is opened."""

from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime

from convscope.bundle import DecodedFile
from convscope.exporters.network import trace
from convscope.exporters.page_graph import PageGraph, page_graph
from convscope.exporters.proof import Answers, Example, Parity, ProofError, compare, network_input, unplaced
from convscope.exporters.request import refusal
from convscope.exporters.source import Source

TOLERANCE = 1e-3
TYPES = "float16", "float32"


def proven_graph(source: Source, examples: Sequence[Example]) -> tuple[PageGraph, Parity]:
    """The graph with weights of 16 bits, or of 32 if these change the answers, and the proof of its answers.

    Raises:
        ProofError: it gives other answers.
        ConfigError: see `page_graph`.
    """
    traced = trace(source.network, source.config, source.task)
    proofs = []
    for dtype in TYPES:
        graph = page_graph(traced, dtype, source.config.architecture.name)
        proofs.append(prove_graph(graph, examples, source, traced.multiple))
        if proofs[-1].passed:
            return graph, proofs[-1]
    raise ProofError(f"{refusal('page', source, proofs[-1])}; nothing was written")


def prove_graph(graph: PageGraph, examples: Sequence[Example], source: Source, multiple: int) -> Parity:
    """Compare a graph with its weights, run by ONNX Runtime, with the source on images.

    Raises:
        ProofError: it cannot be run.
    """
    run = answering(graph, source, multiple)
    found = compare(unplaced(examples), {}, lambda batch: [run(one.decoded) for one in batch], TOLERANCE)
    return Parity(len(examples), *found, tolerance=TOLERANCE)


def answering(graph: PageGraph, source: Source, multiple: int) -> Callable[[DecodedFile], Answers]:
    """Return a function from a decoded image to a graph's answers, whose positions are still those of the input."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    content = graph.model.SerializeToString()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(decoded: DecodedFile) -> Answers:
        x = network_input(source, decoded).numpy()
        height, width = x.shape[2:]
        if multiple > 1:
            x = np.pad(x, ((0, 0), (0, 0), (0, -height % multiple), (0, -width % multiple)), "edge")
        answers = dict(zip(names, session.run(None, {"x": x}), strict=True))
        if multiple:
            answers = {name: value[..., :height, :width] for name, value in answers.items()}
        return answers

    return run
