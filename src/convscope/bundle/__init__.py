"""From a trained network to something that others can use."""

from convscope.bundle.bundle import BundleConfig, Preprocessing, load_bundle, load_config, save_bundle, save_config
from convscope.bundle.predict import Refused, image_files, predict
from convscope.bundle.tta import CROPS, Cropped, looking, refuse_places
from convscope.tasks import Prediction

__all__ = [
    "CROPS",
    "BundleConfig",
    "Cropped",
    "Prediction",
    "Preprocessing",
    "Refused",
    "image_files",
    "load_bundle",
    "load_config",
    "looking",
    "predict",
    "refuse_places",
    "save_bundle",
    "save_config",
]
