"""All kinds of target by name. A new kind is one file in this folder and one line here."""

from convscope.datasets.targets.boxes import BOXES
from convscope.datasets.targets.classes import CLASSES
from convscope.datasets.targets.kind import TargetKind
from convscope.datasets.targets.labels import LABELS
from convscope.datasets.targets.masks import MASKS
from convscope.datasets.targets.numbers import NUMBERS

TARGET_KINDS: dict[str, TargetKind] = {
    CLASSES.name: CLASSES,
    LABELS.name: LABELS,
    NUMBERS.name: NUMBERS,
    MASKS.name: MASKS,
    BOXES.name: BOXES,
}

DEFAULT_KIND = CLASSES.name
"""The default kind of target."""
