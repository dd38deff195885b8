"""A network's vectors of a data set, as files for other classifiers, and how far simple ones get with them."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convscope.bundle import Preprocessing, load_bundle
from convscope.bundle.bundle import CONFIG_FILE
from convscope.data import TARGET_KINDS, Batches, BatchSettings
from convscope.errors import ConfigError
from convscope.explain import extrapolate_to_double, learning_curve, probe_scores
from convscope.models import build, resolve
from convscope.models.pretrained.state_dicts import load_state
from convscope.progress import Progress
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData, open_source, prepare, reload
from convscope.runs.pretrained import find_pretrained
from convscope.runs.recipe import DataSettings

BATCH = 64


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """What was written: (N, C) float32 in the order of `names`, and validation accuracies by classifier.

    `curve` is the linear probe's accuracy after so many training images, `accuracy_at_double` its estimate for twice as
    many.
    """

    folder: Path
    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    scores: dict[str, float]
    curve: list[tuple[int, float]]
    accuracy_at_double: float
    files: tuple[str, ...]


def features(
    model: str | Path, source: str, out: Path, seed: int = 0, on_progress: Progress | None = None
) -> FeatureTable:
    """Write the encoder's vectors of all images of a data set, each map averaged over its places.

    OUT gets ``features.npy`` (N, C), ``features.csv`` (path, label, set, then the numbers) and, where pyarrow is there,
    ``features.parquet``. Simple classifiers are trained on the vectors of the training images and asked about those of
    the validation images; beside them stands the network's own score where it has these classes.

    Args:
        model: a run's or saved model's folder, a weights file, imagenet, or a network's name.
        source: as for ``convscope train``; a run's own data are cut as they were for it.
        out: a folder to write into.
        seed: of the cut.
        on_progress: called with (images decoded, images in all).

    Raises:
        ConvscopeError: as its subclasses say.
    """
    network, preprocessing, classes = open_model(model)
    prepared = _images(model, source, preprocessing, seed, on_progress)
    vectors, logits = encode(network, prepared, preprocessing)
    y, train, asked = prepared.dataset.targets, prepared.rows("train"), prepared.rows("validation")
    scores = probe_scores(vectors[train], y[train], vectors[asked], y[asked])
    if classes == prepared.dataset.classes:
        scores = {"the network's own": float((logits[asked].argmax(1) == y[asked]).mean())} | scores
    curve = learning_curve(vectors[train], y[train], vectors[asked], y[asked], seed)
    twice, files = extrapolate_to_double(curve, len(asked)), write(out, prepared, vectors)
    return FeatureTable(out, prepared.dataset.names, vectors, scores, curve, twice, files)


def open_model(model: str | Path) -> tuple[nn.Module, Preprocessing, tuple[str, ...]]:
    """A network in evaluation mode, what it expects of images, and its classes, none where it is another data set's."""
    path = Path(model).expanduser()
    if path.is_dir():
        folder = path if (path / CONFIG_FILE).exists() else RunFolder.open(path).trained_model()
        network, config = load_bundle(folder)
        return network, config.preprocessing, config.classes
    origin = find_pretrained(str(model), None)
    size = origin.size or (224, 224)
    network = build(resolve(origin.network, 1000, len(origin.mean), size, origin.options))
    load_state(network, origin.state, origin.provenance["source"])
    preprocessing = Preprocessing(size=size, channels=len(origin.mean), mean=origin.mean, std=origin.std)
    return network.eval(), preprocessing, ()


def _images(
    model: str | Path, source: str, preprocessing: Preprocessing, seed: int, on_progress: Progress | None
) -> PreparedData:
    """The images at the network's size; those of the run itself with the sets that it had."""
    path = Path(model).expanduser()
    if path.is_dir() and (path / "data.json").exists():
        folder = RunFolder.open(path)
        if folder.data()["source"] in (source, str(Path(source).expanduser().resolve())):
            prepared = reload(folder, on_progress=on_progress)
            _require_classes(source, prepared.dataset.target_kind)
            return prepared
    settings = DataSettings(source=source, size=preprocessing.size, channels=preprocessing.channels)
    found = open_source(settings)
    _require_classes(source, found.target_kind)
    return prepare(found, settings, seed, on_progress)


def _require_classes(source: str, kind: str) -> None:
    if not TARGET_KINDS[kind].single_class:
        raise ConfigError(f"features: {source} has {kind}, and probes need one class per image")


@torch.inference_mode()
def encode(
    network: nn.Module, prepared: PreparedData, preprocessing: Preprocessing
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The encoder's vectors (N, C) and the logits (N, K) of all images, in the data set's order."""
    settings = BatchSettings(batch=BATCH, mean=preprocessing.mean, std=preprocessing.std)
    batches = Batches(prepared.store.pixels, np.zeros(len(prepared.store.pixels)), prepared.store_index, settings)
    vectors, logits = [], []
    for x, _ in batches(0):
        maps: Any = network.encoder(x)  # type: ignore[operator]
        vectors.append(maps.flatten(2).mean(2) if maps.dim() > 2 else maps)
        logits.append(network.get_submodule("head")(maps))
    return torch.cat(vectors).float().numpy(), torch.cat(logits).float().numpy()


def write(out: Path, prepared: PreparedData, vectors: NDArray[np.float32]) -> tuple[str, ...]:
    """Write the files; return their names."""
    out.mkdir(parents=True, exist_ok=True)
    dataset, names = prepared.dataset, [f"f{i}" for i in range(vectors.shape[1])]
    labels = [dataset.classes[int(target)] for target in dataset.targets]
    np.save(out / "features.npy", vectors)
    with (out / "features.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["path", "label", "set", *names])
        for name, label, role, row in zip(dataset.names, labels, prepared.split, vectors.tolist(), strict=True):
            lines.writerow([name, label, role, *(f"{value:.6g}" for value in row)])
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return ("features.npy", "features.csv")
    columns = {"path": list(dataset.names), "label": labels, "set": prepared.split.tolist()}
    numbers = {name: vectors[:, i] for i, name in enumerate(names)}
    pyarrow.parquet.write_table(pyarrow.table(columns | numbers), out / "features.parquet")
    return ("features.npy", "features.csv", "features.parquet")
