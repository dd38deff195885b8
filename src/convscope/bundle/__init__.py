"""Saved models: write them, load them and predict with them."""

from convscope.bundle.bundle import (
    BundleConfig,
    Preprocessing,
    is_bundle,
    load_bundle,
    load_config,
    save_bundle,
    save_config,
)
from convscope.bundle.predict import Inference, image_files, predict
from convscope.bundle.tta import TTA_VIEWS, AveragedViews, check_tta, with_tta
from convscope.predictions import Prediction
from convscope.predictions.files import DecodedFile, FailedFile
from convscope.predictions.sources import FileContent, Source, count_sources, find_sources, names_of

__all__ = [
    "TTA_VIEWS",
    "AveragedViews",
    "BundleConfig",
    "DecodedFile",
    "FailedFile",
    "FileContent",
    "Inference",
    "Prediction",
    "Preprocessing",
    "Source",
    "check_tta",
    "count_sources",
    "find_sources",
    "image_files",
    "is_bundle",
    "load_bundle",
    "load_config",
    "names_of",
    "predict",
    "save_bundle",
    "save_config",
    "with_tta",
]
