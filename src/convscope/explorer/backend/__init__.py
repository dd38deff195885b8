"""A run to be explored: everything that a page, or a script, may want to know of it, one question at a time."""

from convscope.explorer.backend.computations import Sight
from convscope.explorer.backend.epochs import Epochs
from convscope.explorer.backend.errors import (
    BusyError,
    GoneError,
    NoImageError,
    NotYetError,
    TooLargeError,
    UnknownError,
)  # fmt: skip
from convscope.explorer.backend.image_sets import ORDERS, Sets, checked_split
from convscope.explorer.backend.inputs import Inputs, Sent
from convscope.explorer.backend.label_corrections import Marks
from convscope.explorer.backend.live_run import Exploration, Shown
from convscope.explorer.backend.network import network
from convscope.explorer.backend.pictures import as_png, original, shown_pixels, sprite, thumbnail
from convscope.explorer.backend.registry import METHODS, asked, computed, kept
from convscope.explorer.backend.summary import about, curves, drawing, epoch_record
from convscope.explorer.backend.uploads import MOST_BYTES

__all__ = [
    "METHODS",
    "MOST_BYTES",
    "ORDERS",
    "BusyError",
    "Epochs",
    "Exploration",
    "GoneError",
    "Inputs",
    "Marks",
    "NoImageError",
    "NotYetError",
    "Sent",
    "Sets",
    "Shown",
    "Sight",
    "TooLargeError",
    "UnknownError",
    "about",
    "as_png",
    "asked",
    "checked_split",
    "computed",
    "curves",
    "drawing",
    "epoch_record",
    "kept",
    "network",
    "original",
    "shown_pixels",
    "sprite",
    "thumbnail",
]
