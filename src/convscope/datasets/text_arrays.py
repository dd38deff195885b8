"""Datasets of texts in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convscope.datasets.array_targets import ArrayTargets
from convscope.datasets.cells import is_missing
from convscope.datasets.class_checks import check_classes
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.inputs.settings import InputSettings
from convscope.datasets.inputs.text_files import NO_TEXT
from convscope.datasets.inputs.text_reading import TEXT, with_tokens
from convscope.errors import DataError
from convscope.printable import encodable


@dataclass(frozen=True)
class LabelledText:
    """A text with its unique name, its label ("" if it is missing), and the split and group that the data define."""

    name: str
    text: str
    label: str
    split: str = ""
    group: str = ""


def text_dataset(
    origin: tuple[str, str],
    texts: Sequence[LabelledText],
    targets: ArrayTargets,
    notes: Sequence[str] = (),
    skipped: Sequence[Skipped] = (),
    column: str = "",
) -> Dataset:  # fmt: skip
    """A dataset of texts in the order of their names, divided into words.

    Args:
        origin: the source, and the layout that read it.
        texts: all of them; those without a text or a target are skipped.
        targets: of all texts, in their order.
        notes: what was decided.
        skipped: what could not be read.
        column: of the table that holds the texts.

    Raises:
        DataError: no text can be used, or the classes are invalid, see `check_classes`.
    """
    source, layout = origin
    why = [
        NO_TEXT if is_missing(one.text) else unknown for one, unknown in zip(texts, targets.unknown, strict=True)
    ]  # fmt: skip
    unused = [Skipped(one.name, reason) for one, reason in zip(texts, why, strict=True) if reason]
    skipped = [Skipped(encodable(one.name), encodable(one.why)) for one in (*skipped, *unused)]
    order = sorted((row for row, reason in enumerate(why) if not reason), key=lambda row: texts[row].name)
    if not order:
        raise DataError(f"{source}: no text can be used{_first(skipped)}")
    kept = [texts[row] for row in order]
    groups = np.array([one.group for one in kept])
    dataset = Dataset(
        source=source,
        layout=layout,
        images=np.array([one.text for one in kept], dtype=np.object_),
        names=tuple(encodable(one.name) for one in kept),
        targets=targets.targets[order],
        classes=targets.classes,
        splits=np.array([one.split for one in kept], dtype="<U10"),
        groups=groups if (groups != "").any() else None,
        skipped=tuple(sorted(skipped, key=lambda one: one.name)),
        sizes=np.zeros((len(kept), 1), np.int64),
        channels=1,
        modes={},
        notes=(*notes, *targets.notes),
        target_kind=targets.kind,
        input_kind=TEXT,
    )
    return check_classes(with_tokens(dataset, InputSettings(), column))


def _first(skipped: Sequence[Skipped]) -> str:
    return f"; the first, {skipped[0].name}, {skipped[0].why}" if skipped else ""
