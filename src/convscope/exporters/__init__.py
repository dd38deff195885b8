"""Export trained networks to other runtimes, and prove that they give the same answers."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from convscope.exporters.forms import FORMS, check_form, export_model
from convscope.extras import extra

if TYPE_CHECKING:
    from convscope.exporters.proof import Parity, ProofError
    from convscope.exporters.request import ExportedFiles, ExportRequest

__all__ = [
    "FORMS",
    "ExportRequest",
    "ExportedFiles",
    "Parity",
    "ProofError",
    "check_form",
    "export_model",
]
HOMES = {
    **dict.fromkeys(("ExportRequest", "ExportedFiles"), "request"),
    **dict.fromkeys(("Parity", "ProofError"), "proof"),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: without the extra `onnx` the error says how to install it.

    Raises:
        MissingExtraError: it is not installed.
    """
    if name not in HOMES:
        raise AttributeError(f"module 'convscope.exporters' has no attribute {name!r}")
    with extra("onnx", "export"):
        return getattr(import_module(f"convscope.exporters.{HOMES[name]}"), name)
