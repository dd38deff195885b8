"""Contract suite for every task."""

import json

import numpy as np
import pytest
import torch

from convscope.errors import ConfigError, ModelError
from convscope.tasks import TASKS, TaskContext, ViewTransform, check_options, restore_task

NAMES = ("ant", "bee", "cat")
SIZE = (12, 16)
N = 7


def targets(kind: str) -> np.ndarray:
    random = np.random.default_rng(0)
    return {
        "classes": lambda: np.arange(N) % 3,
        "labels": lambda: random.integers(0, 2, (N, 3)).astype(np.float32),
        "numbers": lambda: random.normal(3, 2, (N, 3)).astype(np.float32),
        "masks": lambda: random.integers(0, 3, (N, *SIZE)).astype(np.uint8),
        "boxes": lambda: np.concatenate([np.arange(N)[:, None] % 3, np.tile([[2.0, 1, 9, 8]], (N, 1))], 1).astype(
            np.float32
        ),
    }[kind]()


def outputs(kind: str) -> torch.Tensor:
    shape = {"masks": (N, 3, *SIZE), "boxes": (N, 7)}.get(kind, (N, 3))
    return torch.randn(shape, generator=torch.Generator().manual_seed(1)) / 4 + 0.4


@pytest.fixture(params=TASKS, ids=str)
def task(request):
    kind = TASKS[request.param]
    return kind.from_data(TaskContext(NAMES, targets(kind.target_kind), SIZE), check_options(kind, {}, "settings"))


def taken(task):
    meter = task.meter()
    output, target = outputs(task.target_kind), torch.from_numpy(targets(task.target_kind))
    meter.add(output[:4], target[:4])
    meter.add(output[4:], target[4:])
    return meter


def test_a_task_is_registered_by_its_name(task):
    assert TASKS[task.name] is type(task)


def test_a_task_is_restored_from_its_settings_in_json(task):
    assert restore_task(type(task), NAMES, json.loads(json.dumps(task.settings()))) == task


def test_unknown_settings_are_rejected(task):
    with pytest.raises(ModelError) as caught:
        restore_task(type(task), NAMES, {"zzz": 1})
    assert str(caught.value) == f"task {task.name}: no setting zzz; copy the model again"


def test_a_setting_of_the_wrong_type_is_rejected():
    with pytest.raises(ModelError) as caught:
        restore_task(TASKS["segment"], NAMES, {"dice": "much"})
    assert str(caught.value) == (
        "task segment: dice is 'much'; it should be a valid number, unable to parse string as a number; "
        "copy the model again"
    )


def test_an_option_of_the_wrong_type_is_rejected():
    with pytest.raises(ConfigError) as caught:
        check_options(TASKS["localise"], {"box": "l7"}, "settings")
    assert str(caught.value) == "settings: loss.box is 'l7'; it should be 'mse', 'smooth_l1' or 'giou'"


def test_an_unknown_option_is_rejected(task):
    with pytest.raises(ConfigError) as caught:
        check_options(type(task), {"zzz": 1}, "settings")
    known = ", ".join(sorted(type(task).options.model_fields))
    assert str(caught.value) == f"settings: the task {task.name} has no setting loss.zzz; choose one of {known}"


def test_the_loss_is_a_number_with_a_gradient(task):
    output = outputs(task.target_kind).requires_grad_()
    loss = task.loss(output, torch.from_numpy(targets(task.target_kind)))
    assert loss.shape == ()
    loss.backward()
    assert output.grad.isfinite().all()
    assert (output.grad != 0).any()


def test_a_few_gradient_steps_reduce_the_loss(task):
    output, target = outputs(task.target_kind).requires_grad_(), torch.from_numpy(targets(task.target_kind))
    before = float(task.loss(output, target).detach())
    for _ in range(5):
        (slope,) = torch.autograd.grad(task.loss(output, target), output)
        output = (output - 0.1 * slope).detach().requires_grad_()
    assert float(task.loss(output, target).detach()) < before


def test_its_scores_are_numbers_including_the_primary_metric_and_the_loss(task):
    scores = taken(task).scores()
    assert task.primary in scores
    assert "loss" in scores
    assert set(task.shown) <= {*scores, "top5"}
    assert all(isinstance(value, float) for value in scores.values())


def test_scores_do_not_depend_on_the_batches_and_survive_the_disk(task):
    meter, whole = taken(task), task.meter()
    whole.add(outputs(task.target_kind), torch.from_numpy(targets(task.target_kind)))
    assert meter.scores() == pytest.approx(whole.scores(), rel=1e-5)
    assert task.meter(meter.arrays()).scores() == pytest.approx(meter.scores())
    assert len(meter) == N


def test_its_predictions_have_a_cell_per_column_and_are_json(task):
    frames = [ViewTransform(f"{i}.png", (24, 32), 0.0, 0.0, 32.0, 24.0) for i in range(N)]
    found = task.predictions(outputs(task.target_kind), frames)
    assert [one.file for one in found] == [frame.file for frame in frames]
    assert all(len(one.csv_row()) == len(task.columns) for one in found)
    assert all(len(one.display(2)) <= max(len(task.headings(2)), 1) for one in found)
    assert all(json.loads(json.dumps(one.to_dict()))["file"] == one.file for one in found)


def test_its_sections_can_be_made(task):
    titles = [section.title for section in task.sections(taken(task))]
    assert titles
    assert len(set(titles)) == len(titles)


def test_calibration_does_not_change_the_primary_metric(task):
    meter = taken(task)
    tuned = task.calibrate(meter)
    assert tuned.meter(meter.arrays()).scores()[task.primary] == pytest.approx(meter.scores()[task.primary])
