"""Exported files, opened in ONNX Runtime. No part of this room needs PyTorch."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convscope.extras import extra

if TYPE_CHECKING:
    from convscope.exported.model import Exported, open_exported
    from convscope.exported.predictor import ExportedPredictor

__all__ = ["Exported", "ExportedPredictor", "is_exported", "open_exported"]
HOMES = {"Exported": "model", "open_exported": "model", "ExportedPredictor": "predictor"}


def is_exported(path: Path) -> bool:
    """Whether a path names an exported file, not the folder of a run or of a saved model.

    >>> is_exported(Path("export/model.onnx")), is_exported(Path("runs/digits-1"))
    (True, False)
    """
    return path.suffix.lower() == ".onnx"


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: without ONNX Runtime the error says how to install it.

    Raises:
        MissingExtraError: it is not installed.
    """
    if name not in HOMES:
        raise AttributeError(f"module 'convscope.exported' has no attribute {name!r}")
    with extra("onnx", "exported files"):
        return getattr(import_module(f"convscope.exported.{HOMES[name]}"), name)
