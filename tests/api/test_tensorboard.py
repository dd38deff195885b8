"""TensorBoard scalars."""

import builtins

import pytest

from convscope.api import Epoch, Step, log_to_tensorboard
from convscope.errors import ConfigError
from helpers.small_runs import start


@pytest.mark.usefixtures("no_report")
def test_losses_rates_and_scores_are_written(tmp_path, few):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = list(log_to_tensorboard(start(tmp_path / "run", few)))
    steps = [event for event in events if isinstance(event, Step)]
    epochs = [event for event in events if isinstance(event, Epoch)]
    written = accumulator.EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    written.Reload()
    assert {tag.split("/")[0] for tag in written.Tags()["scalars"]} == {"learning_rate", "train", "validation"}
    for tag, values in {
        "train/step_loss": [(step.step, step.loss) for step in steps],
        "learning_rate": [(step.step, step.learning_rate) for step in steps],
        "validation/accuracy": [(epoch.step, epoch.validation["accuracy"]) for epoch in epochs],
    }.items():
        assert [(found.step, found.value) for found in written.Scalars(tag)] == [
            (step, pytest.approx(value)) for step, value in values
        ]


def test_without_tensorboard_the_error_names_how_to_install_it(monkeypatch):
    load = builtins.__import__

    def refuse(name, *rest):
        if name.startswith("torch.utils.tensorboard"):
            raise ModuleNotFoundError(name="tensorboard")
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigError) as caught:
        next(log_to_tensorboard(iter(())))
    assert str(caught.value) == "--log tensorboard: tensorboard is not installed; pip install 'convscope[tensorboard]'"
