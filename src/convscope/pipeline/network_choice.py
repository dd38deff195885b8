"""Which of a network's sizes can be trained in the time; each candidate is built once."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from convscope.models.summary.summarize import summarize
from convscope.modules import channels_last
from convscope.pipeline.network import network
from convscope.runs.recipe import Recipe
from convscope.tasks import Task
from convscope.training import precision_context, seconds_per_step

SMALL_SIDE = 64  # images up to here are seen at the size that they have
WIDTHS = (64, 48, 32, 24, 16)  # of the first stage; below 16 a CPU gains hardly any speed
# Options of airbench, most expensive first: the paper's, a narrower one, and two whose first layer halves the sides.
QUICK = (
    {"stages": (64, 256, 256)},
    {"stages": (64, 192, 192)},
    {"stages": (128, 192, 256), "patch": 4, "stride": 2, "filters": 64},
    {"stages": (96, 128, 128), "patch": 4, "stride": 2, "filters": 64},
)
PATIENCE_SECONDS = 300.0  # how long a run without a budget may take on the two cores that RATE was measured on
DEMONSTRATION_SECONDS = 30.0  # the same of what comes with the package, which is there to be seen at once
RATE = {"cpu": 3e10, "cuda": 3e12}  # forward multiplications per second of training, assumed where none is measured
END_SECONDS = 10.0  # of a budget, for reading files and for the report

Options = Mapping[str, Any]


class Candidates:
    """The network of a recipe with other options below the user's, built when it is first asked for."""

    def __init__(self, recipe: Recipe, task: Task) -> None:
        self.recipe = recipe
        self.shape = (recipe.data.channels, *recipe.data.size)
        self._task = task
        self._built: dict[str, nn.Module] = {}

    def __call__(self, options: Options) -> nn.Module:
        """The network with the task's head and new weights.

        Raises:
            ModelError: it cannot be built, or cannot take images of this size.
        """
        merged = {**options, **self.recipe.model.options}
        key = repr(sorted(merged.items()))
        if key not in self._built:
            model = self.recipe.model.model_copy(update={"options": merged})
            self._built[key] = network(self.recipe.model_copy(update={"model": model}), self._task)
        return self._built[key]

    def macs(self, options: Options) -> int:
        """Multiplications of a forward pass of one image."""
        return summarize(self(options), self.shape).macs

    def for_task(self, task: Task) -> "Candidates":
        """The candidates for a task that the decoded images have shown; the same where its head is."""
        return self if task.outputs == self._task.outputs else Candidates(self.recipe, task)


def candidate_options(model: str, size: tuple[int, int]) -> Sequence[Options]:
    """Options of a network, most expensive first, to choose from by the time there is; none where there is no choice.

    Args:
        model: its name.
        size: (H, W) of the images.
    """
    if model == "airbench":
        return QUICK
    if model not in ("resnet18", "resnet34"):
        return ()
    return [{"width": width} for width in WIDTHS if width <= 2 * min(size)] or [{"width": WIDTHS[-1]}]


def largest_affordable(
    choices: Sequence[Options], macs: Callable[[Options], int], images: int, affordable: float
) -> Options:
    """The first of the options, most expensive first, that can train on `images` images; the last when none can."""
    return next((options for options in choices if images * macs(options) <= affordable), choices[-1])


def affordable_macs(budget: float, builtin: bool, device: str, measure: Callable[[], float]) -> float:
    """Multiplications of the forward pass that training has time for.

    Args:
        budget: seconds for the whole run; 0: as long as people wait.
        builtin: whether the data come with the package.
        device: "cpu" or "cuda".
        measure: measures how many this machine does per second of training; called within a budget only.
    """
    if budget:
        return (budget - END_SECONDS) * measure()
    return (DEMONSTRATION_SECONDS if builtin else PATIENCE_SECONDS) * RATE[device]


def measured_rate(candidates: Candidates, options: Options, device: torch.device) -> float:
    """Multiplications of the forward pass per second of training on this machine, from the best of three steps."""
    batch = 128 if max(candidates.recipe.data.size) <= SMALL_SIDE else 32
    with torch.random.fork_rng():
        model = channels_last(deepcopy(candidates(options)), device).to(device)
        x = torch.rand(batch, *candidates.shape, device=device)
    context = precision_context(candidates.recipe.train.precision, device)
    took = seconds_per_step(model, (x, x), lambda output, _: output.square().mean(), context)
    return batch * candidates.macs(options) / took
