"""An open run that may be trained, finished, replaced or deleted meanwhile."""

import copy
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

import torch
from filelock import FileLock, Timeout

from convscope.analysis.target import AnalysisTarget, ImageSet, open_target
from convscope.bundle import BundleConfig, load_bundle, load_config
from convscope.bundle.bundle import CONFIG_FILE, WEIGHTS_FILE
from convscope.devices import inference_device
from convscope.errors import ConvscopeError
from convscope.explainers import ModuleTree, ReceptiveField, module_tree, receptive_field
from convscope.progress import Progress
from convscope.runs.folder import LOCK, RunFolder
from convscope.tasks import Task
from convscope.web.errors import NotAvailableError, RunGoneError

EXPLORED_SPLITS = ("train", "validation")
ACTIVE_SECONDS = 15.0  # seconds after an event: the run counts as training without a check of its lock
COPY_TOLERANCE = 5.0  # seconds by which a copied run's report may be older than its events
LOCK_INTERVAL = 2.0  # seconds between checks of the run's lock, which block it for a moment
MAX_FIELDS = 64  # receptive fields in the cache


@dataclass(eq=False)
class LoadedModel:
    """The network that is shown.

    Attributes:
        version: changes when the run's network does.
        subject: the network with the run's images.
        config: its bundle configuration.
        module_tree: its modules in the order of execution.
    """

    version: str
    subject: AnalysisTarget
    config: BundleConfig
    module_tree: ModuleTree
    fields: dict[str, ReceptiveField] = field(default_factory=dict)

    @cached_property
    def task(self) -> Task:
        """The task of the network."""
        return self.config.build_task()

    @cached_property
    def private_copy(self) -> AnalysisTarget:
        """The subject with a copy of the network, for jobs that run at the same time."""
        return replace(self.subject, model=copy.deepcopy(self.subject.model))

    def field(self, layer: str) -> ReceptiveField:
        """Return the receptive field of a layer."""
        if layer not in self.fields:
            if len(self.fields) >= MAX_FIELDS:
                self.fields.pop(next(iter(self.fields)))
            self.fields[layer] = receptive_field(self.subject.model, layer, self.blank())
        return self.fields[layer]

    def blank(self) -> torch.Tensor:
        """Return zeros (1, C, H, W) on the network's device."""
        return blank(self.subject)


class LiveRun:
    """A run with its network and images, loaded on demand and reloaded modified they change.

    Args:
        path: the run folder.
        on_progress: called with (images decoded, images in all).
    Raises:
        RunError: not a run folder.
    """

    def __init__(self, path: Path, on_progress: Progress | None = None) -> None:
        self.folder = RunFolder.open(path)
        self.lock = RLock()
        """Held during a forward pass of the shown network: its hooks serve one request at a time."""
        self._read_lock = RLock()
        self._on_progress = on_progress
        self._loaded: LoadedModel | None = None
        self._problems: dict[str, str] = {}
        self._data: tuple[float, dict[str, Any]] = 0.0, {}
        self._lock_check: tuple[float, bool] = 0.0, False
        self._created = _modified(self.folder.data_file)

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.path.resolve().name

    def state(self) -> str:
        """Return "training", "finished" or "stopped"; "gone" if the folder no longer holds this run."""
        run = self.folder
        if not run.recipe_file.exists() or _modified(run.data_file) != self._created:
            return "gone"
        last_event, reported = _modified(run.events_file), _modified(run.report)
        if reported and reported >= last_event - COPY_TOLERANCE:
            return "finished"
        return "training" if time.time() - last_event < ACTIVE_SECONDS or self._is_locked() else "stopped"

    def version(self) -> str | None:
        """Return the version of the run's network; None if there is none yet."""
        times = [_modified(self.folder.model / name) for name in (WEIGHTS_FILE, CONFIG_FILE)]
        return "-".join(f"{int(1000 * one):x}" for one in times) if all(times) else None

    def check_exists(self) -> None:
        """Check that the folder still holds this run.

        Raises:
            RunGoneError: the folder was deleted, moved or replaced.
        """
        if self.state() != "gone":
            return
        if self.folder.recipe_file.exists():
            raise RunGoneError(f"{self.folder.path}: replaced by another run; start convscope explore again")
        raise RunGoneError(f"{self.folder.path}: deleted or moved; restore the folder and reload, or close this page")

    def loaded_model(self) -> LoadedModel:
        """Return the current network.

        Raises:
            RunGoneError, NotAvailableError: there is none, or it cannot be loaded.
        """
        self.check_exists()
        version = self.version()
        if version is None:
            raise NotAvailableError(f"{self.folder.path}: no network yet; wait for the end of the first epoch")
        with self.lock:
            if self._loaded is None or self._loaded.version != version:
                try:
                    self._loaded = self._load(version)
                except ConvscopeError as error:
                    raise NotAvailableError(str(error)) from None
            return self._loaded

    def images(self, split: str) -> ImageSet:
        """Return a split of the run.

        Raises:
            NotAvailableError: its images can no longer be read; the message has the reason.
        """
        subject = self.loaded_model().subject
        with self._read_lock:
            try:
                found = subject.read(split)
            except ConvscopeError as error:
                self._problems[split] = str(error)
                raise NotAvailableError(str(error)) from None
            self._problems.pop(split, None)
            return found

    def problem(self) -> str | None:
        """Return why images could not be read at the last request; None if they could."""
        return next(iter(self._problems.values()), None)

    def data(self) -> dict[str, Any]:
        """Return the content of the run's ``data.json``, cached.

        Raises:
            RunError: it is missing or damaged.
        """
        modified = _modified(self.folder.data_file)
        if not modified or self._data[0] != modified:
            self._data = modified, self.folder.data()
        return self._data[1]

    def shown_channels(self) -> tuple[int, ...]:
        """Return the channels that pictures show, see `datasets.shown_channels`."""
        return tuple(self.data()["preprocessing"].get("shown_channels", ()))

    def _is_locked(self) -> bool:
        """Whether another process trains the run, checked at most every `LOCK_INTERVAL` seconds."""
        if time.monotonic() - self._lock_check[0] > LOCK_INTERVAL:
            self._lock_check = time.monotonic(), _is_lock_held(self.folder.path / LOCK)
        return self._lock_check[1]

    def _load(self, version: str) -> LoadedModel:
        if self._loaded is None:
            subject = open_target(self.folder.path, self._on_progress)
            config = load_config(self.folder.model)
        else:  # the images do not change
            model, config = load_bundle(self.folder.model, inference_device(self.folder.recipe().train.device))
            subject = replace(self._loaded.subject, model=model)
        return LoadedModel(version, subject, config, module_tree(subject.model, blank(subject)))


def blank(subject: AnalysisTarget) -> torch.Tensor:
    """Return zeros (1, C, H, W) on the network's device."""
    weight = next(subject.model.parameters())
    return torch.zeros(1, len(subject.mean), *subject.size, device=weight.device)


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _is_lock_held(lock: Path) -> bool:
    """Whether another process holds a lock, tested by acquiring it."""
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except (Timeout, OSError):
        return True
