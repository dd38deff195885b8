"""All kinds of targets by name. A new kind is one file beside this one and one line here."""

from convscope.data.targets.boxes import BOXES
from convscope.data.targets.classes import CLASSES
from convscope.data.targets.kind import TargetKind
from convscope.data.targets.labels import LABELS
from convscope.data.targets.masks import MASKS
from convscope.data.targets.numbers import NUMBERS

TARGET_KINDS: dict[str, TargetKind] = {
    CLASSES.name: CLASSES,
    LABELS.name: LABELS,
    NUMBERS.name: NUMBERS,
    MASKS.name: MASKS,
    BOXES.name: BOXES,
}

DEFAULT_KIND = CLASSES.name
"""The kind of targets where nothing says otherwise."""
