"""What may be asked of each computation; everything has a default but what it is about."""

from typing import Literal

from pydantic import BaseModel, Field

from convscope.analysis.settings import How

SplitName = Literal["train", "validation"]


class JobSettings(BaseModel, frozen=True, extra="forbid"):
    """What every computation has: what random draws begin with."""

    seed: int = Field(0, ge=0)


class PredictionsSettings(JobSettings):
    """Let the network answer on a set."""

    split: SplitName = "train"


class AttributionSettings(JobSettings):
    """`class` None is the one that the network answers; `layer` None the one that suits."""

    image: str
    how: How = "grad_cam"
    layer: str | None = None
    class_: int | None = Field(None, alias="class", ge=0)


class ChannelImagesSettings(JobSettings):
    """Paint what channels of a layer want to see."""

    layer: str
    channels: tuple[int, ...] = Field(min_length=1, max_length=32)
    steps: int = Field(256, ge=1, le=2048)


class ClassImagesSettings(JobSettings):
    """Paint what classes look like; () is all, the first 20."""

    classes: tuple[int, ...] = Field((), max_length=64)
    steps: int = Field(256, ge=1, le=2048)


class TopPatchesSettings(JobSettings):
    """The patches that excite channels most."""

    layer: str
    channels: tuple[int, ...] = Field(min_length=1, max_length=64)
    each: int = Field(9, ge=1, le=25)
    split: SplitName = "train"


class NeighboursSettings(JobSettings):
    """The images that a layer finds alike; `layer` None is the last stage."""

    image: str
    layer: str | None = None
    count: int = Field(8, ge=1, le=64)
    split: SplitName = "validation"


class EmbeddingMapSettings(JobSettings):
    """The set on a plane."""

    layer: str | None = None
    method: Literal["pca", "tsne"] = "pca"
    split: SplitName = "validation"
    most: int = Field(1000, ge=3, le=2048)


class InversionSettings(JobSettings):
    """Paint what a layer has kept of a picture."""

    image: str
    layer: str
    steps: int = Field(256, ge=1, le=4096)


class FiltersSettings(JobSettings):
    """A layer's kernels; None is the first convolution."""

    layer: str | None = None
