"""Pydantic's errors in plain words."""

import doctest
from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from convscope import errors, validation
from convscope.errors import closest
from convscope.validation import first_problem


class Inner(BaseModel, extra="forbid"):
    count: int = Field(1, ge=1)
    kind: Literal["a", "b"] = "a"
    name: str = ""

    @field_validator("name")
    @classmethod
    def _fits(cls, value: str) -> str:
        if value:
            raise ValueError("Names like Input are taken")
        return value


class Outer(BaseModel):
    inner: Inner


def problem(**values):
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"inner": values})
    return first_problem(caught.value, ignored=("inner",))


def test_a_value_that_does_not_fit_is_told_in_a_sentence():
    assert str(problem(count=0)) == "count is 0; it should be greater than or equal to 1"
    assert str(problem(name="x")) == "name is 'x'; Names like Input are taken"
    assert problem(kind="c").choices == ("a", "b")
    assert problem(zzz=1).kind == "extra_forbidden"
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"inner": {"count": "many"}})
    assert first_problem(caught.value).name == "inner.count"


def test_the_closest_known_word_is_found_or_none():
    assert closest("adamm", ["sgd", "adam"]) == "adam"
    assert closest("zzz", ["sgd", "adam"]) is None


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(validation).failed == 0
    assert doctest.testmod(errors).failed == 0
