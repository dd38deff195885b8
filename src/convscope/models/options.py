"""Options of the networks, validated from keyword arguments (or JSON) into frozen objects."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from convscope.errors import ModelError, did_you_mean
from convscope.models.components import ACTIVATIONS, NORMS, PADDINGS, POOLINGS, Named, resolve_component, with_momentum
from convscope.models.layers import LayerFactory
from convscope.validation import first_problem

FROM_ZERO = ("auxiliary", "first_padding", "gated")


class VectorOptions(BaseModel):
    """Options of every network, including those without feature maps."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    activation: Named = "relu"
    norm: Named = "batch"
    dropout: float = Field(0.0, ge=0, lt=1)

    @field_validator("*")
    @classmethod
    def _counts(cls, value: object, info: ValidationInfo) -> object:
        if info.field_name not in FROM_ZERO and any(number < 1 for number in _whole_numbers(value)):
            raise ValueError("give whole numbers from 1")
        return value


class LayerOptions(VectorOptions):
    """Options of every convolutional network; a family adds its own and sets its paper's defaults."""

    pooling: Named = "max"
    padding: str = "zeros"
    norm_last: bool = False
    momentum: float | None = Field(
        None, gt=0, le=1
    )  # of batch norm's running statistics; None: PyTorch's default of 0.1

    def layers(self, rank: int) -> LayerFactory:
        """Return the layer factory that these options select, for `rank` spatial dimensions."""
        resolve_component(PADDINGS, self.padding, "padding")
        norm = resolve_component(NORMS, self.norm, "norm")
        return LayerFactory(
            rank,
            resolve_component(ACTIVATIONS, self.activation, "activation"),
            norm if self.momentum is None else partial(with_momentum, norm, self.momentum),
            resolve_component(POOLINGS, self.pooling, "pooling"),
            self.padding,
            self.norm_last,
        )

    def require_padding(self, name: str) -> None:
        """Raise if padding is none, with which parallel paths would have different sizes."""
        if self.padding == "none":
            raise ModelError(f"{name}: padding none gives parallel paths different sizes; choose zeros or edge")


class Options(LayerOptions):
    """Options of every image classifier."""

    head: Named = "gap"
    widths: tuple[int, ...] = ()  # units of the hidden fully connected layers of the head
    auxiliary: tuple[int, ...] = ()  # stages with an auxiliary classifier, counted from 0
    auxiliary_head: Named = "googlenet"


def _whole_numbers(value: object) -> Iterator[int]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _whole_numbers(item)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value


Chosen = TypeVar("Chosen", bound=VectorOptions)


def read_options(kind: type[Chosen], name: str, options: Mapping[str, Any]) -> Chosen:
    """Return `options` validated as `kind`, with its defaults for options not given.

    Raises:
        ModelError: an option is unknown or its value invalid.
    """
    unknown = [option for option in options if option not in kind.model_fields]
    if unknown:
        raise ModelError(f"{name}: no option {unknown[0]}{did_you_mean(unknown[0], kind.model_fields)}")
    try:
        return kind(**options)
    except ValidationError as error:
        problem = first_problem(error)
        option = problem.name.partition(".")[0]
        raise ModelError(f"{name}: option {option} is {options[option]!r}; {problem.why}") from None
