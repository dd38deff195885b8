"""What the findings suggest changing, each with the figure behind it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convscope.errors import ConfigError, ModelError
from convscope.explain import (
    Progress,
    Removal,
    Suggestion,
    filters,
    from_field,
    from_filters,
    from_removals,
    from_stimuli,
    receptive_field,
    removal_costs,
    stimuli,
)
from convscope.explain import first_convolution as first_of
from convscope.run.seeing.choose import chosen_layers, where_layer
from convscope.run.seeing.findings import Findings
from convscope.run.seeing.settings import DesignsLook
from convscope.run.seeing.sheets import chart, titled
from convscope.run.seeing.subject import Images, Subject

SHOWN_REMOVALS = 24


def see_designs(subject: Subject, look: DesignsLook, on_progress: Progress) -> Findings:
    """Dead and repeated filters, silent channels, blocks that cost nothing to leave out, fields that do not fit."""
    train, judged = subject.read("train"), subject.read("validation")
    if not len(judged):
        raise ConfigError(f"images: {subject.name} comes without images; designs need a run, or images in Python")
    sample = subject.input(judged, slice(0, 1))
    layers = chosen_layers(subject, look.layers, sample)
    suggestions = list(_filters(subject))
    for layer in layers:
        suggestions += from_stimuli(stimuli(subject.model, layer, subject.batches(train), 1))
    removals = _removals(subject, judged, on_progress)
    suggestions += from_removals(removals)
    suggestions += _field(subject, look.objects, sample)
    pictures = {"removals": _removal_sheet(removals)} if removals else {}
    numbers = {
        "layers": layers,
        "suggestions": [one.to_json() for one in suggestions],
        "removals": [one.to_json() for one in removals],
    }
    return Findings(pictures, numbers, tuple(_sentence(one) for one in suggestions) or (NOTHING,))


NOTHING = "nothing to suggest: no dead, repeated or silent channels, and every block that was left out is missed"


def _sentence(found: Suggestion) -> str:
    return f"{found.layer} ({found.kind}): {found.finding}. Try: {found.suggestion}."


def _filters(subject: Subject) -> tuple[Suggestion, ...]:
    try:
        return from_filters(filters(subject.model, first_of(subject.model)))
    except ModelError:  # a network without convolutions
        return ()


def _removals(subject: Subject, judged: Images, on_progress: Progress) -> tuple[Removal, ...]:
    """What each block is worth on the validation images; none where these have no classes."""
    if (judged.targets < 0).any():
        return ()

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        done = 0
        for x in subject.batches(judged):
            yield x, torch.from_numpy(judged.targets[done : done + len(x)])
            done += len(x)

    return removal_costs(subject.model, batches, on_progress=on_progress)


def _field(subject: Subject, objects: int | None, sample: Tensor) -> tuple[Suggestion, ...]:
    layer = where_layer(subject.model, sample)
    if objects is None or not layer:
        return ()
    return from_field(receptive_field(subject.model, layer, sample), np.array([[objects, objects]]))


def _removal_sheet(removals: tuple[Removal, ...]) -> np.ndarray:
    chosen = removals[:SHOWN_REMOVALS]

    def draw(axes: Any) -> None:
        costs = [100 * one.cost for one in chosen]
        axes.barh([one.layer for one in chosen], costs, color=["#f2994a" if c <= 0.5 else "#5b8def" for c in costs])
        axes.invert_yaxis()
        axes.set_xlabel("accuracy lost without it, in points of 100")

    note = (
        "Each block is passed by, and nothing is trained again: its cost is at most this high. Orange: hardly missed."
    )
    return titled(chart(draw, (7.5, 0.28 * len(chosen) + 1.2)), "What each block is worth", note)
