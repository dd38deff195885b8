"""A whole training step as one CUDA graph.

A step of a small network is hundreds of kernels of a few microseconds each; a processor takes longer to launch them one
by one than a GPU to run them. A CUDA graph records the launches once and then needs a single one per step
(pytorch.org/blog/accelerating-pytorch-with-cuda-graphs).
"""

import torch
from torch import Tensor

from convscope.training.state import State
from convscope.training.step import Loss, apply_gradients, gradients

WARM_UP_STEPS = 3  # run as usual before recording, so that libraries choose kernels and optimisers build their state


class CapturedStep:
    """Gradients and update of batches of one shape, recorded at the fourth step and then launched as a whole.

    The first steps, batches of another shape (the last of an epoch), and every step after a recording that failed run
    as usual. Learning rates are read from the optimiser's groups at each step. The network must have no frozen parts
    that thaw later, since the recording would not include them.
    """

    def __init__(self, state: State, loss: Loss) -> None:
        """Record steps of `state`, whose network is on a CUDA device."""
        self.state = state
        self.loss = loss
        self.failure = ""
        """What to tell the user if recording failed, else empty."""
        self._stream = torch.cuda.Stream(state.device)  # type: ignore[no-untyped-call]
        self._num_steps = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._rates = [torch.zeros((), device=state.device) for _ in state.optimiser.param_groups]

    def __call__(self, x: Tensor, y: Tensor) -> Tensor | None:
        """Do the gradients and the update of a step.

        Returns:
            (2,) loss and gradient norm before the update, on the device; None if memory ran out and nothing changed.
        """
        if self._graph is None and not self.failure and self._num_steps >= WARM_UP_STEPS:
            self._record(x, y)
        if self._graph is None or x.shape != self._x.shape or y.shape != self._y.shape:
            return self._as_usual(x, y)
        self._x.copy_(x)
        self._y.copy_(y)
        for rate, group in zip(self._rates, self.state.optimiser.param_groups, strict=True):
            rate.fill_(group["lr"])
        self._graph.replay()
        return self._found.clone()

    def _as_usual(self, x: Tensor, y: Tensor) -> Tensor | None:
        """Do a step kernel by kernel, on the stream of the recording as CUDA graphs require of the steps before it."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            found = gradients(self.state, x, y, self.loss)
            if found is not None:
                apply_gradients(self.state, found)
        torch.cuda.current_stream().wait_stream(self._stream)
        self._num_steps += found is not None
        return found

    def _record(self, x: Tensor, y: Tensor) -> None:
        groups = self.state.optimiser.param_groups
        before = [group["lr"] for group in groups]
        graph = torch.cuda.CUDAGraph()
        self._x, self._y = x.clone(), y.clone()
        self.state.optimiser.zero_grad(set_to_none=True)
        try:
            for rate, group in zip(self._rates, groups, strict=True):
                rate.fill_(group["lr"])
                group["lr"] = rate
            with torch.cuda.graph(graph, stream=self._stream):
                found = gradients(self.state, self._x, self._y, self.loss)
                if found is not None:
                    apply_gradients(self.state, found)
        except Exception as error:  # an operation that waits for the device, an optimiser that does not support it
            self._fail((str(error).strip() or type(error).__name__).splitlines()[0])
            return
        finally:
            for rate, group in zip(before, groups, strict=True):
                group["lr"] = rate
        if found is None:
            self._fail("out of memory")
        else:
            self._graph, self._found = graph, found

    def _fail(self, why: str) -> None:
        torch.cuda.synchronize()
        self.state.optimiser.zero_grad(set_to_none=True)
        self.failure = f"the step could not be recorded as a CUDA graph ({why}); its kernels are launched one by one"
