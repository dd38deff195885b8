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

from convscope.analysis.target import Images, Subject, opened
from convscope.bundle import BundleConfig, load_bundle, load_config
from convscope.bundle.bundle import CONFIG, WEIGHTS
from convscope.devices import device_here
from convscope.errors import ConvscopeError
from convscope.explain import Landscape, ReceptiveField, landscape, receptive_field
from convscope.explorer.backend.errors import GoneError, NotYetError
from convscope.progress import Progress
from convscope.runs.folder import LOCK, RunFolder
from convscope.tasks import Task

SPLITS = ("train", "validation")
FRESH = 15.0  # seconds after an event in which a run counts as training without asking its lock
COPIED = 5.0  # seconds by which a copy of a run may have its report before its events
ASKED_EVERY = 2.0  # seconds between questions to a run's lock: whoever wants it meanwhile is turned away
FIELDS = 64  # receptive fields that are kept


@dataclass(eq=False)
class Shown:
    """The network that is looked at.

    Attributes:
        version: changes when the run's network does.
        subject: it, with the run's images.
        config: what its folder says of it.
        landscape: its parts as they ran.
    """

    version: str
    subject: Subject
    config: BundleConfig
    landscape: Landscape
    fields: dict[str, ReceptiveField] = field(default_factory=dict)

    @cached_property
    def task(self) -> Task:
        """What its answers are."""
        return self.config.asked()

    @cached_property
    def apart(self) -> Subject:
        """The same with a network of its own, for computations that run beside the looking."""
        return replace(self.subject, model=copy.deepcopy(self.subject.model))

    def field(self, layer: str) -> ReceptiveField:
        """Which pixels the units of a layer see."""
        if layer not in self.fields:
            if len(self.fields) >= FIELDS:
                self.fields.pop(next(iter(self.fields)))
            self.fields[layer] = receptive_field(self.subject.model, layer, self.blank())
        return self.fields[layer]

    def blank(self) -> torch.Tensor:
        """(1, C, H, W) zeros where the network lives."""
        return blank(self.subject)


class Exploration:
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
        self._shown: Shown | None = None
        self._trouble: dict[str, str] = {}
        self._data: tuple[float, dict[str, Any]] = 0.0, {}
        self._trains: tuple[float, bool] = 0.0, False
        self._made = _when(self.folder.data_file)

    @property
    def name(self) -> str:
        """Of the run."""
        return self.folder.path.resolve().name

    def state(self) -> str:
        """Whether it is "training", "finished" or "stopped"; "gone" when the folder is not this run any more."""
        run = self.folder
        if not run.recipe_file.exists() or _when(run.data_file) != self._made:
            return "gone"
        heard, told = _when(run.events_file), _when(run.report)
        if told and told >= heard - COPIED:
            return "finished"
        return "training" if time.time() - heard < FRESH or self._is_held() else "stopped"

    def version(self) -> str | None:
        """Of the run's network; None where it has none yet."""
        times = [_when(self.folder.model / name) for name in (WEIGHTS, CONFIG)]
        return "-".join(f"{int(1000 * one):x}" for one in times) if all(times) else None

    def check(self) -> None:
        """Refuse to go on without the run.

        Raises:
            GoneError: its folder was deleted, or holds another run now.
        """
        if self.state() != "gone":
            return
        if self.folder.recipe_file.exists():
            raise GoneError(f"{self.folder.path}: another run was made there; start convscope explore again")
        raise GoneError(f"{self.folder.path}: was deleted or moved; close this page, or put it back and reload")

    def shown(self) -> Shown:
        """The network as it is now.

        Raises:
            GoneError, NotYetError: there is none, or it cannot be opened.
        """
        self.check()
        version = self.version()
        if version is None:
            raise NotYetError(f"{self.folder.path}: has no network yet; wait for the end of the first epoch")
        with self.lock:
            if self._shown is None or self._shown.version != version:
                try:
                    self._shown = self._opened(version)
                except ConvscopeError as error:
                    raise NotYetError(str(error)) from None
            return self._shown

    def images(self, split: str) -> Images:
        """One of the run's sets.

        Raises:
            NotYetError: its images can no longer be read; the message says why.
        """
        subject = self.shown().subject
        with self._reading:
            try:
                found = subject.read(split)
            except ConvscopeError as error:
                self._trouble[split] = str(error)
                raise NotYetError(str(error)) from None
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
        when = _when(self.folder.data_file)
        if not when or self._data[0] != when:
            self._data = when, self.folder.data()
        return self._data[1]

    def _is_held(self) -> bool:
        """Whether another process trains in the run, asked of its lock, but not too often."""
        if time.monotonic() - self._trains[0] > ASKED_EVERY:
            self._trains = time.monotonic(), _held(self.folder.path / LOCK)
        return self._trains[1]

    def _opened(self, version: str) -> Shown:
        if self._shown is None:
            subject = opened(self.folder.path, self._on_progress)
            config = load_config(self.folder.model)
        else:  # the images stay as they are
            model, config = load_bundle(self.folder.model, device_here(self.folder.recipe().train.device))
            subject = replace(self._shown.subject, model=model)
        return Shown(version, subject, config, landscape(subject.model, blank(subject)))


def blank(subject: Subject) -> torch.Tensor:
    """(1, C, H, W) zeros where its network lives."""
    weight = next(subject.model.parameters())
    return torch.zeros(1, len(subject.mean), *subject.size, device=weight.device)


def _when(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _held(lock: Path) -> bool:
    """Whether another process holds a lock, by taking it for a moment."""
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except (Timeout, OSError):
        return True
