"""Measure the layers of a network while it trains, and warn of problems."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convscope.diagnosis.learning_group import check_records
from convscope.diagnosis.registry import WHILE_TRAINING
from convscope.pipeline.session import TrainingSession
from convscope.runs.events import LayersMeasured, ProblemFound, as_json
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData
from convscope.runs.training_records import RunRecords, first_loss, module_types
from convscope.training import Epoch, measure_layers, precision_context

MOST_IMAGES = 128  # for which activations are measured
IMAGES_PER_EPOCH = 16  # one of so many of an epoch's images, so that measuring takes below 2 % of the time
LEAST_IMAGES = 16


class Monitor:
    """Returns after each epoch the statistics of the layers and the problems that are new.

    Gradients are those of the epoch's last step. Activations, which need a forward pass, are measured after the epochs
    1, 2, 4, 8 ...
    """

    def __init__(self, folder: RunFolder, prepared: PreparedData, session: TrainingSession) -> None:
        self.folder, self.session = folder, session
        self.known = {event["kind"] for event in folder.events("problem_found")}
        self.epochs: list[dict[str, Any]] = folder.events("epoch")
        self.layers: list[dict[str, Any]] = folder.events("layers_measured")
        targets = prepared.dataset.counts(prepared.split == "train")
        self.records = RunRecords(
            session.recipe, prepared.dataset.classes, np.asarray(targets, np.int64),
            modules=module_types(session.state.model), finished=False,
        )  # fmt: skip
        self.images: Tensor | None = None

    def on_epoch(self, event: Epoch) -> list[LayersMeasured | ProblemFound]:
        """Return what is measured and found after an epoch."""
        measured = self._measure(event)
        self.epochs.append(as_json(event))
        self.layers.append(as_json(measured))
        if len(self.epochs) == 1:
            self.records = replace(self.records, first_loss=first_loss(self.folder.events("step")))
        records = replace(self.records, epochs=self.epochs, layers=self.layers, confusion=self._confusion())
        problems = [one for one in check_records(records, WHILE_TRAINING) if one.kind not in self.known]
        self.known |= {finding.kind for finding in problems}
        return [
            measured,
            *(
                ProblemFound(event.epoch, event.step, one.kind, f"{one.where}: {one.message}; {one.change.text}")
                for one in problems
            ),
        ]

    def _measure(self, event: Epoch) -> LayersMeasured:
        state, session = self.session.state, self.session
        due = event.epoch & (event.epoch - 1) == 0 and not session.trains_on_features
        x = self._sample() if due else None
        with precision_context("float32", state.device)():
            layers = tuple(measure_layers(state.model, x))
        if x is None:
            return LayersMeasured(event.epoch, event.step, layers)
        return LayersMeasured(event.epoch, event.step, layers, float(x.mean()), float(x.std()))

    def _sample(self) -> Tensor:
        """Return the first validation images, as the network gets them."""
        if self.images is None:
            count = min(MOST_IMAGES, max(LEAST_IMAGES, len(self.session.train.targets) // IMAGES_PER_EPOCH))
            found: list[Tensor] = []
            for x, _ in self.session.validation(0):
                found.append(x)
                if sum(map(len, found)) >= count:
                    break
            self.images = torch.cat(found)[:count].clone()
        return self.images

    def _confusion(self) -> Any:
        evaluation = self.session.last_evaluation
        return None if evaluation is None else self.session.task.confusion(evaluation)
