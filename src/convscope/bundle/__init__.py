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
from convscope.bundle.predict import DecodedFile, FailedFile, Inference, image_files, predict
from convscope.bundle.tta import TTA_VIEWS, AveragedViews, check_tta, with_tta
from convscope.tasks import Prediction

__all__ = [
    "TTA_VIEWS",
    "AveragedViews",
    "BundleConfig",
    "DecodedFile",
    "FailedFile",
    "Inference",
    "Prediction",
    "Preprocessing",
    "check_tta",
    "image_files",
    "is_bundle",
    "load_bundle",
    "load_config",
    "predict",
    "save_bundle",
    "save_config",
    "with_tta",
]
