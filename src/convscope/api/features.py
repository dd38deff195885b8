"""Feature vectors of a data set, as files for other classifiers, and the scores of simple classifiers on them."""

import csv
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convscope.bundle import Preprocessing, is_bundle, load_bundle
from convscope.datasets import INPUT_KINDS, TARGET_KINDS, Batches, BatchSettings, InputSettings
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.errors import ConfigError
from convscope.explainers import extrapolate_to_double, learning_curve, probe_scores
from convscope.models import build, resolve
from convscope.models.pretrained.state_dicts import load_state
from convscope.printable import printable, spreadsheet_cell
from convscope.progress import Progress
from convscope.runs.folder import RunFolder, model_folder
from convscope.runs.loaders import PreparedData, open_source, prepare, reload
from convscope.runs.pretrained import find_pretrained
from convscope.runs.recipe import DataSettings
from convscope.tables import html_notes, html_table, text_table

BATCH = 64
HEADINGS = ("classifier", "validation accuracy")


@dataclass(frozen=True, eq=False, repr=False)
class Features:
    """Feature vectors of a data set, and the scores of simple classifiers on them.

    Attributes:
        folder: the folder of the files.
        names: the images.
        vectors: (N, C) float32, in the order of `names`.
        scores: validation accuracy in [0, 1] by classifier.
        curve: (training images, accuracy) of the linear probe.
        accuracy_at_double: the estimate of its accuracy with twice the training images.
        files: names of the files in `folder`.
    """

    folder: Path
    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    scores: dict[str, float]
    curve: list[tuple[int, float]]
    accuracy_at_double: float
    files: tuple[str, ...]

    def rows(self) -> list[tuple[str, str]]:
        """Classifiers and their validation accuracies."""
        return [(name, f"{100 * score:.2f} %") for name, score in self.scores.items()]

    def learning_curve(self) -> str:
        """The accuracy of the linear probe by number of training images, in a sentence."""
        points = ", ".join(f"{100 * score:.1f} % after {images:,}" for images, score in self.curve)
        double = f"{100 * self.accuracy_at_double:.1f} %"
        return f"linear probe: {points} images; twice as many would likely give about {double}"

    def to_dict(self) -> dict[str, Any]:
        """The scores without the vectors, as a JSON object."""
        count, channels = self.vectors.shape
        return {
            "folder": str(self.folder), "images": count, "channels": channels, "validation": self.scores,
            "curve": self.curve, "accuracy_at_double": self.accuracy_at_double,
        }  # fmt: skip

    def __repr__(self) -> str:
        """The size, the folder, and the accuracies."""
        count, channels = self.vectors.shape
        heading = f"Features({count:,} images x {channels:,} channels in {str(self.folder)!r})"
        return f"{heading}\n{text_table(HEADINGS, self.rows())}"

    def _repr_html_(self) -> str:
        count, channels = self.vectors.shape
        table = html_table(HEADINGS, self.rows(), f"{count:,} images x {channels:,} channels in {self.folder}")
        return table + html_notes([self.learning_curve()])


def features(
    model: str | PathLike[str],
    data: str | Path,
    *,
    out: str | Path = "features",
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Features:
    """Write the encoder's feature vectors of all images of a data set, each map averaged over its positions.

    Written are ``features.npy`` (N, C), ``features.csv`` (path, label, split, then the features) and, where pyarrow is
    installed, ``features.parquet``. Simple classifiers are trained on the vectors of the training images and scored on
    those of the validation images, along with the network itself where it has the same classes.

    Args:
        model: the folder of a run or a saved model, a weights file, imagenet, or a network's name.
        data: as for ``convscope train``; a run's own data keep their splits.
        out: a folder to write into.
        seed: of the split.
        on_progress: called with (images decoded, number of images).

    Raises:
        ConvscopeError: see its subclasses.
    """
    source, out = str(data), Path(out)
    network, preprocessing, classes = open_model(model)
    prepared = _images(model, source, preprocessing, seed, on_progress)
    vectors, logits = encode(network, prepared, preprocessing)
    y, train, validation = prepared.dataset.targets, prepared.rows("train"), prepared.rows("validation")
    scores = probe_scores(vectors[train], y[train], vectors[validation], y[validation])
    if classes == prepared.dataset.classes:
        scores = {"the network's own": float((logits[validation].argmax(1) == y[validation]).mean())} | scores
    curve = learning_curve(vectors[train], y[train], vectors[validation], y[validation], seed)
    at_double, files = extrapolate_to_double(curve, len(validation)), write(out, prepared, vectors)
    return Features(out, prepared.dataset.names, vectors, scores, curve, at_double, files)


def open_model(model: str | PathLike[str]) -> tuple[nn.Module, Preprocessing, tuple[str, ...]]:
    """Return a network in evaluation mode, its preprocessing, and its classes (none for published weights)."""
    path = Path(model).expanduser()
    if path.is_dir():
        network, config = load_bundle(model_folder(path))
        return network, config.preprocessing, config.classes
    origin = find_pretrained(str(model), None)
    size = origin.size or (224, 224)
    network = build(resolve(origin.network, 1000, len(origin.mean), size, origin.options))
    load_state(network, origin.state, origin.provenance["source"])
    preprocessing = ImagePreprocessing(
        size=(size[0], size[1]), channels=len(origin.mean), mean=origin.mean, std=origin.std
    )
    return network.eval(), preprocessing, ()


def _images(
    model: str | PathLike[str], source: str, preprocessing: Preprocessing, seed: int, on_progress: Progress | None
) -> PreparedData:
    """Load the images at the network's input size; a run's own data keep their splits."""
    path = Path(model).expanduser()
    if path.is_dir() and not is_bundle(path):
        folder = RunFolder.open(path)
        if folder.data()["source"] in (source, str(Path(source).expanduser().resolve())):
            prepared = reload(folder, on_progress=on_progress)
            _require_classes(source, prepared.dataset.target_kind)
            return prepared
    settings = DataSettings(source=source, size=preprocessing.size, channels=preprocessing.channels)
    dataset = open_source(settings, inputs=InputSettings(kind=preprocessing.settings.kind))
    kind, (_, needed) = INPUT_KINDS[dataset.input_kind], preprocessing.nouns
    if kind.nouns != preprocessing.nouns:
        raise ConfigError(f"features: {source} holds {kind.nouns[1]}, and {model} takes {needed}; give {needed}")
    dataset = kind.with_settings(dataset, preprocessing.settings)
    if path.is_dir():
        dataset = preprocessing.read_as(dataset)
    _require_classes(source, dataset.target_kind)
    given = preprocessing if path.is_dir() else None
    return prepare(dataset, settings, seed, on_progress, given)


def _require_classes(source: str, kind: str) -> None:
    if not TARGET_KINDS[kind].single_class:
        raise ConfigError(
            f"features: the targets of {source} are {kind}, not one class per image; give data with classes"
        )


@torch.inference_mode()
def encode(
    network: nn.Module, prepared: PreparedData, preprocessing: Preprocessing
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the encoder's vectors (N, C) and the logits (N, K) of all images, in the order of the data set."""
    settings = BatchSettings(batch=BATCH, mean=preprocessing.mean, std=preprocessing.std, input_kind=preprocessing.kind)
    batches = Batches(prepared.store.pixels, np.zeros(len(prepared.store.pixels)), prepared.store_index, settings)
    vectors, logits = [], []
    for x, _ in batches(0):
        maps: Any = network.features(x)[-1]  # type: ignore[operator]
        vectors.append(maps.flatten(2).mean(2) if maps.dim() > 2 else maps)
        logits.append(network.get_submodule("head")(maps))
    return torch.cat(vectors).float().numpy(), torch.cat(logits).float().numpy()


def write(out: Path, prepared: PreparedData, vectors: NDArray[np.float32]) -> tuple[str, ...]:
    """Write the feature files; return their names."""
    out.mkdir(parents=True, exist_ok=True)
    dataset, names = prepared.dataset, [f"f{i}" for i in range(vectors.shape[1])]
    labels = [dataset.classes[int(target)] for target in dataset.targets]
    np.save(out / "features.npy", vectors)
    with (out / "features.csv").open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        lines = csv.writer(file)
        lines.writerow(["path", "label", "split", *names])
        for name, label, split, row in zip(dataset.names, labels, prepared.split, vectors.tolist(), strict=True):
            lines.writerow([spreadsheet_cell(name), spreadsheet_cell(label), split, *(f"{value:.6g}" for value in row)])
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return ("features.npy", "features.csv")
    columns = {
        "path": [*map(printable, dataset.names)],
        "label": [*map(printable, labels)],
        "split": prepared.split.tolist(),
    }
    numbers = {name: vectors[:, i] for i, name in enumerate(names)}
    pyarrow.parquet.write_table(pyarrow.table(columns | numbers), out / "features.parquet")
    return ("features.npy", "features.csv", "features.parquet")
