"""What is exported: a network with its task and preprocessing, and where it came from."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from convscope.bundle import BundleConfig, load_bundle
from convscope.bundle.bundle import WEIGHTS_FILE
from convscope.bundle.tta import with_tta
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.errors import ConfigError, RunError
from convscope.models import remove_auxiliary
from convscope.runs.folder import RunFolder, model_folder
from convscope.tasks import Task


@dataclass(frozen=True, eq=False)
class Source:
    """What is exported: a network, its configuration, and where it came from."""

    model: nn.Module
    config: BundleConfig
    digest: str
    """SHA-256 of the weights file."""
    card: dict[str, Any]
    """Facts about the run: data, scores, versions."""

    @property
    def task(self) -> Task:
        """The task with its settings."""
        return self.config.build_task()

    @property
    def network(self) -> nn.Module:
        """The network that predictions use; see `network_of`."""
        return network_of(self.model, self.config, self.task)


def open_source_model(model: Path) -> Source:
    """Open the network of a run or a saved model, with the facts that exported files carry.

    Raises:
        RunError, ModelError: see `model_folder` and `load_bundle`.
    """
    folder = model_folder(model)
    network, config = load_bundle(folder)
    with (folder / WEIGHTS_FILE).open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    return Source(network, config, digest, _card(model))


def network_of(model: nn.Module, config: BundleConfig, task: Task) -> nn.Module:
    """The network that predictions use: with its views averaged, and without auxiliary classifiers."""
    bare = remove_auxiliary(model).eval()
    return bare if task.any_size else with_tta(bare, config, None)


def input_size(network: nn.Module, config: BundleConfig) -> tuple[int, int]:
    """(H, W) of the input: of the largest view if several are averaged."""
    height, width = getattr(network, "input_size", config.preprocessing.size)
    return int(height), int(width)


def preprocessing_of(network: nn.Module, config: BundleConfig) -> ImagePreprocessing:
    """The preprocessing for the size of the network's input.

    Raises:
        ConfigError: the network's inputs are not images.
    """
    preprocessing: Any = config.preprocessing
    if not isinstance(preprocessing, ImagePreprocessing):
        raise ConfigError(
            f"export: the network's input is of kind {preprocessing.kind}; only networks for images are exported"
        )
    return preprocessing.model_copy(update={"size": input_size(network, config)})


def metadata(source: Source) -> dict[str, str]:
    """What the file says about itself, as texts; `config` is the content of config.json."""
    config = source.config
    return {
        "task": config.task,
        "classes": json.dumps(config.classes, ensure_ascii=False),
        "weights_sha256": source.digest,
        "origin": json.dumps(config.origin, ensure_ascii=False),
        "licence": str(config.origin.get("licence", "")),
        "config": config.model_dump_json(),
        "card": json.dumps(source.card, ensure_ascii=False),
    }


def _card(model: Path) -> dict[str, Any]:
    """Facts about the run; none of a saved model."""
    try:
        run = RunFolder.open(model)
        environment, data = run.environment(), run.data()
    except RunError:
        return {}
    return {
        "data": Path(str(data["source"])).name,
        "fingerprint": data["fingerprint"],
        "images": {name: len(files) for name, files in data["splits"].items()},
        "convscope": environment.get("convscope", ""),
        "torch": environment.get("torch", ""),
    }
