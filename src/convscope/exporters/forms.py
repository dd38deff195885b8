"""Registry of the forms in which a network is exported: one file and one line each."""

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from convscope.errors import ConfigError, did_you_mean
from convscope.extras import require

if TYPE_CHECKING:
    from convscope.exporters.request import ExportedFiles, ExportRequest


@dataclass(frozen=True)
class Form:
    """The module in this folder whose function ``write(request)`` writes the form, and the extra that it needs."""

    module: str
    extra: str = ""
    timed: bool = False
    """Whether the module has a function ``opened(folder, source)``: the written form as a function; see `latency`."""


FORMS = {
    "onnx": Form("onnx_form", "onnx", timed=True),
    "torch": Form("torch_form", timed=True),
    "hub": Form("hub_form"),
    "page": Form("page_form", "onnx"),
}


def check_form(name: str) -> None:
    """Refuse a form that does not exist.

    Raises:
        ConfigError: there is no such form.
    """
    if name not in FORMS:
        raise ConfigError(f"export: no form {name}{did_you_mean(name, FORMS)}")


def export_model(name: str, request: "ExportRequest") -> "ExportedFiles":
    """Write a model in one of the forms after proving that it gives the model's answers.

    Args:
        name: one of `FORMS`.
        request: the model, and where to write.

    Raises:
        ConfigError: no such form, or a saved model without images for the proof.
        MissingExtraError: the packages that the form needs are not installed.
        ProofError: the form gives other answers; nothing is written.
        RunError, ModelError, DataError: the model or the images cannot be read.
    """
    check_form(name)
    form = FORMS[name]
    if form.extra:
        require(form.extra, "export")
    module: Any = import_module(f"convscope.exporters.{form.module}")
    found: ExportedFiles = module.write(request)
    return _timed(name, module, request, found) if form.timed else found


def _timed(name: str, module: Any, request: "ExportRequest", found: "ExportedFiles") -> "ExportedFiles":
    """The same files with ``latency.json``: the run and the form measured on this machine."""
    from convscope.exporters.latency import measure_forms, write_latency
    from convscope.exporters.source import open_source_model

    source = open_source_model(request.model)
    measured = measure_forms(source, {name: module.opened(found.folder, source)}, found.example)
    path, line = write_latency(found.folder, source, measured)
    return replace(found, files=(*found.files, path), latency=line)
