"""The HTML of a page: its modules, styles, facts and weights in one file that makes no request."""

import base64
import json
import re
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from convscope.bundle import Inference
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.exporters.free_shape import free_shape
from convscope.exporters.page_graph import PageGraph
from convscope.exporters.page_proof import answering
from convscope.exporters.proof import Parity
from convscope.exporters.source import Source, preprocessing_of
from convscope.printable import printable

MODULES = (
    "tensor.js", "convolution.js", "operators.js", "network.js", "fitting.js", "answers.js", "attribution.js", "dom.js",
    "picture.js", "drawing.js", "paint.js", "answer_view.js", "stage_view.js", "page.js",
)  # fmt: skip
"""In the order of their imports."""
STYLES = "page.css", "answer.css"
IMPORT = re.compile(r"^import\s[^;]*;\n", re.MULTILINE)
PATTERN_SIZE = 61, 85  # of the self test's picture: larger than small inputs, and of another aspect ratio
MOST_LISTED = 8  # classes in the first sentence


def facts(source: Source, graph: PageGraph, parity: Parity) -> dict[str, Any]:
    """What the page needs beside the graph: preprocessing, outputs, stages, texts and the self test."""
    config, network = source.config, source.network
    settings = preprocessing_of(network, config)
    multiple = free_shape(network, config).multiple
    return {
        "title": _title(source),
        "names": [printable(name) for name in config.classes],
        "architecture": config.architecture.name,
        "size": settings.size,
        "channels": settings.channels,
        "fit": settings.fit,
        "mean": [float(np.float32(value)) for value in settings.mean],
        "std": [float(np.float32(value)) for value in settings.std],
        "multiple": multiple,
        "input": "x",
        "outputs": [output.name for output in graph.model.graph.output],
        "stages": graph.stages,
        "scores": graph.scores,
        "firstIsBackground": source.task.ground_first,
        "darkPaper": settings.channels == 1 and settings.mean[0] < 0.5,
        "details": _details(source, parity),
        "selfTest": _self_test(source, graph, settings, multiple),
    }


def html(content: dict[str, Any], graph: PageGraph) -> str:
    """The page."""
    folder = files("convscope.exporters") / "page"
    text = (folder / "page.html").read_text(encoding="utf-8")
    parts = {
        "title": escape(content["title"]),
        "styles": "\n".join((folder / name).read_text(encoding="utf-8") for name in STYLES),
        "facts": _json(content),
        "graph": _json(graph.content),
        "weights": base64.b64encode(graph.weights).decode(),
        "modules": bundled([(folder / name).read_text(encoding="utf-8") for name in MODULES]),
    }
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: parts[found[1]], text)


def bundled(modules: list[str]) -> str:
    """ES modules as one, in their order: files that a browser opens from a disk cannot import each other."""
    return "\n".join(IMPORT.sub("", text).replace("\nexport ", "\n") for text in modules)


def pattern(channels: int) -> Any:
    """(H, W, C) uint8: the picture of the self test, which ``page.js`` draws by the same formula."""
    y, x, c = np.indices((*PATTERN_SIZE, channels))
    return ((7 * x + 13 * y + 50 * c + (x * y >> 3)) & 255).astype(np.uint8)


def _self_test(source: Source, graph: PageGraph, settings: ImagePreprocessing, multiple: int) -> dict[str, Any]:
    """The answers for `pattern`, of masks the scores of the first row."""
    decoded = Inference(source.model, source.config).decode(pattern(settings.channels), "")
    answers = answering(graph, source, multiple)(decoded)
    rows = {name: value[0, 0, 0] if value.ndim == 4 else value.ravel() for name, value in answers.items()}
    return {"size": PATTERN_SIZE, "answers": {name: [float(value) for value in row] for name, row in rows.items()}}


def _title(source: Source) -> str:
    data = printable(str(source.card.get("data", "")))
    return f"{source.config.architecture.name} on {data}" if data else source.config.architecture.name


def _details(source: Source, parity: Parity) -> list[tuple[str, str]]:
    config, card = source.config, source.card
    height, width = config.preprocessing.size
    images = ", ".join(f"{count:,} {name}" for name, count in card.get("images", {}).items())
    found = [
        ("Network", f"{config.architecture.name}, {config.num_parameters:,} parameters"),
        ("Input", f"{height} x {width} pixels, {'grey' if config.preprocessing.channels == 1 else 'RGB'}"),
        ("Data", f"{printable(str(card['data']))}: {images} images" if card else ""),
        ("Proof", f"{parity}, compared with the trained network"),
        ("Licence", printable(str(config.origin.get("licence", "")))),
        ("Origin of the weights", printable(str(config.origin.get("source", "")))),
        ("Weights, SHA-256", source.digest[:16]),
    ]
    return [(name, value) for name, value in found if value]


def _json(content: Any) -> str:
    """JSON that no HTML parser takes for the end of its script."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
