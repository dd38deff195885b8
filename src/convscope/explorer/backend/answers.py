"""Predictions beside their targets, for every task: compared, and drawn as overlays."""

from collections import OrderedDict
from typing import Any

import numpy as np

from convscope.analysis.layout import sized
from convscope.explorer.backend.inputs import Inputs
from convscope.explorer.backend.live_run import LiveRun
from convscope.explorer.backend.pictures import shown_pixels
from convscope.tasks import ShownAnswer
from convscope.web.errors import NotFoundError

MAX_ANSWERS = 128  # in the cache
OVERLAYS = ("predicted", "target", "errors")


class Answers:
    """What the network predicts for single images, beside the targets of the run's own images."""

    def __init__(self, run: LiveRun, inputs: Inputs) -> None:
        self.run, self.inputs = run, inputs
        self._cache: OrderedDict[tuple[str, str], ShownAnswer] = OrderedDict()

    def of(self, image: str) -> ShownAnswer:
        """Return the prediction for an image beside its target."""
        loaded = self.run.loaded_model()
        key = loaded.version, image
        with self.run.lock:
            if key not in self._cache:
                target = self.inputs.images(image).task_target(0)
                self._cache[key] = loaded.task.shown_answer(self.inputs.output(image), target)
            self._cache.move_to_end(key)
            while len(self._cache) > MAX_ANSWERS:
                self._cache.popitem(last=False)
            return self._cache[key]

    def prediction(self, image: str, prediction: dict[str, Any]) -> dict[str, Any]:
        """Return a prediction of `Inputs.predict` with its answer."""
        return {**prediction, "answer": self.of(image).to_json()}

    def overlay(self, image: str, which: str) -> np.ndarray:
        """Return the colours (H, W, 4) of a mask: "predicted", "target" or "errors".

        Raises:
            NotFoundError: no such mask.
        """
        found = self.of(image).overlay(which) if which in OVERLAYS else None
        if found is None:
            raise NotFoundError(f"mask {which[:40]}: the image has none; choose one of answer.masks, or errors")
        return found

    def thumbnail(self, image: str, side: int) -> np.ndarray:
        """Return a thumbnail with the prediction and the target drawn on it."""
        pixels = shown_pixels(self.inputs.images(image).pixels()[0], self.inputs.run.shown_channels())
        return sized(self.of(image).draw(pixels), side)
