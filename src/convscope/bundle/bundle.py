"""A trained network as two files: ``model.safetensors`` and ``config.json``. They open anywhere and run no code.

``config.json`` holds everything that a program in any language needs to use the weights: the architecture, the classes
in order, and the preprocessing. Two digests in it tie both files together: ``weights`` is that of the weights file, and
``digest`` that of all other keys. They show mix-ups and accidental changes, but are no signature. ``self_test`` has the
network's answers to five fixed inputs, see `self_test`.
"""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, PlainValidator, SerializeAsAny, ValidationError, field_validator
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from convscope.bundle import self_test
from convscope.datasets.inputs.kind import InputPreprocessing
from convscope.datasets.inputs.registry import parse_preprocessing
from convscope.errors import ModelError, did_you_mean
from convscope.files import atomic_write, atomic_write_all
from convscope.models import Architecture, build, remove_auxiliary
from convscope.predictions.self_test import check, is_wanted
from convscope.tasks import TASKS, Task, restore_task
from convscope.validation import first_problem

WEIGHTS_FILE, CONFIG_FILE = "model.safetensors", "config.json"
SELF_TEST = "self_test"  # the key of the answers


FORMAT: Literal[2] = 2
MAX_CONFIG_BYTES = 50_000_000
Preprocessing = InputPreprocessing
"""Of any kind in `INPUT_KINDS`."""


class BundleConfig(BaseModel, frozen=True, extra="forbid"):
    """The content of ``config.json``."""

    format: Literal[2] = FORMAT
    task: str
    classes: tuple[str, ...]
    architecture: Architecture
    preprocessing: Annotated[Preprocessing, PlainValidator(parse_preprocessing), SerializeAsAny()]
    """Converts a file to the input; its `kind` is one of `INPUT_KINDS`."""
    num_parameters: int
    epoch: int = 0
    task_settings: dict[str, Any] = {}
    """What the task needs to decode the network's outputs: thresholds, means ...; see `tasks.Task.settings`."""
    origin: dict[str, Any] = {}
    """Source, licence and hash of the pretrained weights; empty if the network was trained from scratch."""
    mirrored: bool = False
    """Whether training mirrored images, so that views may be mirrored too (`AveragedViews`)."""
    tta_views: str = "1"
    """The default test-time augmentation, one of `TTA_VIEWS`."""

    @field_validator("classes")
    @classmethod
    def _distinct(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        repeated = next((name for name in classes if classes.count(name) > 1), None)
        if repeated is not None:
            raise ValueError(f"{classes.count(repeated)} classes are called {repeated}")
        return classes

    def build_task(self) -> Task:
        """The task.

        Raises:
            ModelError: the task does not exist, or its settings are invalid.
        """
        if self.task not in TASKS:
            raise ModelError(f"{CONFIG_FILE}: no task {self.task}{did_you_mean(self.task, TASKS)}")
        return restore_task(TASKS[self.task], self.classes, self.task_settings)

    def build_network(self) -> nn.Module:
        """The network with new weights and the task's head."""
        return self.build_task().attach_head(build(self.architecture))


def save_bundle(folder: Path, model: nn.Module, config: BundleConfig) -> None:
    """Write both files atomically: an interrupted write leaves the old file or the new one.

    Auxiliary classifiers are left out, since only training uses them.
    """
    bare = remove_auxiliary(model)
    state = {name: value.detach().cpu().contiguous() for name, value in bare.state_dict().items()}
    if bare is not model:
        config = config.model_copy(
            update={
                "architecture": config.architecture.without("auxiliary", "auxiliary_head"),
                "num_parameters": sum(parameter.numel() for parameter in bare.parameters()),
            }
        )
    weights = save(state, metadata={"format": "pt"})
    proof = {"weights": _digest(weights), SELF_TEST: self_test.answers_of(bare, config.preprocessing.shape)}
    atomic_write_all({folder / WEIGHTS_FILE: weights, folder / CONFIG_FILE: _config_text(config, proof)})


def save_config(folder: Path, config: BundleConfig) -> None:
    """Write ``config.json`` only, for the weights that are in the folder.

    Raises:
        ModelError: there are no weights.
    """
    weights = folder / WEIGHTS_FILE
    if not weights.is_file():
        raise ModelError(f"{weights}: no such file; save both with save_bundle")
    digest = _digest_of_file(weights)
    known = _saved_proof(folder)
    same = known["weights"] == digest and known["shape"] == list(config.preprocessing.shape)
    proof = {"weights": digest, SELF_TEST: known[SELF_TEST] if same else []}
    atomic_write(folder / CONFIG_FILE, _config_text(config, proof))


def _saved_proof(folder: Path) -> dict[str, Any]:
    """Return the digest of the weights, the answers of the self test and their input's shape that a folder holds."""
    try:
        config, proof = _read_config(folder)
    except ModelError:  # a file that is replaced because it cannot be used
        return {"weights": "", SELF_TEST: [], "shape": []}
    return {**proof, "shape": list(config.preprocessing.shape)}


def _config_text(config: BundleConfig, proof: dict[str, Any]) -> bytes:
    content = {**config.model_dump(mode="json"), **proof}
    return (json.dumps({**content, "digest": _digest_of_config(content)}, indent=2) + "\n").encode()


def _digest_of_config(content: dict[str, Any]) -> str:
    return _digest(json.dumps({name: content[name] for name in sorted(content) if name != "digest"}).encode())


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _digest_of_file(path: Path) -> str:
    """Return `_digest` of a file's content, which is not held in memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def is_bundle(folder: Path) -> bool:
    """Whether a folder is a saved model itself, not a run that contains one."""
    return (folder / CONFIG_FILE).is_file()


def load_config(folder: Path) -> BundleConfig:
    """Read ``config.json``.

    Raises:
        ModelError: the file is missing, not JSON, incomplete, or was changed after it was written.
    """
    return _read_config(folder)[0]


def _read_config(folder: Path) -> tuple[BundleConfig, dict[str, Any]]:
    """Return the content of ``config.json``, and the digest of the weights with the answers of the self test."""
    path = folder / CONFIG_FILE
    if not path.exists():
        raise ModelError(
            f"{folder}: contains no {CONFIG_FILE}; give the folder of a run or of a model written by convscope"
        )
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ValueError(f"{path.stat().st_size:,} bytes, and at most {MAX_CONFIG_BYTES:,} are read")
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and content.get("format", FORMAT) != FORMAT:
            raise ModelError(
                f"{path}: its format is {content['format']}, and this convscope reads {FORMAT}; train the model again, "
                "or open it with the convscope that wrote it"
            )
        proof, digest = {}, ""
        if isinstance(content, dict):
            proof = {name: content.pop(name) for name in ("weights", SELF_TEST) if name in content}
            digest = content.pop("digest", "")
        config = BundleConfig.model_validate(content)
        if digest != _digest_of_config({**content, **proof}):
            raise ModelError(
                f"{path}: was changed after the model was saved, because its digest does not match; copy the model "
                "again, or write an intended change with convscope.bundle.save_config"
            )
        return config, {"weights": "", SELF_TEST: [], **proof}
    except ValidationError as error:
        problem = first_problem(error)
        why = f"{problem.name}: {problem.why}"
    except (ValueError, RecursionError) as error:
        why = f"not JSON: {error}"
    raise ModelError(f"{path}: does not describe a convscope model ({why}); copy the model again")


def load_bundle(folder: Path, device: str | torch.device = "cpu") -> tuple[nn.Module, BundleConfig]:
    """Load a saved network, in evaluation mode.

    Raises:
        ModelError: a file is missing, truncated, a pickle in disguise, does not match the architecture, or was changed
            or mixed up after the model was saved; its answers to the inputs of the self test are other ones.
    """
    config, proof = _read_config(folder)
    path = folder / WEIGHTS_FILE
    state = read_state_dict(path)
    model = config.build_network()
    expected, actual = (
        {name: value.shape for name, value in content.items()} for content in (model.state_dict(), state)
    )
    mismatched = [name for name in expected | actual if expected.get(name) != actual.get(name)]
    if mismatched:
        raise ModelError(
            f"{path}: {len(mismatched)} tensors do not match the {config.architecture.name} in {CONFIG_FILE}, "
            f"such as {mismatched[0]}; use both files of the same run"
        )
    if proof["weights"] != _digest_of_file(path):
        raise ModelError(
            f"{path}: not the weights that were saved with {CONFIG_FILE}, because their digest differs; "
            "use both files of the same run"
        )
    model.load_state_dict(state)
    if proof[SELF_TEST] and is_wanted():
        check(self_test.answers_of(model, config.preprocessing.shape), proof[SELF_TEST], folder)
    return model.to(device).eval(), config


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file; any other file is rejected without being unpickled.

    Raises:
        ModelError: the file is missing, a pickle, truncated or damaged.
    """
    if not path.exists():
        raise ModelError(f"{path}: no such file; a model's folder needs {WEIGHTS_FILE} beside {CONFIG_FILE}")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        if _is_pickle(path):
            raise ModelError(
                f"{path}: this is a pickle or an archive of them, which can run code when opened, so it is not opened; "
                "save the weights as safetensors"
            ) from None
        raise ModelError(f"{path}: truncated or damaged ({error}); copy or train the model again") from None


def _is_pickle(path: Path) -> bool:
    """Whether a file that is not safetensors starts like a pickle (protocol 2 and later) or is a zip archive.

    Valid only for such files: a safetensors file starts with the length of its header, which may be any byte.
    """
    with path.open("rb") as file:
        return file.read(1) == b"\x80" or zipfile.is_zipfile(path)
