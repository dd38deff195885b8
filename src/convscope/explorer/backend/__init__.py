"""The explorer's model of a run, independent of HTTP: images, inputs, maps, predictions, jobs, label corrections."""

from convscope.explorer.backend.answers import Answers
from convscope.explorer.backend.computations import JobContext, job_method
from convscope.explorer.backend.epochs import ProbeHistory
from convscope.explorer.backend.experiments import Change, Experiments
from convscope.explorer.backend.image_sets import ORDERS, ImageSets, checked_split
from convscope.explorer.backend.inputs import Inputs, SelectedMaps
from convscope.explorer.backend.label_corrections import LabelCorrections
from convscope.explorer.backend.live_run import LiveRun, LoadedModel
from convscope.explorer.backend.network import network_tree
from convscope.explorer.backend.pictures import as_png, original_image, shown_pixels, sprite, thumbnail
from convscope.explorer.backend.results import compute, load_cached, page_data, tiles, with_records
from convscope.explorer.backend.summary import curves, drawing_style, epoch_record, run_summary
from convscope.web.errors import (
    BusyError,
    NotAvailableError,
    NotFoundError,
    RunGoneError,
    UnsupportedImageError,
)  # fmt: skip

__all__ = [
    "ORDERS",
    "Answers",
    "BusyError",
    "Change",
    "Experiments",
    "ImageSets",
    "Inputs",
    "JobContext",
    "LabelCorrections",
    "LiveRun",
    "LoadedModel",
    "NotAvailableError",
    "NotFoundError",
    "ProbeHistory",
    "RunGoneError",
    "SelectedMaps",
    "UnsupportedImageError",
    "as_png",
    "checked_split",
    "compute",
    "curves",
    "drawing_style",
    "epoch_record",
    "job_method",
    "load_cached",
    "network_tree",
    "original_image",
    "page_data",
    "run_summary",
    "shown_pixels",
    "sprite",
    "thumbnail",
    "tiles",
    "with_records",
]
