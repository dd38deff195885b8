"""A saved model is opened only if it gives the answers that it gave when it was saved."""

import json
import time

import numpy as np
import pytest
import torch

from convscope.api import Predictor
from convscope.bundle import bundle, load_bundle, load_config, save_bundle, save_config
from convscope.bundle.self_test import answers_of, fixed_inputs
from convscope.errors import ModelError
from convscope.predictions.self_test import fixed_levels
from helpers.bundles import drawn, saved, saved_task


def rewritten(folder, change):
    """Change config.json and its digest, as another version of convscope could."""
    file = folder / "config.json"
    content = json.loads(file.read_text())
    change(content)
    content["digest"] = bundle._digest_of_config(content)
    file.write_text(json.dumps(content))


def test_the_fixed_inputs_are_the_same_on_every_machine():
    levels = fixed_levels((2, 3, 4))
    assert levels.shape == (5, 2, 3, 4)
    assert levels[0].ravel()[:6].tolist() == [0, 152, 306 % 256, 462 % 256, 620 % 256, 780 % 256]
    assert levels[1].ravel()[:2].tolist() == [83, 235]
    inputs = fixed_inputs((2, 3, 4))
    assert inputs.min() >= -2
    assert inputs.max() <= 2
    assert len({tuple(one.flatten().tolist()) for one in inputs}) == 5


def test_a_saved_model_carries_five_answers(tmp_path):
    model, _ = saved(tmp_path)
    answers = json.loads((tmp_path / "config.json").read_text())["self_test"]
    with torch.inference_mode():
        expected = model(fixed_inputs((3, 16, 12)))
    assert np.allclose(answers, expected.numpy(), atol=1e-6)
    assert model.training is False


def test_many_answers_are_sampled(tmp_path):
    saved_task(tmp_path, "segment")
    answers = json.loads((tmp_path / "config.json").read_text())["self_test"]
    assert [len(one) for one in answers] == [64] * 5


def test_a_network_that_computes_something_else_is_refused(tmp_path, monkeypatch):
    saved(tmp_path)
    monkeypatch.setattr(torch.nn.ReLU, "forward", lambda _self, x: torch.nn.functional.leaky_relu(x, 0.3))
    with pytest.raises(ModelError, match="its answers to five fixed inputs differ by up to") as caught:
        load_bundle(tmp_path)
    assert str(caught.value).endswith(
        "from those when it was saved; use the versions of convscope and PyTorch that saved it, or --no-self-test"
    )
    monkeypatch.setenv("CONVSCOPE_SELF_TEST", "0")
    load_bundle(tmp_path)


def test_the_command_line_leaves_it_out(tmp_path, monkeypatch, convscope):
    monkeypatch.setenv("CONVSCOPE_SELF_TEST", "1")
    saved(tmp_path / "model")
    picture = drawn(tmp_path / "a.png")
    monkeypatch.setattr(torch.nn.ReLU, "forward", lambda _self, x: torch.nn.functional.leaky_relu(x, 0.3))
    code, _, errors = convscope("predict", tmp_path / "model", picture)
    assert code == 2
    assert errors.startswith(f"convscope: {tmp_path / 'model'}: its answers to five fixed inputs differ")
    assert convscope("predict", tmp_path / "model", picture, "--no-self-test")[0] == 0


@pytest.mark.parametrize("answers", [[[1.0]], "text", [[None] * 3] * 5, [[1, 2], [3]], {"a": 1}, 7])
def test_answers_that_cannot_be_of_the_network_are_refused(tmp_path, answers):
    saved(tmp_path)
    rewritten(tmp_path, lambda content: content.update(self_test=answers))
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path)
    assert str(caught.value) in (
        f"{tmp_path}: its self test does not fit its network; copy the model again",
        f"{tmp_path}: its answers to five fixed inputs differ by up to nan from those when it was saved; "
        "use the versions of convscope and PyTorch that saved it, or --no-self-test",
    )


def test_a_model_without_answers_is_opened(tmp_path):
    saved(tmp_path)
    rewritten(tmp_path, lambda content: content.pop("self_test"))
    load_bundle(tmp_path)


def test_answers_that_are_not_finite_are_not_saved(tmp_path):
    model, config = saved(tmp_path)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    save_bundle(tmp_path, model, config)
    assert json.loads((tmp_path / "config.json").read_text())["self_test"] == []
    load_bundle(tmp_path)


def test_a_changed_configuration_keeps_the_answers_of_the_same_weights(tmp_path):
    _, config = saved(tmp_path)
    before = json.loads((tmp_path / "config.json").read_text())["self_test"]
    save_config(tmp_path, config.model_copy(update={"tta_views": "5"}))
    assert json.loads((tmp_path / "config.json").read_text())["self_test"] == before
    other = config.preprocessing.model_copy(update={"size": (32, 32)})
    save_config(tmp_path, config.model_copy(update={"preprocessing": other}))
    assert json.loads((tmp_path / "config.json").read_text())["self_test"] == []


def test_it_takes_milliseconds(tmp_path):
    saved(tmp_path)
    predictor = Predictor.open(tmp_path)
    began = time.perf_counter()
    answers_of(predictor.model, load_config(tmp_path).preprocessing.shape)
    assert time.perf_counter() - began < 0.5, "3 ms on an idle core"
