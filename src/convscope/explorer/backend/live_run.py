"""A run that is looked at while it may still be trained, finished, replaced or deleted."""

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
from convscope.explain import ModuleTree, ReceptiveField, module_tree, receptive_field
from convscope.explorer.backend.errors import NotAvailableError, RunGoneError
from convscope.progress import Progress
from convscope.runs.folder import LOCK, RunFolder
from convscope.tasks import Task

EXPLORED_SPLITS = ("train", "validation")
ACTIVE_SECONDS = 15.0  # seconds after an event in which a run counts as training without asking its lock
COPY_TOLERANCE = 5.0  # seconds by which a copy of a run may have its report before its events
LOCK_INTERVAL = 2.0  # seconds between questions to a run's lock: whoever wants it meanwhile is turned away
MAX_FIELDS = 64  # receptive fields that are kept


@dataclass(eq=False)
class LoadedModel:
    """The network that is looked at.

    Attributes:
        version: changes when the run's network does.
        subject: it, with the run's images.
        config: what its folder says of it.
        module_tree: its parts as they ran.
    """

    version: str
    subject: AnalysisTarget
    config: BundleConfig
    module_tree: ModuleTree
    fields: dict[str, ReceptiveField] = field(default_factory=dict)

    @cached_property
    def task(self) -> Task:
        """What its answers are."""
        return self.config.build_task()

    @cached_property
    def private_copy(self) -> AnalysisTarget:
        """The same with a network of its own, for computations that run beside the looking."""
        return replace(self.subject, model=copy.deepcopy(self.subject.model))

    def field(self, layer: str) -> ReceptiveField:
        """Which pixels the units of a layer see."""
        if layer not in self.fields:
            if len(self.fields) >= MAX_FIELDS:
                self.fields.pop(next(iter(self.fields)))
            self.fields[layer] = receptive_field(self.subject.model, layer, self.blank())
        return self.fields[layer]

    def blank(self) -> torch.Tensor:
        """(1, C, H, W) zeros where the network lives."""
        return blank(self.subject)


class LiveRun:
    """A run's folder with its network and images, opened when asked for and anew when they changed.

    Args:
        path: the run's folder.
        on_progress: called with (images decoded, images in all).
    Raises:
        RunError: it is no run.
    """

    def __init__(self, path: Path, on_progress: Progress | None = None) -> None:
        self.folder = RunFolder.open(path)
        self.lock = RLock()
        """Held while the network that is looked at computes: hooks on it are for one at a time."""
        self._reading = RLock()
        self._on_progress = on_progress
        self._shown: LoadedModel | None = None
        self._trouble: dict[str, str] = {}
        self._data: tuple[float, dict[str, Any]] = 0.0, {}
        self._trains: tuple[float, bool] = 0.0, False
        self._made = _modified(self.folder.data_file)

    @property
    def name(self) -> str:
        """Of the run."""
        return self.folder.path.resolve().name

    def state(self) -> str:
        """Whether it is "training", "finished" or "stopped"; "gone" when the folder is not this run any more."""
        run = self.folder
        if not run.recipe_file.exists() or _modified(run.data_file) != self._made:
            return "gone"
        last_event, reported = _modified(run.events_file), _modified(run.report)
        if reported and reported >= last_event - COPY_TOLERANCE:
            return "finished"
        return "training" if time.time() - last_event < ACTIVE_SECONDS or self._is_locked() else "stopped"

    def version(self) -> str | None:
        """Of the run's network; None where it has none yet."""
        times = [_modified(self.folder.model / name) for name in (WEIGHTS_FILE, CONFIG_FILE)]
        return "-".join(f"{int(1000 * one):x}" for one in times) if all(times) else None

    def check_exists(self) -> None:
        """Refuse to go on without the run.

        Raises:
            GoneError: its folder was deleted, or holds another run now.
        """
        if self.state() != "gone":
            return
        if self.folder.recipe_file.exists():
            raise RunGoneError(f"{self.folder.path}: another run was made there; start convscope explore again")
        raise RunGoneError(f"{self.folder.path}: was deleted or moved; close this page, or put it back and reload")

    def loaded_model(self) -> LoadedModel:
        """The network as it is now.

        Raises:
            GoneError, NotYetError: there is none, or it cannot be opened.
        """
        self.check_exists()
        version = self.version()
        if version is None:
            raise NotAvailableError(f"{self.folder.path}: has no network yet; wait for the end of the first epoch")
        with self.lock:
            if self._shown is None or self._shown.version != version:
                try:
                    self._shown = self._opened(version)
                except ConvscopeError as error:
                    raise NotAvailableError(str(error)) from None
            return self._shown

    def images(self, split: str) -> ImageSet:
        """One of the run's sets.

        Raises:
            NotYetError: its images can no longer be read; the message says why.
        """
        subject = self.loaded_model().subject
        with self._reading:
            try:
                found = subject.read(split)
            except ConvscopeError as error:
                self._trouble[split] = str(error)
                raise NotAvailableError(str(error)) from None
            self._trouble.pop(split, None)
            return found

    def trouble(self) -> str | None:
        """Why images could not be read when they were last asked for."""
        return next(iter(self._trouble.values()), None)

    def data(self) -> dict[str, Any]:
        """The content of the run's ``data.json``, which may be long, read once.

        Raises:
            RunError: it is missing or damaged.
        """
        when = _modified(self.folder.data_file)
        if not when or self._data[0] != when:
            self._data = when, self.folder.data()
        return self._data[1]

    def _is_locked(self) -> bool:
        """Whether another process trains in the run, asked of its lock, but not too often."""
        if time.monotonic() - self._trains[0] > LOCK_INTERVAL:
            self._trains = time.monotonic(), _is_lock_held(self.folder.path / LOCK)
        return self._trains[1]

    def _opened(self, version: str) -> LoadedModel:
        if self._shown is None:
            subject = open_target(self.folder.path, self._on_progress)
            config = load_config(self.folder.model)
        else:  # the images stay as they are
            model, config = load_bundle(self.folder.model, inference_device(self.folder.recipe().train.device))
            subject = replace(self._shown.subject, model=model)
        return LoadedModel(version, subject, config, module_tree(subject.model, blank(subject)))


def blank(subject: AnalysisTarget) -> torch.Tensor:
    """(1, C, H, W) zeros where its network lives."""
    weight = next(subject.model.parameters())
    return torch.zeros(1, len(subject.mean), *subject.size, device=weight.device)


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _is_lock_held(lock: Path) -> bool:
    """Whether another process holds a lock, by taking it for a moment."""
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except (Timeout, OSError):
        return True
