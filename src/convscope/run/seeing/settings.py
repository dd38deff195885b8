"""What may be said of each way of looking; everything has a default."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

How = Literal[
    "grad_cam", "grad_cam_plus_plus", "hires_cam", "layer_cam",
    "input_gradients", "integrated_gradients", "smooth_grad", "occlusion",
]  # fmt: skip
Split = Literal["train", "validation"]


class Look(BaseModel, frozen=True, extra="forbid"):
    """What every way has: where it writes (None: explain/METHOD in the run) and what random draws begin with."""

    out: Path | None = None
    seed: int = Field(0, ge=0)


class LayersLook(Look):
    """Layers by their dotted names; () is the network's stages, or what suits the way."""

    layers: tuple[str, ...] = ()


class ChannelsLook(LayersLook):
    """Channels by their ids; () is some, evenly chosen."""

    channels: tuple[int, ...] = ()


class ImagesLook(LayersLook):
    """Images: classes, names in the set, files, folders, or "mistakes"; () is some of every class.

    `each` is how many of a class (None: as many as are shown).
    """

    images: tuple[str, ...] = ()
    each: int | None = Field(None, ge=1)
    split: Split = "validation"


class ActivationsLook(ImagesLook):
    """One sheet for each image and layer."""

    channels: tuple[int, ...] = ()
    most: int = Field(2, ge=1)


class FiltersLook(ChannelsLook):
    """Layers: () is the first convolution."""


class StimuliLook(ChannelsLook):
    """How many patches of each channel, from which images."""

    images: tuple[str, ...] = ()
    each: int = Field(9, ge=1)
    split: Split = "train"


class WhereLook(ImagesLook):
    """Which maps, for which class: None is the one that the network answers."""

    how: tuple[How, ...] = ("grad_cam", "integrated_gradients", "occlusion")
    target: str | None = None
    most: int = Field(8, ge=1)


class PaintLook(ChannelsLook):
    """How pictures are painted; size None is the network's own."""

    steps: int = Field(256, ge=1)
    size: int | None = Field(None, ge=4)
    copies: int = Field(1, ge=1)


class InvertLook(ImagesLook):
    """How long each image is painted."""

    steps: int = Field(256, ge=1)
    most: int = Field(3, ge=1)


class ClassLook(Look):
    """Classes by their names; () is all, the first 20."""

    images: tuple[str, ...] = ()
    steps: int = Field(256, ge=1)
    size: int | None = Field(None, ge=4)


class NeighboursLook(ImagesLook):
    """How many neighbours, and how the map is laid out."""

    count: int = Field(5, ge=1)
    map: Literal["pca", "tsne"] = "pca"
    most: int = Field(10, ge=1)


class SanityLook(ImagesLook):
    """Which maps are put to the test, and with how many random networks."""

    how: tuple[How, ...] = ("grad_cam", "layer_cam", "input_gradients")
    draws: int = Field(5, ge=1)
    most: int = Field(16, ge=1)


class DesignsLook(LayersLook):
    """`objects` is the side in pixels, of the network's images, of what is to be recognised; None leaves it out."""

    objects: int | None = Field(None, ge=1)


class OvertimeLook(LayersLook):
    """Which probe image; None is each."""

    probe: int | None = Field(None, ge=0)


class HierarchyLook(LayersLook):
    """How many channels of each layer, and steps of painting."""

    channels: tuple[int, ...] = ()
    most: int = Field(6, ge=1)
    steps: int = Field(192, ge=1)
