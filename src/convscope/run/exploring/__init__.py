"""A run to be explored: everything that a page, or a script, may want to know of it, one question at a time."""

from convscope.run.exploring.about import about, curves, drawing, epoch_record
from convscope.run.exploring.computing import METHODS, asked, computed, kept
from convscope.run.exploring.epochs import Epochs
from convscope.run.exploring.exploration import Exploration, Shown
from convscope.run.exploring.looked import Inputs, Sent
from convscope.run.exploring.marks import Marks
from convscope.run.exploring.network import network
from convscope.run.exploring.pictures import as_png, original, shown_pixels, sprite, thumbnail
from convscope.run.exploring.refusals import (
    BusyError,
    GoneError,
    NoImageError,
    NotYetError,
    TooLargeError,
    UnknownError,
)  # fmt: skip
from convscope.run.exploring.sets import ORDERS, Sets, checked_split
from convscope.run.exploring.uploads import MOST_BYTES
from convscope.run.exploring.ways import Sight

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
