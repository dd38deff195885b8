"""An ONNX file is opened only if it gives the answers that it gave when it was written."""

import json
from pathlib import Path

import pytest

from convscope.errors import ModelError
from convscope.exported import Exported
from convscope.exported.self_test import KEY, answers_of
from convscope.exporters.onnx_file import picture_model
from helpers.task_sources import CASES, source_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "case", [case for case in CASES if case[0] != "segment"], ids=lambda case: f"{case[0]} {case[1]} {case[4]}"
)
def test_a_file_that_gives_other_answers_is_refused(case, monkeypatch):
    built = picture_model(source_of(*case))
    opened = Exported.from_bytes(built.SerializeToString(), Path("model.onnx"))
    answers = answers_of(opened.run, opened.input.spec)
    prop = built.metadata_props.add(key=KEY, value=answers)
    Exported.from_bytes(built.SerializeToString(), Path("model.onnx"))
    found = json.loads(answers)
    assert found
    assert all(len(one) == 5 for one in found.values())
    name = next(iter(found))
    prop.value = json.dumps({**found, name: [[value + 1 for value in one] for one in found[name]]})
    with pytest.raises(ModelError) as caught:
        Exported.from_bytes(built.SerializeToString(), Path("model.onnx"))
    assert str(caught.value).startswith("model.onnx: its answers to five fixed inputs differ by up to 1 from those")
    monkeypatch.setenv("CONVSCOPE_SELF_TEST", "0")
    Exported.from_bytes(built.SerializeToString(), Path("model.onnx"))


@pytest.mark.parametrize("saved", ["", "[1]", "{"])
def test_answers_that_cannot_be_of_the_file_are_refused(saved):
    built = picture_model(source_of(*CASES[0]))
    built.metadata_props.add(key=KEY, value=saved)
    with pytest.raises(ModelError) as caught:
        Exported.from_bytes(built.SerializeToString(), Path("model.onnx"))
    assert str(caught.value).startswith("model.onnx: its self test does not fit its network; ")
