"""A step recorded as a CUDA graph trains as the same step launched kernel by kernel."""

import pytest
import torch
from torch import Tensor, nn

from convscope.errors import TrainingError
from convscope.training import Note, OptimiserSettings, State, Step, build_optimiser, loop, run
from convscope.training.captured_step import WARM_UP_STEPS, CapturedStep
from convscope.training.step import apply_gradients, gradients

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def network() -> nn.Module:
    torch.manual_seed(0)
    convolutions = (nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.GELU(), nn.Conv2d(8, 16, 3, bias=False))
    return nn.Sequential(*convolutions, nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 16, 4))


def trained(state: State, num_steps: int = 24) -> list[Step | Note]:
    device = state.device
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(num_steps, 16, 3, 8, 8, generator=generator).to(device)
    y = torch.randint(0, 4, (num_steps, 16), generator=generator).to(device)

    def batches(_: int) -> list[tuple[Tensor, Tensor]]:
        return [*zip(x, y, strict=True), (x[0, :5], y[0, :5])]

    events = run(state, batches, nn.functional.cross_entropy, lambda step: 1 - step / 40, 1, lambda _: {})
    return [event for event in events if isinstance(event, Step | Note)]


def made(name: str, capture: bool, device: str = "cuda") -> State:
    model = network().to(device)
    state = State(model, build_optimiser(model, OptimiserSettings(name=name, learning_rate=0.02)))
    state.capture = capture
    return state


@pytest.mark.gpu
@gpu
@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "muon"])
def test_recorded_steps_train_as_usual_ones(name) -> None:
    usual, captured = made(name, False), made(name, True)
    events = trained(usual), trained(captured)
    assert [type(event) for event in events[1]] == [type(event) for event in events[0]] == [Step] * 25
    assert [event.loss is None for event in events[1]] == [event.loss is None for event in events[0]]
    for before, after in zip(usual.model.state_dict().values(), captured.model.state_dict().values(), strict=True):
        torch.testing.assert_close(after, before, rtol=2e-3, atol=2e-4)
    assert captured.step == 25
    assert all(isinstance(group["lr"], float) for group in captured.optimiser.param_groups)


@pytest.mark.gpu
@gpu
def test_a_network_that_waits_for_the_device_trains_as_usual_and_this_is_said() -> None:
    class Waiting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum().item() > 0 else x * 1

    state = made("sgd", True)
    state.model.append(Waiting())
    events = trained(state)
    (note,) = [event for event in events if isinstance(event, Note)]
    assert note.text.startswith("the step could not be recorded as a CUDA graph (")
    assert note.text.endswith("); its kernels are launched one by one")
    assert len(events) == 26
    assert state.step == 25


class OnCpu(CapturedStep):
    """Does the steps of a recording without one."""

    def __init__(self, state, loss) -> None:
        self.state, self.loss, self.failure, self.steps = state, loss, "", 0

    def __call__(self, x: Tensor, y: Tensor) -> Tensor | None:
        self.steps += 1
        self.failure = "cannot" if self.steps == WARM_UP_STEPS + 1 and self.fails else ""
        found = gradients(self.state, x, y, self.loss)
        apply_gradients(self.state, found)
        return found


@pytest.mark.parametrize("fails", [False, True])
def test_the_loop_counts_and_reports_steps_that_are_done_as_a_whole(fails, monkeypatch) -> None:
    monkeypatch.setattr(OnCpu, "fails", fails, raising=False)
    monkeypatch.setattr(loop, "CapturedStep", OnCpu)
    usual, captured = made("sgd", False, "cpu"), made("sgd", True, "cpu")
    events = trained(usual), trained(captured)
    assert [event for event in events[1] if isinstance(event, Step)] == events[0]
    assert [event.text for event in events[1] if isinstance(event, Note)] == ["cannot"] * fails
    for before, after in zip(usual.model.state_dict().values(), captured.model.state_dict().values(), strict=True):
        assert torch.equal(after, before)


def test_a_step_that_included_its_update_is_taken_back_if_its_loss_is_not_finite(monkeypatch) -> None:
    monkeypatch.setattr(OnCpu, "fails", False, raising=False)
    monkeypatch.setattr(loop, "CapturedStep", OnCpu)
    state = made("sgd", True, "cpu")
    good = (torch.randn(16, 3, 8, 8), torch.randint(0, 4, (16,)))
    bad = (torch.full((16, 3, 8, 8), torch.inf), good[1])
    events = run(state, lambda _: [good, good, bad], nn.functional.cross_entropy, lambda _: 1.0, 1, lambda _: {})
    next(events)
    next(events)
    weight = state.model[0].weight.detach().clone()
    with pytest.raises(TrainingError, match=r"^epoch 1, step 3: the loss is nan at learning rate 0\.02; "):
        next(events)
    assert state.step == 2
    assert torch.equal(state.model[0].weight, weight)
    assert all(tensor.isfinite().all() for tensor in state.model.state_dict().values())
