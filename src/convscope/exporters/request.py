"""What is asked of an export, and what it returns."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convscope.bundle import DecodedFile
from convscope.errors import ConfigError
from convscope.exporters.examples import image_contents, resized_images, validation_images
from convscope.exporters.proof import Example, Parity, expected_answers
from convscope.exporters.source import Source
from convscope.files import atomic_write_all
from convscope.runs.folder import RunFolder, model_folder


@dataclass(frozen=True)
class ExportRequest:
    """What to export and where to.

    Attributes:
        model: the folder of a run or of a saved model.
        out: the folder to write into; None: ``export`` in `model`.
        bare: also write the network alone, from normalised tensors to its outputs.
        images: image files for the proof; none: files of the run's validation split.
    """

    model: Path
    out: Path | None = None
    bare: bool = False
    images: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder to write into."""
        return self.out or self.model / "export"

    @property
    def is_run(self) -> bool:
        """Whether the model is that of a run, which has data."""
        return model_folder(self.model) != self.model

    def examples(self, source: Source) -> list[Example]:
        """The images that prove the export, with the run's answers: given files or validation images, and other sizes.

        Raises:
            ConfigError: a saved model has no data, and no images are given.
            DataError: none of the images can be read.
        """
        if self.images:
            found = image_contents(self.images)
        elif not self.is_run:
            raise ConfigError(
                f"export {self.model}: a saved model has no validation images to prove the export; "
                "give some with --images"
            )
        else:
            found = validation_images(RunFolder.open(self.model))
        return expected_answers(source, [*found, *resized_images(found, source.config.preprocessing.channels)])

    def no_bare(self, form: str) -> None:
        """Refuse `bare` for a form that has no such file.

        Raises:
            ConfigError: it is set.
        """
        if self.bare:
            raise ConfigError(f"export --bare: only --to onnx writes the network alone, not {form}; leave it out")


@dataclass(frozen=True)
class ExportedFiles:
    """What an export wrote: files, and the proof of the answers."""

    folder: Path
    files: tuple[Path, ...]
    parity: Parity
    example: DecodedFile = field(repr=False)
    """An image of the proof."""
    latency: str = ""
    """A line on how long the form and the run take on this machine; empty if the form is not timed."""

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"files": [str(file) for file in self.files], "parity": self.parity.to_dict(), "latency": self.latency}


def written(folder: Path, contents: Mapping[str, bytes], parity: Parity, proof: str, example: Example) -> ExportedFiles:
    """Write files with their proof, whose name is `proof`, together: all or none.

    Args:
        folder: where to; created if it is missing.
        contents: contents by name.
        parity: the proof.
        proof: the name of its file.
        example: one of its images.
    """
    files = {**contents, proof: (json.dumps(parity.to_dict(), indent=2) + "\n").encode()}
    atomic_write_all({folder / name: content for name, content in files.items()})
    return ExportedFiles(folder, tuple(folder / name for name in files), parity, example.decoded)


def refusal(form: str, source: Source, found: Parity) -> str:
    """Why a form whose proof failed is not written."""
    return (
        f"export {source.config.architecture.name}: the {form} does not give the run's answers: {found}, "
        f"more than {found.tolerance:.0e}"
    )
