"""One optimiser step: gradients, checks and the update."""

import copy
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from convscope.errors import TrainingError
from convscope.training.ema import tensors
from convscope.training.precision import in_float32
from convscope.training.state import State

Loss = Callable[[Any, Tensor], Tensor]

READ_EVERY = 20  # steps between readings on an accelerator, which each reading synchronises


def gradients(state: State, x: Tensor, y: Tensor, loss: Loss) -> Tensor | None:
    """Compute the gradients of the mean loss and store them in the parameters.

    Returns:
        (2,) loss and gradient norm, on the device; None if memory ran out.
    """
    try:
        return _backward(state, x, y, loss)
    except torch.OutOfMemoryError:  # its traceback references the tensors that filled the memory: exit before freeing
        if state.processes.count > 1:  # the others wait for this one's rows
            raise TrainingError(
                f"epoch {state.epoch + 1}, step {state.step + 1}: out of memory with {state.micro_batch or len(x)} "
                f"images over {state.processes.count} processes; set step.micro_batch to fewer images"
            ) from None
    state.optimiser.zero_grad(set_to_none=True)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def _backward(state: State, x: Tensor, y: Tensor, loss: Loss) -> Tensor:
    num_micro_batches = math.ceil(len(x) / (state.micro_batch or len(x)))
    total = torch.zeros((), device=x.device)
    pairs = zip(x.tensor_split(num_micro_batches), y.tensor_split(num_micro_batches), strict=True)
    for number, (x_part, y_part) in enumerate(pairs):
        with state.precision():
            output = state.processes.forward(partial(state.forward, state.model), x_part)
        value = loss(in_float32(output), y_part) * (len(x_part) / len(x))
        if number == 0:  # not before the forward pass, which would reuse their memory
            state.optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        total = total + value.detach()
    state.processes.add_gradients(state.model, _parameters(state))
    found = [parameter.grad for parameter in _parameters(state) if parameter.grad is not None]
    return torch.stack([total.float(), get_total_norm(found).float().to(x.device)])


def apply_gradients(state: State, found: Tensor) -> None:
    """Change the parameters by the gradients from `gradients`, clipped according to the settings."""
    if state.settings.clip is not None:
        clip_grads_with_norm_(_parameters(state), state.settings.clip, found[1])
    state.optimiser.step()


def count_step(state: State) -> None:
    """Count a step whose gradients were applied, and update the EMA."""
    state.step += 1
    if state.average:
        state.average.update(state.model)


def halve_micro_batch(state: State, num_images: int) -> str:
    """Halve the micro-batch and return a message.

    Raises:
        TrainingError: the micro-batch is already a single image.
    """
    before = min(state.micro_batch or num_images, num_images)
    if before == 1:
        raise TrainingError(
            f"epoch {state.epoch + 1}, step {state.step + 1}: out of memory with a single image; "
            "use smaller images or a narrower network"
        )
    state.micro_batch = math.ceil(before / 2)
    return (
        f"out of memory with {before} images per pass; continuing with {state.micro_batch} and "
        "gradient accumulation over the same batch"
    )


class LossReadings:
    """Losses and gradient norms, read from the device every k steps, with a backup of the last valid state.

    A reading synchronises host and device, so on a GPU values are read only every k steps. With k = 1 the reading
    precedes the update, and only buffers (batch norm's running statistics, which the forward pass changes) need a
    backup; with k > 1, or where a CUDA graph includes the update, parameters, optimiser and EMA are backed up too.
    """

    def __init__(self, state: State) -> None:
        """Start with `state`, whose parameters are valid."""
        self.state = state
        self.read_every = state.settings.read_every or (1 if state.device.type == "cpu" else READ_EVERY)
        self.before_update = self.read_every == 1 and not state.capture
        self.unread: dict[int, Tensor] = {}  # step -> (2,) loss and norm, not read yet
        self.images: list[int] = []  # of each step of this epoch
        self.losses: list[float] = []
        self.backups = [(tensor.detach().clone(), tensor) for tensor in self._tensors_to_back_up()]
        self._back_up()

    def record(self, step: int, found: Tensor, images: int) -> tuple[float | None, float | None]:
        """Add the loss and norm of a step; return both if this step is read.

        Call it before the update where each step is read, and after it where a CUDA graph includes the update.

        Raises:
            TrainingError: one of them is not finite; the state is then restored to the last valid one.
        """
        self.unread[step] = found
        self.images.append(images)
        return self._read() if len(self.unread) >= self.read_every else (None, None)

    def mean_loss(self) -> float:
        """Return the mean loss per image of the epoch, and reset for the next one."""
        if self.unread:
            self._read()
        mean = math.fsum(map(math.prod, zip(self.losses, self.images, strict=True))) / sum(self.images)
        self.losses, self.images = [], []
        return mean

    def _read(self) -> tuple[float, float]:
        values = torch.stack(list(self.unread.values())).tolist()
        for step, (loss, norm) in zip(self.unread, values, strict=True):
            if not math.isfinite(loss + norm):
                self._raise_not_finite(step, loss, norm)
            self.losses.append(loss)
        self.unread = {}
        self._back_up()
        return loss, norm

    def _raise_not_finite(self, step: int, loss: float, norm: float) -> None:
        self._restore()
        what = f"the gradient's norm is {norm}" if math.isfinite(loss) else f"the loss is {loss}"
        rate = max(group["lr"] for group in self.state.optimiser.param_groups)
        raise TrainingError(
            f"epoch {self.state.epoch + 1}, step {step}: {what} at learning rate {rate:g}; the parameters were "
            f"restored to step {self.state.step}; "
            f"lower the learning rate, for instance to {rate / 10:g}, or clip the gradients"
        )

    def _tensors_to_back_up(self) -> list[Tensor]:
        """Return the tensors that a step may have changed before its loss is read."""
        model, average = self.state.model, self.state.average
        if self.before_update:
            return [*model.buffers()]
        return tensors(model) + (tensors(average.module) if average else [])

    @torch.no_grad()
    def _back_up(self) -> None:
        for kept, tensor in self.backups:
            kept.copy_(tensor)
        if not self.before_update:
            average = self.state.average
            self.counts = (self.state.step, average.steps if average else 0)
            self.optimiser = copy.deepcopy(self.state.optimiser.state_dict())

    @torch.no_grad()
    def _restore(self) -> None:
        for kept, tensor in self.backups:
            tensor.copy_(kept)
        if not self.before_update:
            self.state.step, steps = self.counts
            self.state.optimiser.load_state_dict(self.optimiser)
            if self.state.average:
                self.state.average.steps = steps
        self.state.optimiser.zero_grad(set_to_none=True)


def _parameters(state: State) -> list[nn.Parameter]:
    return [parameter for group in state.optimiser.param_groups for parameter in group["params"]]
