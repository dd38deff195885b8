"""A resumed run is bit-identical to an uninterrupted one."""

import os
import random
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from convscope.errors import RunError
from convscope.training import (
    OPTIMISERS,
    Epoch,
    ExponentialAverage,
    OptimiserSettings,
    State,
    StepSettings,
    TimeBudget,
    build_optimiser,
    load,
    save,
)
from convscope.training.schedules import ScheduleSettings
from helpers.toy_network import go_on, network, new_state, same_bits, schedule_for

SCHEDULES = ScheduleSettings.model_fields["name"].annotation.__args__
EPOCHS = 4


def straight(schedule: str, **options):
    state = new_state(**options)
    records = go_on(state, schedule_for(state, schedule, EPOCHS), EPOCHS)
    return state, records


def stopped_and_resumed(folder, schedule: str, stop_after: int, **options):
    first = new_state(**options)
    before = go_on(first, schedule_for(first, schedule, EPOCHS), stop_after)
    save(first, folder)
    torch.manual_seed(99), random.seed(99), np.random.seed(99)  # another process has other random states
    second = new_state(**options)
    resumed = schedule_for(second, schedule, EPOCHS)
    second.load_state_dict(load(folder))
    return second, before + go_on(second, resumed, EPOCHS)


def without_seconds(records):
    return [{**vars(record), "seconds": None} if isinstance(record, Epoch) else record for record in records]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimiser", sorted(OPTIMISERS))
def test_a_resumed_run_is_bit_identical_to_an_uninterrupted_one(tmp_path, optimiser, schedule):
    options = {"name": optimiser, "weight_decay": 0.01}
    expected, all_records = straight(schedule, **options)
    state, records = stopped_and_resumed(tmp_path, schedule, 2, **options)
    assert same_bits(state.state_dict(), expected.state_dict())
    assert without_seconds(records) == without_seconds(all_records)


@pytest.mark.parametrize("stop_after", [1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {"name": "sgd", "nesterov": True},
        {"average": False},
        {"settings": StepSettings(micro_batch=3)},
        {"settings": StepSettings(clip=0.1)},
        {"settings": StepSettings(read_every=4)},
    ],
    ids=["nesterov", "no average", "micro-batches", "clipping", "late readings"],
)
def test_resuming_works_with_all_step_settings(tmp_path, options, stop_after):
    expected, _ = straight("cosine", **options)
    state, _ = stopped_and_resumed(tmp_path, "cosine", stop_after, **options)
    assert same_bits(state.state_dict(), expected.state_dict())


KILLED = """
    import os, signal, sys
    from pathlib import Path
    import torch
    from helpers.toy_network import batches, cross_entropy, evaluate, new_state, schedule_for
    from convscope.training import Epoch, run, save

    torch.set_num_threads(1)
    state = new_state(name="adam")
    for record in run(state, batches, cross_entropy, schedule_for(state, "cosine", 4), 4, evaluate):
        if isinstance(record, Epoch):
            save(state, Path(sys.argv[1]))
        if record.step == 8:
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_run_killed_within_an_epoch_and_resumed_in_another_process_is_bit_identical(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    died = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], env=environment)
    assert died.returncode == -signal.SIGKILL
    expected, _ = straight("cosine", name="adam")
    state = new_state(name="adam")
    state.load_state_dict(load(tmp_path))
    assert state.epoch == 2
    go_on(state, schedule_for(state, "cosine", EPOCHS), EPOCHS)
    assert same_bits(state.state_dict(), expected.state_dict())


def test_random_numbers_drawn_between_epochs_have_no_effect():
    expected, _ = straight("cosine")
    state = new_state()
    schedule = schedule_for(state, "cosine", EPOCHS)
    for epochs in range(1, EPOCHS + 1):
        go_on(state, schedule, epochs)
        torch.rand(7), random.random(), np.random.rand()
    assert same_bits(state.state_dict(), expected.state_dict())


def test_a_missing_random_state_is_detected(tmp_path):
    """The check itself is tested: without the random states, dropout and weights differ."""
    expected, _ = straight("cosine")
    first = new_state()
    go_on(first, schedule_for(first, "cosine", EPOCHS), 2)
    save(first, tmp_path)
    second = new_state()
    second.load_state_dict(load(tmp_path))
    second.random = None
    torch.manual_seed(99)
    go_on(second, schedule_for(second, "cosine", EPOCHS), EPOCHS)
    assert not same_bits(second.model.state_dict(), expected.model.state_dict())


def test_the_halved_micro_batch_is_resumed():
    state, other = new_state(), new_state()
    state.micro_batch = 5
    other.load_state_dict(state.state_dict())
    assert other.micro_batch == 5


def test_the_time_spent_is_resumed():
    now = iter(range(100))
    state, other = new_state(), new_state()
    state.extras["clock"] = TimeBudget(50, now=lambda: next(now))  # started at 0
    content = state.state_dict()  # asked at 1
    other.extras["clock"] = TimeBudget(50, now=lambda: 7.0)
    other.load_state_dict(content)
    assert other.extras["clock"].spent == 1


def message(state: State, content) -> str:
    with pytest.raises(RunError) as caught:
        state.load_state_dict(content)
    return str(caught.value)


def test_a_state_of_another_network_is_rejected_with_the_reason():
    other = torch.nn.Linear(2, 2)
    state = State(other, build_optimiser(other))
    text = message(new_state(average=False), state.state_dict())
    assert text.startswith(
        "checkpoint: its state does not fit this network and optimiser (Error(s) in loading state_dict for Sequential: "
    )
    assert text.endswith("); resume with the settings that it was saved with")


def test_a_state_with_other_components_is_rejected_with_the_reason():
    assert message(new_state(average=True), new_state(average=False).state_dict()) == (
        "checkpoint: it was saved with EMA = False, and this run has True; "
        "resume with the settings that it was saved with"
    )
    assert message(new_state(name="sgd"), new_state(name="adam").state_dict()) == (
        "checkpoint: it was saved with optimiser = Adam, and this run has SGD; "
        "resume with the settings that it was saved with"
    )
    with_clock = new_state()
    with_clock.extras["clock"] = TimeBudget(5)
    assert message(new_state(), with_clock.state_dict()) == (
        "checkpoint: it was saved with extras = ['clock'], and this run has []; "
        "resume with the settings that it was saved with"
    )


def test_a_state_of_a_later_format_is_rejected_with_the_reason():
    assert message(new_state(), {**new_state().state_dict(), "format": 2}) == (
        "checkpoint: its format is 2 and this version reads 1; resume with the version of convscope that saved it"
    )


def test_the_result_is_the_ema_if_there_is_one():
    model = network()
    optimiser = build_optimiser(model, OptimiserSettings())
    average = ExponentialAverage(model)
    assert State(model, optimiser).result is model
    assert State(model, optimiser, average=average).result is average.module
