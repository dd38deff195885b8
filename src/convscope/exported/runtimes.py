"""Which program computes a run's predictions: PyTorch, or ONNX Runtime with the run's exported file."""

import hashlib
import json
import math
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from convscope.devices import machine
from convscope.errors import ConfigError, ModelError
from convscope.extras import extra

if TYPE_CHECKING:
    from convscope.exported.model import Exported

Runtime = Literal["auto", "torch", "onnx"]
"""`auto` is the program that was the fastest when the run was exported on this machine; without such a file PyTorch."""

FOLDER, MODEL_FILE, LATENCY_FILE = "export", "model.onnx", "latency.json"
NETWORK, FILE = "run", "onnx"
"""Names in `LATENCY_FILE`: the run itself in PyTorch, and its exported file."""


def exported_of(model: Path, weights: Path, runtime: Runtime, threads: int = 0) -> "Exported | None":
    """The exported file that predicts in place of a network; None: PyTorch does.

    Args:
        model: the folder of a run or of a saved model.
        weights: the weights file of its network, which must be those that were exported.
        runtime: what the user asks for.
        threads: of ONNX Runtime; 0: as many as there are cores.

    Raises:
        ConfigError: "onnx" is asked for, and there is no file, or that of another network.
        ModelError: the file cannot be opened.
        MissingExtraError: "onnx" is asked for, and ONNX Runtime is not installed.
    """
    file = model / FOLDER / MODEL_FILE
    if runtime == "torch" or (runtime == "auto" and not _is_faster(file.with_name(LATENCY_FILE))):
        return None
    if runtime == "onnx" and not file.is_file():
        raise ConfigError(f"--runtime onnx: {file} does not exist; write it with: convscope export {model}")
    with extra("onnx", "--runtime onnx"):
        from convscope.exported.model import open_exported

    try:
        found = open_exported(file, threads)
    except ModelError:
        if runtime == "auto":
            return None
        raise
    with weights.open("rb") as content:
        if found.facts["weights_sha256"] == hashlib.file_digest(content, "sha256").hexdigest():
            return found
    if runtime == "auto":
        return None
    raise ConfigError(
        f"--runtime onnx: {file} has an earlier network of the run; write it again with: convscope export {model}"
    )


def typical_seconds(batches: Mapping[str, Any]) -> float:
    """One number for a form: the geometric mean, over the sizes of the batches, of the median seconds."""
    return math.exp(sum(math.log(one["median_seconds"]) for one in batches.values()) / len(batches))


def _is_faster(latency: Path) -> bool:
    """Whether the exported file was faster than the run when both were measured on this machine."""
    if find_spec("onnxruntime") is None:
        return False
    try:
        found = json.loads(latency.read_text())
        forms = found["forms"]
        if found["machine"] != machine() or FILE not in forms:
            return False
        return typical_seconds(forms[FILE]["batches"]) < typical_seconds(forms[NETWORK]["batches"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
