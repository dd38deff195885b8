"""How far random changes go: policies by name."""

from pydantic import BaseModel, Field


class Policy(BaseModel, frozen=True, extra="forbid"):
    """How far each change may go, either way; 0 is none."""

    shift: float = Field(0.0, ge=0, le=1)
    """Of the image's side."""
    scale: float = Field(1.0, ge=1)
    """Factor: between 1 / scale and scale."""
    rotate: float = Field(0.0, ge=0, le=180)
    """Degrees."""
    shear: float = Field(0.0, ge=0, lt=90)
    """Degrees."""
    crop: float = Field(1.0, gt=0, le=1)
    """Least part of the image's sides that is kept, from anywhere in it, and enlarged to the whole; 1 crops nothing."""
    flip: bool = False
    """Whether half of the images are turned upside down: for what has no up, such as cells or the ground from above."""
    elastic: float = Field(0.0, ge=0, le=0.2)
    """How far places move against each other, of the image's side."""
    brightness: float = Field(0.0, ge=0, lt=1)
    contrast: float = Field(0.0, ge=0, lt=1)
    saturation: float = Field(0.0, ge=0, le=1)
    hue: float = Field(0.0, ge=0, le=180)
    """Degrees on the colour wheel."""
    grey: float = Field(0.0, ge=0, le=1)
    """Share of the images that lose their colour."""
    blur: float = Field(0.0, ge=0)
    """Standard deviation in pixels, drawn from 0 to this for half of the images."""
    noise: float = Field(0.0, ge=0, le=1)
    """Standard deviation, drawn from 0 to this for each image; white is 1."""
    cutout: float = Field(0.0, ge=0, le=1)
    """Side of a square that half of the images lose, of the image's side."""

    @property
    def resamples(self) -> bool:
        """Whether the geometry needs pixels between pixels."""
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
