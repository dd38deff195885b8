"""Label corrections and excluded images: saved in the run, and as a table for the next training."""

import csv
import io
import json
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from convscope.datasets import Dataset
from convscope.errors import ConfigError, RunError
from convscope.files import atomic_write, unique_stems
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import SPLITS, open_source
from convscope.web.errors import NotAvailableError


class CorrectedLabel(BaseModel, frozen=True, extra="forbid"):
    """The label is wrong; `class` is the index of the correct one."""

    kind: Literal["label"] = "label"
    class_: int = Field(alias="class", ge=0)


class ExcludedImage(BaseModel, frozen=True, extra="forbid"):
    """The image is excluded from training and evaluation."""

    kind: Literal["exclude"] = "exclude"


Correction = Annotated[CorrectedLabel | ExcludedImage, Field(discriminator="kind")]
CORRECTION: TypeAdapter[Correction] = TypeAdapter(Correction)


class LabelCorrections:
    """The corrections of a run by image name, in its ``corrections/corrections.json`` and ``corrections/data.csv``."""

    def __init__(self, folder: RunFolder) -> None:
        self._run, self._lock = folder, Lock()
        self.folder = folder.corrections
        self.file = self.folder / "corrections.json"
        self.table = self.folder / "data.csv"
        self._corrections = self._read()
        self._dataset: Dataset | None = None

    def of(self, name: str) -> dict[str, Any] | None:
        """Return an image's correction; None if it has none."""
        return self._corrections.get(name)

    def all(self) -> dict[str, dict[str, Any]]:
        """Return all corrections by image name."""
        return dict(self._corrections)

    def set(self, name: str, correction: Any) -> dict[str, Any]:
        """Correct or exclude an image, and rewrite the table.

        Raises:
            ConfigError: an invalid correction.
            NotAvailableError: the run's task does not have one class per image.
        """
        classes = self._run.data()["classes"]
        try:
            parsed = CORRECTION.validate_python(correction)
        except ValidationError:
            raise ConfigError('correction: give {"kind": "label", "class": 3} or {"kind": "exclude"}') from None
        if isinstance(parsed, CorrectedLabel) and parsed.class_ >= len(classes):
            raise ConfigError(f"correction: no class {parsed.class_}; choose from 0 to {len(classes) - 1}")
        saved: dict[str, Any] = parsed.model_dump(by_alias=True)
        self._save({**self._corrections, name: saved})
        return saved

    def remove(self, name: str) -> None:
        """Remove an image's correction, if it has one."""
        self._save({other: correction for other, correction in self._corrections.items() if other != name})

    def _save(self, corrections: dict[str, dict[str, Any]]) -> None:
        task = self._run.recipe().task_class
        if not task.single_class:
            raise NotAvailableError(
                f"corrections: the run's task is {task.name}; labels are corrected for one class per image only"
            )
        with self._lock:
            atomic_write(self.table, self._table(corrections).encode(errors="surrogateescape"))
            atomic_write(self.file, (json.dumps(corrections, indent=1) + "\n").encode())
            self._corrections = corrections

    def _opened(self, target_kind: str | None) -> Dataset:
        recipe = self._run.recipe()
        return open_source(recipe.data, target_kind, recipe.input)

    def _table(self, corrections: dict[str, dict[str, Any]]) -> str:
        """Return the CSV of all images that are not excluded, with corrected labels, each in its split."""
        content = self._run.data()
        dataset = self._dataset = self._dataset or self._opened(content.get("target_kind"))
        row = {name: i for i, name in enumerate(dataset.names)}
        stems = () if isinstance(dataset.images, tuple) else unique_stems(dataset.names)
        grouped = dataset.groups is not None and any(dataset.groups)
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["image", "label", "split", *(["group"] if grouped else [])])
        for split in SPLITS:
            for name in content["splits"][split]:
                correction = corrections.get(name)
                if name not in row or (correction and correction["kind"] == "exclude"):
                    continue
                i = row[name]
                label = (
                    content["classes"][correction["class"]] if correction else dataset.classes[int(dataset.targets[i])]
                )
                group = [str(dataset.groups[i])] if grouped and dataset.groups is not None else []
                lines.writerow([self._path(dataset, i, stems[i] if stems else ""), label, split, *group])
        return text.getvalue()

    def _path(self, dataset: Dataset, row: int, stem: str) -> str:
        """Return the path of an image; one without a file of its own is written next to the table, as `stem`."""
        if isinstance(dataset.images, tuple):
            return str(Path(dataset.images[row]).absolute())
        name = f"images/{stem}.png"
        if not (self.folder / name).exists():
            pixels = np.asarray(dataset.images[row])
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(self.folder / name)
        return name

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self.file.exists():
            return {}
        try:
            content = json.loads(self.file.read_text(encoding="utf-8"))
            return {
                name: CORRECTION.validate_python(correction).model_dump(by_alias=True)
                for name, correction in content.items()
            }
        except (OSError, ValueError, AttributeError):
            raise RunError(f"{self.file}: damaged; delete it to start without corrections") from None
