"""Pictures painted from noise, one for each channel or class."""

import numpy as np

from convscope.analysis.feature_visualization import optimisation_settings, some_images
from convscope.analysis.layout import sized
from convscope.analysis.result import Findings
from convscope.analysis.selection import chosen_channels, require_class_scores, width_of
from convscope.analysis.settings import ClassLook, PaintLook
from convscope.errors import ConfigError
from convscope.explain import REMINDER, MaximisedImages, channel_maxima, maximise_channels, maximise_classes
from convscope.explorer.backend import requests as asks
from convscope.explorer.backend.computations import JobContext
from convscope.explorer.backend.pictures import shown_pixels
from convscope.progress import Progress

ALL = 20  # classes that are painted where none are named
SIDE = 96  # pixels of a picture at least


def channel_images(context: JobContext, request: asks.ChannelImagesSettings, on_progress: Progress) -> Findings:
    """What channels want to see, and how that compares with the run's images."""
    subject = context.subject
    channels = chosen_channels(
        request.layer, width_of(subject.model, request.layer, context.loaded_model.blank()), request.channels, 1
    )
    settings = optimisation_settings(subject, PaintLook(steps=request.steps, seed=request.seed))
    found = maximise_channels(subject.model, request.layer, channels, subject.space, settings, on_progress)
    real = some_images(subject)
    maxima = channel_maxima(subject.model, request.layer, subject.batches(real))
    rows = [
        {
            "channel": channel, "start": float(found.pictures.start[i]), "final": float(found.pictures.final[i]),
            "data_max": float(maxima[channel]), "picture": f"channel-{channel}",
        }
        for i, channel in enumerate(channels)
    ]  # fmt: skip
    pictures = {f"channel-{channel}": _picture(found, i) for i, channel in enumerate(channels)}
    return Findings(pictures, {"layer": request.layer, "channels": rows})


def class_images(context: JobContext, request: asks.ClassImagesSettings, on_progress: Progress) -> Findings:
    """What classes look like to the network."""
    subject = context.subject
    require_class_scores(subject)
    chosen = request.classes or tuple(range(min(ALL, len(subject.classes))))
    wrong = next((k for k in chosen if not 0 <= k < len(subject.classes)), None)
    if wrong is not None:
        raise ConfigError(f"classes: no {wrong}; choose from 0 to {len(subject.classes) - 1}")
    settings = optimisation_settings(subject, ClassLook(steps=request.steps, seed=request.seed))
    found = maximise_classes(subject.model, chosen, subject.space, settings, on_progress)
    probability = np.asarray(found.probability)
    rows = [
        {"class": k, "probability": float(probability[i]), "picture": f"class-{k}"} for i, k in enumerate(chosen)
    ]  # fmt: skip
    pictures = {f"class-{k}": _picture(found, i) for i, k in enumerate(chosen)}
    return Findings(pictures, {"classes": rows, "reminder": REMINDER}, (REMINDER,))


def _picture(found: MaximisedImages, place: int) -> np.ndarray:
    from torch import from_numpy

    pixels = shown_pixels(from_numpy(found.pictures.pixels[place]))
    return sized(pixels, max(SIDE, *pixels.shape[:2]))
