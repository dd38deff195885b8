"""What may be said of each way of looking; everything has a default."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

AttributionName = Literal[
    "grad_cam", "grad_cam_plus_plus", "hires_cam", "layer_cam",
    "input_gradients", "integrated_gradients", "smooth_grad", "occlusion",
]  # fmt: skip
SplitName = Literal["train", "validation"]
MaximiseTarget = Literal["channel", "neuron", "layer", "direction"]


class MethodSettings(BaseModel, frozen=True, extra="forbid"):
    """What every way takes.

    Attributes:
        layers: by their dotted names; () is the network's stages, or what suits the way.
        channels: by their ids; () is some, evenly chosen, or all where the way goes over all.
        images: classes, names in the set, files, folders, or "mistakes"; () is some of every class.
        each: how many of a class; None is as many as are shown.
        split: the set that they come from.
        seed: what random draws begin with.
        out: where it writes; None is explain/METHOD in the run.
    """

    layers: tuple[str, ...] = ()
    channels: tuple[int, ...] = ()
    images: tuple[str, ...] = ()
    each: int | None = Field(None, ge=1)
    split: SplitName = "validation"
    seed: int = Field(0, ge=0)
    out: Path | None = None


class ActivationsSettings(MethodSettings):
    """One sheet for each image and layer."""

    most: int = Field(2, ge=1)


class FiltersSettings(MethodSettings):
    """Layers: () is the first convolution. Images: what the kernels answer to them; () is none."""

    most: int = Field(2, ge=1)


class StimuliSettings(MethodSettings):
    """`each` is patches of a channel; images: () is the whole set."""

    each: int = Field(9, ge=1)
    split: SplitName = "train"


class AttributionSettings(MethodSettings):
    """Which maps, for which class: None is the one that the network answers. Channels: what those add to class maps."""

    how: tuple[AttributionName, ...] = ("grad_cam", "integrated_gradients", "occlusion")
    target: str | None = None
    most: int = Field(8, ge=1)


class MaximiseSettings(MethodSettings):
    """How pictures are painted, of what; size None is the network's own. Images: real ones set beside, () is many.

    A direction leads from the mean of all images to that of a class, the ones that `images` names.
    """

    of: MaximiseTarget = "channel"
    parameterisation: Literal["fourier", "pixel"] = "fourier"
    steps: int = Field(256, ge=1)
    size: int | None = Field(None, ge=4)
    copies: int = Field(1, ge=1)
    split: SplitName = "train"


class InvertSettings(MethodSettings):
    """How long each image is painted. Channels: only those are to answer as for the image."""

    steps: int = Field(512, ge=1)
    most: int = Field(3, ge=1)


class ClassSettings(MethodSettings):
    """Images: classes by their names, () the first 20; layers and channels: where real images are to be alike."""

    parameterisation: Literal["fourier", "pixel"] = "fourier"
    steps: int = Field(256, ge=1)
    size: int | None = Field(None, ge=4)
    each: int = Field(4, ge=1)
    split: SplitName = "train"


class NeighboursSettings(MethodSettings):
    """How many neighbours, and how the map is laid out. Channels: only those say what is alike."""

    count: int = Field(5, ge=1)
    map: Literal["pca", "tsne"] = "pca"
    most: int = Field(10, ge=1)


class SanitySettings(MethodSettings):
    """Which maps are put to the test, and with how many random networks."""

    how: tuple[AttributionName, ...] = ("grad_cam", "layer_cam", "input_gradients")
    draws: int = Field(5, ge=1)
    most: int = Field(16, ge=1)


class PointingSettings(MethodSettings):
    """Which maps are to point at the objects that the data mark; images: () is the whole set."""

    how: tuple[AttributionName, ...] = ("grad_cam", "layer_cam", "integrated_gradients", "occlusion")
    most: int = Field(64, ge=1)


class DesignsSettings(MethodSettings):
    """`objects` is the side in pixels, of the network's images, of what is to be recognised; None: as the data say.

    Images: those on which blocks are judged, () the whole set; channels: those that are judged, () all.
    """

    objects: int | None = Field(None, ge=1)


class OvertimeSettings(MethodSettings):
    """Which probe image, by its number or by `images` (names or classes); None is each. Channels: () all kept ones."""

    probe: int | None = Field(None, ge=0)


class HierarchySettings(MethodSettings):
    """How many channels of each layer, and steps of painting. Images: those whose maps are shown."""

    most: int = Field(6, ge=1)
    steps: int = Field(192, ge=1)
