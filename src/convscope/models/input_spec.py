"""The input specification of a network: channels, rank and size."""

from collections.abc import Sequence
from dataclasses import dataclass

from convscope.errors import ModelError
from convscope.models.layers import shape_text

Size = int | Sequence[int] | None


@dataclass(frozen=True)
class InputSpec:
    """The input of a network: channels, `rank` spatial dimensions (1 sound, 2 images, 3 volumes) and their size.

    `size` is None if the network accepts any size.
    """

    channels: int = 3
    rank: int = 2
    size: tuple[int, ...] | None = None

    @classmethod
    def checked(cls, name: str, channels: int, rank: int, size: Size) -> "InputSpec":
        """Return the validated specification; a single number as size applies to all sides.

        Raises:
            ModelError: rank is not 1, 2 or 3, channels is below 1, or size does not match the rank.

        >>> InputSpec.checked("lenet", 1, 2, 28)
        InputSpec(channels=1, rank=2, size=(28, 28))
        """
        if rank not in (1, 2, 3):
            raise ModelError(f"{name}: rank is {rank}; choose 1 (sound, series), 2 (images) or 3 (volumes)")
        if channels < 1:
            raise ModelError(f"{name}: channels is {channels}; give 1 for grey, 3 for colour images")
        if size is None:
            return cls(channels, rank)
        sides = (size,) * rank if isinstance(size, int) else tuple(int(side) for side in size)
        if len(sides) != rank or min(sides) < 1:
            raise ModelError(
                f"{name}: size {shape_text(sides)} does not fit rank {rank}; give {rank} sides of at least 1"
            )
        return cls(channels, rank, sides)
