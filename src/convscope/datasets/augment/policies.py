"""Augmentation policies by name."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, Field

from convscope.errors import ConfigError, did_you_mean

AnyPolicy = TypeVar("AnyPolicy", bound=BaseModel)


def named_policy(policy: str | AnyPolicy, known: Mapping[str, AnyPolicy]) -> AnyPolicy:
    """A policy, or the one of a name in `known`.

    Raises:
        ConfigError: the policy does not exist.
    """
    if not isinstance(policy, str):
        return policy
    if policy not in known:
        raise ConfigError(f"augment: no policy {policy}{did_you_mean(policy, known)}")
    return known[policy]


class Policy(BaseModel, frozen=True, extra="forbid"):
    """The strength of each augmentation, in both directions; 0 is none."""

    shift: float = Field(0.0, ge=0, le=1)
    """As a fraction of the image's side."""
    scale: float = Field(1.0, ge=1)
    """Factor: between 1 / scale and scale."""
    rotate: float = Field(0.0, ge=0, le=180)
    """Degrees."""
    shear: float = Field(0.0, ge=0, lt=90)
    """Degrees."""
    crop: float = Field(1.0, gt=0, le=1)
    """Minimum side of a random resized crop, as a fraction of the image's side; 1 is no cropping."""
    flip: bool = False
    """Whether half of the images are flipped vertically: for images without an up direction, such as aerial views."""
    elastic: float = Field(0.0, ge=0, le=0.2)
    """Maximum offset of elastic deformation, as a fraction of the image's side."""
    brightness: float = Field(0.0, ge=0, lt=1)
    contrast: float = Field(0.0, ge=0, lt=1)
    saturation: float = Field(0.0, ge=0, le=1)
    hue: float = Field(0.0, ge=0, le=180)
    """Degrees on the colour wheel."""
    grey: float = Field(0.0, ge=0, le=1)
    """Share of the images that are converted to grey."""
    blur: float = Field(0.0, ge=0)
    """Standard deviation in pixels, drawn from 0 to this for half of the images."""
    noise: float = Field(0.0, ge=0, le=1)
    """Standard deviation, drawn from 0 to this for each image; white is 1."""
    cutout: float = Field(0.0, ge=0, le=1)
    """Side of the square that is erased in half of the images, as a fraction of the image's side."""

    @property
    def resamples(self) -> bool:
        """Whether the geometric transforms need interpolation."""
        return self != self.model_copy(
            update={"scale": 1.0, "rotate": 0.0, "shear": 0.0, "crop": 1.0, "flip": False, "elastic": 0.0}
        )


POLICIES: dict[str, Policy] = {
    "none": Policy(),
    "light": Policy(shift=1 / 8),
    "standard": Policy(shift=1 / 8, scale=1.2, rotate=10, brightness=0.2, contrast=0.2),
    "strong": Policy(
        shift=1 / 8, scale=1.3, rotate=20, shear=10, brightness=0.3, contrast=0.3, saturation=0.4, hue=20, cutout=1 / 3
    ),
}
