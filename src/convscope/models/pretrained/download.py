"""Published weights on this machine: fetched once, known by their hash."""

import hashlib
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from platformdirs import user_cache_path
from torch import Tensor

from convscope.errors import ModelError, did_you_mean
from convscope.models.network import Network
from convscope.models.pretrained.published import PUBLISHED, PublishedWeights
from convscope.models.pretrained.state_dicts import LoadReport, load_state, read_state
from convscope.models.registry import Architecture, build

TIMEOUT = 30  # seconds without an answer
CHUNK_BYTES = 1 << 20


def download_folder() -> Path:
    """Return where fetched files are kept."""
    return user_cache_path("convscope") / "weights"


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(published: PublishedWeights, folder: Path | None = None) -> Path:
    """Return the file of published weights, fetching it where it is not on this machine yet.

    A file that someone has placed in the folder by hand serves as well; its hash is checked in either case.

    Raises:
        ModelError: the address cannot be reached, or the file is not the published one.
    """
    folder = folder or download_folder()
    path = folder / published.file
    if not path.is_file():
        download(published, path)
    digest = sha256(path)
    if not digest.startswith(published.hash):
        raise ModelError(
            f"{path}: its SHA-256 begins with {digest[: len(published.hash)]} and the published one's with "
            f"{published.hash}; remove it and fetch it again"
        )
    return path


def download(published: PublishedWeights, path: Path) -> None:
    """Write the file beside its index, then move it there, so that a broken connection leaves no half file.

    Raises:
        ModelError: the address cannot be reached or the folder cannot be written.
    """
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(published.url, timeout=TIMEOUT) as response, part.open("wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
        part.replace(path)
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise ModelError(
            f"weights {published.file}: {published.url} cannot be fetched ({reason}); "
            f"fetch it elsewhere and index it at {path}, or give --from FILE"
        ) from None
    finally:
        part.unlink(missing_ok=True)


def load_pretrained(
    architecture: Architecture, weights: str | Path | Mapping[str, Tensor], folder: Path | None = None
) -> tuple[Network, LoadReport]:
    """Return the network with weights from elsewhere, and what came of loading them.

    Args:
        architecture: a U-Net's encoder takes the weights of the network it is.
        weights: ``imagenet`` for the published ones, a file, or a state dict.
        folder: where fetched files are kept.

    Raises:
        ModelError: no such weights, or they are another network's.
    """
    network = build(architecture)
    if isinstance(weights, Mapping):
        return network, load_state(network, weights)
    if str(weights) != "imagenet":
        return network, load_state(network, read_state(Path(weights)), str(weights))
    name = architecture.options.get("encoder") or architecture.name
    if name not in PUBLISHED:
        raise ModelError(f"weights: none published on ImageNet are known for {name}{did_you_mean(name, PUBLISHED)}")
    published = PUBLISHED[name]
    loaded = load_state(network, read_state(fetch(published, folder)), published.file)
    return network, replace(loaded, source=published.url, licence=published.licence, published=published)
