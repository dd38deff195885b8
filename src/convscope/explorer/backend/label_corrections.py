"""Images whose label is wrong, or that should be left out: kept in the run, and as a table for the next training."""

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
from convscope.explorer.backend.errors import NotAvailableError
from convscope.files import atomic_write
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import SPLITS, open_source


class CorrectedLabel(BaseModel, frozen=True, extra="forbid"):
    """The label is wrong; it should be the class of this index."""

    kind: Literal["label"] = "label"
    class_: int = Field(alias="class", ge=0)


class ExcludedImage(BaseModel, frozen=True, extra="forbid"):
    """The image should not be trained on, nor judged."""

    kind: Literal["leave out"] = "leave out"


Correction = Annotated[CorrectedLabel | ExcludedImage, Field(discriminator="kind")]
CORRECTION: TypeAdapter[Correction] = TypeAdapter(Correction)


class LabelCorrections:
    """The marks of a run, by the images' names; ``corrections/corrections.json`` and ``corrections/data.csv`` in its
    folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._run, self._lock = folder, Lock()
        self.folder = folder.corrections
        self.file = self.folder / "corrections.json"
        self.table = self.folder / "data.csv"
        self._marks = self._read()
        self._found: Dataset | None = None

    def of(self, name: str) -> dict[str, Any] | None:
        """An image's mark."""
        return self._marks.get(name)

    def all(self) -> dict[str, dict[str, Any]]:
        """Every mark by its image's name."""
        return dict(self._marks)

    def set(self, name: str, correction: Any) -> dict[str, Any]:
        """Mark an image, and write the table anew.

        Raises:
            ConfigError: it is no mark.
            NotYetError: the run's task has no one class per image.
        """
        classes = self._run.data()["classes"]
        try:
            mark = CORRECTION.validate_python(correction)
        except ValidationError:
            raise ConfigError('mark: give {"kind": "label", "class": 3} or {"kind": "leave out"}') from None
        if isinstance(mark, CorrectedLabel) and mark.class_ >= len(classes):
            raise ConfigError(f"mark: no class {mark.class_}; choose from 0 to {len(classes) - 1}")
        plain: dict[str, Any] = mark.model_dump(by_alias=True)
        self._changed({**self._marks, name: plain})
        return plain

    def remove(self, name: str) -> None:
        """Take a mark away; of an image without one, nothing changes."""
        self._changed({other: mark for other, mark in self._marks.items() if other != name})

    def _changed(self, marks: dict[str, dict[str, Any]]) -> None:
        task = self._run.recipe().task_class
        if not task.single_class:
            raise NotAvailableError(
                f"marks: the run's task is {task.name}; labels are corrected for one class per image only"
            )
        with self._lock:
            atomic_write(self.table, self._table(marks).encode())
            atomic_write(self.file, (json.dumps(marks, indent=1) + "\n").encode())
            self._marks = marks

    def _table(self, marks: dict[str, dict[str, Any]]) -> str:
        """All images of the run with their labels as corrected, each in its set."""
        content = self._run.data()
        found = self._found = self._found or open_source(self._run.recipe().data, content.get("target_kind"))
        row = {name: i for i, name in enumerate(found.names)}
        grouped = found.groups is not None and any(found.groups)
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["image", "label", "split", *(["group"] if grouped else [])])
        for role in SPLITS:
            for name in content["splits"][role]:
                mark = marks.get(name)
                if name not in row or (mark and mark["kind"] == "leave out"):
                    continue
                i = row[name]
                label = content["classes"][mark["class"]] if mark else found.classes[int(found.targets[i])]
                group = [str(found.groups[i])] if grouped and found.groups is not None else []
                lines.writerow([self._path(found, i), label, role, *group])
        return text.getvalue()

    def _path(self, found: Dataset, row: int) -> str:
        """An image's file; pictures that are no files are written beside the table."""
        if isinstance(found.images, tuple):
            return str(Path(found.images[row]).absolute())
        name = f"images/{found.names[row].replace('/', '-')}.png"
        if not (self.folder / name).exists():
            pixels = np.asarray(found.images[row])
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(self.folder / name)
        return name

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self.file.exists():
            return {}
        try:
            content = json.loads(self.file.read_text(encoding="utf-8"))
            return {name: CORRECTION.validate_python(mark).model_dump(by_alias=True) for name, mark in content.items()}
        except (OSError, ValueError, AttributeError):
            raise RunError(f"{self.file}: damaged; delete it to begin with no marks") from None
