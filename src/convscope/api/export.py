"""Export a run or a saved model to another runtime, with proof that it gives the same answers."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convscope.exporters import ExportedFiles


def export(
    run: str | PathLike[str],
    to: str = "onnx",
    *,
    bare: bool = False,
    images: str | Path | Sequence[str | Path] = (),
    out: str | Path | None = None,
) -> "ExportedFiles":
    """Write a network in a form that other programs run, after proving that it gives the run's answers.

    "onnx" is a file that takes upright RGB pictures of any size and returns answers: it resizes, crops, normalises,
    runs the network, and converts boxes and masks to pixels of the picture. "torch" is a program of `torch.export`,
    "hub" a folder for the Hugging Face Hub.

    Args:
        run: the folder of a run or of a saved model.
        to: the form: "onnx", "torch" or "hub".
        bare: with "onnx", also write the network alone, from normalised tensors to its outputs.
        images: image files that prove the export; none: at least 200 of the run's validation images, completed by
            training images if there are fewer.
        out: the folder to write into; None: ``export`` in the run's folder.

    Raises:
        ProofError: the exported form gives other answers; nothing is written.
        MissingExtraError: the packages of the extra "onnx" are not installed.
        ConfigError: no such form, or a saved model without images.
        RunError, ModelError, DataError: the run, its network or the images cannot be read.
    """
    from convscope.exporters import ExportRequest, check_form, export_model

    check_form(to)
    given = [images] if isinstance(images, str | Path) else images
    folder = None if out is None else Path(out)
    return export_model(to, ExportRequest(Path(run), folder, bare, tuple(Path(image) for image in given)))
