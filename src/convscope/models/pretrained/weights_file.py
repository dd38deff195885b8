"""Weights files: safe reading, the choice among several state dicts, and what else a file may be."""

import argparse
import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convscope.errors import ModelError
from convscope.models.pretrained.prefixes import preference, without_prefix

_HEAD = 1024  # bytes from which the kind of a file is told
_DEEPEST = 3  # dictionaries in dictionaries
_OPTIMISER = ("optim", "scheduler", "scaler", "lr_sched")
_NUMPY_SCALAR = np.float64().__reduce__()[0]
_HARMLESS: list[Any] = [  # kept beside the weights by common training scripts; they run no code
    argparse.Namespace, np.dtype, np.dtypes.Float64DType, np.dtypes.Float32DType, np.dtypes.Int64DType,
    (_NUMPY_SCALAR, "numpy.core.multiarray.scalar"), (_NUMPY_SCALAR, "numpy._core.multiarray.scalar"),
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class WeightsFile:
    """The tensors of a file, without the prefixes of wrappers, and what was decided, one sentence each."""

    state: dict[str, Tensor]
    notes: tuple[str, ...] = ()


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of `read_weights`."""
    return read_weights(path).state


def read_weights(path: Path) -> WeightsFile:
    """Return the tensors of a safetensors or PyTorch file; code in it is never executed.

    Of several state dicts, averaged ones (EMA, a teacher) are preferred, then the one that is trained to one that
    follows it (``encoder_q`` to ``encoder_k``). Prefixes of wrappers (``module.``, ``_orig_mod.``, ``backbone.`` ...)
    are removed.

    Raises:
        ModelError: the file does not exist, is damaged, or contains no tensors, or more than tensors.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such weights file; give a .safetensors or .pth file")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    problem = _not_weights(path, head)
    if problem:
        raise ModelError(f"{path}: {problem}")
    found = dict(_state_dicts(_content(path, head), ""))
    if not found:
        raise ModelError(f"{path}: it contains no tensors; give a state dict")
    chosen = max(found, key=lambda name: (preference(name), _size(found[name])))
    notes = []
    others = [name for name in found if name != chosen and _size(found[name]) > 0.5 * _size(found[chosen])]
    if others:
        notes.append(
            f"{path.name} contains {_and([chosen, *others])}: {chosen} is used; save the other alone to use it"
        )
    state, note = without_prefix(found[chosen])
    return WeightsFile(state, (*notes, *([f"{path.name}: {note}"] if note else [])))


def _content(path: Path, head: bytes) -> Any:
    """The Python object in a file."""
    try:
        if path.suffix == ".safetensors" or _is_safetensors(head):
            from safetensors.torch import load_file

            return load_file(path)
        with warnings.catch_warnings(), torch.serialization.safe_globals(_HARMLESS):
            warnings.simplefilter("ignore", UserWarning)  # about the pickle protocol; real problems raise below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        pickled = head[:1] == b"\x80" and "nsupported" in str(error)  # an instruction that state dicts do without
        if pickled or "GLOBAL" in str(error):
            raise ModelError(
                f"{path}: it contains Python objects besides tensors, which could run code; save only its state_dict"
            ) from None
        raise ModelError(f"{path}: the file is damaged (UnpicklingError); download or save it again") from None
    except Exception as error:
        raise ModelError(f"{path}: the file is damaged ({type(error).__name__}); download or save it again") from None


def _not_weights(path: Path, head: bytes) -> str:
    """What a file is if it cannot hold weights; empty if it may."""
    start = head.lstrip().lower()
    if not head:
        return "the file is empty, 0 bytes; download or save it again"
    if head.startswith(b"version https://git-lfs"):
        return "a git-lfs pointer, not weights; run git lfs pull, or download the file itself"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page, not weights, perhaps of a login or an error; download the file itself"
    if _is_text(head):
        return "text, not weights; give a .safetensors or .pth file"
    if head.startswith(b"PK"):
        return _other_archive(path)
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")):
        return "a compressed archive, not weights; unpack it and give the file in it"
    if head.startswith(b"\x89HDF"):
        return "an HDF5 file, such as Keras writes, not PyTorch weights; convert it to .safetensors"
    if head.startswith(b"\x93NUMPY"):
        return "a NumPy array, not weights with names; give a .safetensors or .pth file"
    return ""


def _other_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError):
        return ""  # damaged, which loading says
    if any("/code/" in name for name in names):
        return "a TorchScript program, not weights; save the state_dict of the module that torch.jit.load gives"
    if not any(name.endswith("data.pkl") for name in names):
        first = f", such as {names[0]}" if names else ""
        return (
            f"a zip archive of {len(names)} other files{first}, not weights; unpack it and give the weights file in it"
        )
    return ""


def _is_text(head: bytes) -> bool:
    """Whether bytes are printable text; a pickle of protocol 0 ends its lines in a way that text does not begin."""
    try:
        text = head[:-3].decode() if len(head) == _HEAD else head.decode()
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\r\n\t\f" for letter in text)


def _is_safetensors(head: bytes) -> bool:
    return head[8:9] == b"{" and 0 < int.from_bytes(head[:8], "little") < 2**27


def _state_dicts(content: Any, name: str, depth: int = 0) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """All dictionaries with tensors inside an object, by the path of their keys; not those of optimisers."""
    if not isinstance(content, Mapping) or depth > _DEEPEST or name.rpartition(".")[2].lower().startswith(_OPTIMISER):
        return
    tensors = {key: value for key, value in content.items() if isinstance(key, str) and isinstance(value, Tensor)}
    if tensors:
        yield name or "the file", tensors
    for key, value in content.items():
        if isinstance(key, str):
            yield from _state_dicts(value, f"{name}.{key}" if name else key, depth + 1)


def _size(state: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in state.values())


def _and(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
