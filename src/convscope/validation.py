"""Pydantic's validation errors in plain words: one place for all settings, requests and files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class _Errors(Protocol):
    """What `pydantic.ValidationError` and FastAPI's `RequestValidationError` have in common."""

    def errors(self) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Problem:
    """One value that does not fit.

    `name` is the dotted path to it, `kind` pydantic's type of the error, and `why` a clause in lower case such as
    "it should be greater than 0". `choices` are the words that would fit, where there is a list of them.
    """

    name: str
    value: Any
    kind: str
    why: str
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The name, the value and what is wrong with it."""
        return f"{self.name} is {self.value!r}; {self.why}"


def first_problem(error: _Errors, ignored: Sequence[str] = ()) -> Problem:
    """The first of the values that a validation refused.

    Args:
        error: as pydantic or FastAPI raises it.
        ignored: parts of the path that the user did not write, such as "query".
    """
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"] if part not in ignored)
    choices = tuple(re.findall(r"'([^']+)'", first["ctx"]["expected"])) if first["type"] == "literal_error" else ()
    return Problem(name, first.get("input"), first["type"], _clause(str(first["msg"])), choices)


def _clause(message: str) -> str:
    """A message of pydantic's as it goes on after a semicolon; one of ours, behind "Value error, ", as it is.

    >>> _clause("Input should be less than 1"), _clause("Field required"), _clause("Value error, A is no B")
    ('it should be less than 1', 'field required', 'A is no B')
    """
    if message.startswith("Value error, "):
        return message.removeprefix("Value error, ")
    message = re.sub("^Input ", "it ", message)
    return message[:1].lower() + message[1:]
