"""Readable messages for pydantic's validation errors, for all settings, requests and files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class _Errors(Protocol):
    """The common interface of `pydantic.ValidationError` and FastAPI's `RequestValidationError`."""

    def errors(self) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Problem:
    """An invalid value.

    `name` is its dotted path, `kind` pydantic's error type, and `why` a clause in lower case such as
    "it should be greater than 0". `choices` are the valid words, where there is a list of them.
    """

    name: str
    value: Any
    kind: str
    why: str
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the name, the value and the reason."""
        return f"{self.name} is {self.value!r}; {self.why}"


def first_problem(error: _Errors, ignored: Sequence[str] = ()) -> Problem:
    """Return the first invalid value of a validation.

    Args:
        error: as raised by pydantic or FastAPI.
        ignored: parts of the path that the user did not write, such as "query".
    """
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"] if part not in ignored)
    choices = tuple(re.findall(r"'([^']+)'", first["ctx"]["expected"])) if first["type"] == "literal_error" else ()
    return Problem(name, first.get("input"), first["type"], _clause(str(first["msg"])), choices)


def _clause(message: str) -> str:
    """Turn pydantic's message into a clause; a message of convscope, after "Value error, ", is unchanged.

    >>> _clause("Input should be less than 1"), _clause("Field required"), _clause("Value error, A is no B")
    ('it should be less than 1', 'field required', 'A is no B')
    """
    if message.startswith("Value error, "):
        return message.removeprefix("Value error, ")
    message = re.sub("^Input ", "it ", message)
    return message[:1].lower() + message[1:]
