"""Attribution maps of uploaded images: which positions support a class."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from PIL import Image
from torch import nn

from convscope.analysis.attribution_maps import attribution, chosen_maps, target_class
from convscope.analysis.methods.attribution import AttributionName
from convscope.analysis.selection import probabilities
from convscope.analysis.target import AnalysisTarget, ImageSet
from convscope.bundle import BundleConfig
from convscope.datasets import shown_channels
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.errors import ConfigError, DataError, did_you_mean
from convscope.explainers import overlay
from convscope.web.uploads import check, unsupported

METHODS = get_args(AttributionName)
LEAST_SIDE = 224
"""Pixels of a heat map's shorter side: those of small inputs are enlarged by a whole factor."""


@dataclass(frozen=True, eq=False)
class Explained:
    """A network by its name, with its configuration."""

    name: str
    network: nn.Module
    config: BundleConfig


def heat_map(model: Explained, content: bytes, method: str, target: str | None) -> tuple[bytes, str]:
    """Return the image as the network gets it, with an attribution map over it, as PNG; and the class it explains.

    Args:
        model: the model.
        content: bytes of an image file.
        method: one of `METHODS`.
        target: name of the class to explain; None: the predicted class.

    Raises:
        ConfigError: no such method or class, or the predictions contain no classes.
        TooLargeError, UnsupportedImageError: the image cannot be decoded.
    """
    if method not in METHODS:
        raise ConfigError(f"method: no {method[:80]}{did_you_mean(method, METHODS)}")
    subject = _subject(model)
    if not subject.task.names_classes:
        raise ConfigError(f"explain: the predictions of {model.name} contain no classes; use /predict")
    images = _image_set(model, content)
    with subject.class_scores_only():
        x = subject.input(images)
        predicted = subject.task.predicted_class(probabilities(subject, images))
        index = int(predicted[0]) if target is None else target_class(subject, target)
        (job,) = chosen_maps(subject, (method,), (), (), x)
        found = attribution(subject.model, x, job, torch.tensor([index]))
    pixels = shown_channels(images.pixels()[0].numpy(), subject.shown_channels)
    factor = -(-LEAST_SIDE // min(pixels.shape[1:]))
    large = pixels.repeat(factor, 1).repeat(factor, 2)
    drawn = io.BytesIO()
    Image.fromarray(overlay(large, found.maps[0])).save(drawn, "PNG", compress_level=1)
    return drawn.getvalue(), subject.class_name(index)


def _subject(model: Explained) -> AnalysisTarget:
    preprocessing, config = model.config.preprocessing, model.config
    none = ImageSet((), np.zeros(0, np.int64), np.zeros((0, *preprocessing.shape), np.uint8), np.zeros(0, np.int64))
    return AnalysisTarget(
        model.name, model.network, config.classes, preprocessing.mean, preprocessing.std, preprocessing.size, Path(),
        lambda _split: none, preprocessing.spec if isinstance(preprocessing, ImagePreprocessing) else None,
        config.build_task(),
        shown_channels=preprocessing.shown_channels if isinstance(preprocessing, ImagePreprocessing) else (),
    )  # fmt: skip


def _image_set(model: Explained, content: bytes) -> ImageSet:
    check(content, one_frame=False)
    try:
        values = model.config.preprocessing.decode(content).values
    except DataError as error:
        raise unsupported(error) from None
    return ImageSet(("image",), np.array([-1], np.int64), values[None], np.zeros(1, np.int64))
