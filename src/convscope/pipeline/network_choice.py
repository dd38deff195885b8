"""Choose the largest size of a network that can be trained in the available time; each candidate is built once."""

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

SMALL_SIDE = 64  # largest side of images that keep their size
WIDTHS = (64, 48, 32, 24, 16)  # of the first stage; below 16 a CPU is hardly faster
# Options of airbench, most expensive first: the paper's, a narrower one, and two whose first layer halves the sides.
QUICK = (
    {"stages": (64, 256, 256)},
    {"stages": (64, 192, 192)},
    {"stages": (128, 192, 256), "patch": 4, "stride": 2, "filters": 64},
    {"stages": (96, 128, 128), "patch": 4, "stride": 2, "filters": 64},
)
PATIENCE_SECONDS = 300.0  # maximum duration of a run without a budget, on the two cores where RATE was measured
DEMONSTRATION_SECONDS = 30.0  # the same for built-in data
RATE = {"cpu": 3e10, "cuda": 3e12}  # forward MACs per second of training, assumed where it is not measured
FEW_IMAGES, MEASURED_STEPS, MEASURING_SHARE = 4, 5, 0.1
END_SECONDS = 10.0  # of a budget, reserved for reading files and for the report

Options = Mapping[str, Any]


class Candidates:
    """The network of a recipe with different options, which the user's override; each is built at its first use."""

    def __init__(self, recipe: Recipe, task: Task) -> None:
        self.recipe = recipe
        self.shape = (recipe.data.channels, *recipe.data.size)
        self._task = task
        self._built: dict[str, nn.Module] = {}

    def __call__(self, options: Options) -> nn.Module:
        """Return the network with the task's head and initial weights.

        Raises:
            ModelError: it cannot be built, or does not accept this input size.
        """
        merged = {**options, **self.recipe.model.options}
        key = repr(sorted(merged.items()))
        if key not in self._built:
            model = self.recipe.model.model_copy(update={"options": merged})
            self._built[key] = network(self.recipe.model_copy(update={"model": model}), self._task)
        return self._built[key]

    def macs(self, options: Options) -> int:
        """Return the MACs of a forward pass of one image."""
        return summarize(self(options), self.shape).macs

    def for_task(self, task: Task) -> "Candidates":
        """Return the candidates for a task that is known after decoding; these if its head is the same."""
        return self if task.outputs == self._task.outputs else Candidates(self.recipe, task)


def candidate_options(model: str, size: tuple[int, ...], widest: int = WIDTHS[0]) -> Sequence[Options]:
    """Return the options of a network to choose from, most expensive first; empty where there is no choice.

    Args:
        model: the name of the network.
        size: the sides of the input.
        widest: the largest width of the first stage, see `InputPreprocessing.widest`.
    """
    if model == "airbench":
        return QUICK
    if model not in ("resnet18", "resnet34"):
        return ()
    return [{"width": width} for width in WIDTHS if width <= min(widest, 2 * min(size))] or [{"width": WIDTHS[-1]}]


def largest_affordable(
    choices: Sequence[Options], macs: Callable[[Options], int], images: int, affordable: float
) -> Options:
    """Return the first options whose MACs for `images` images are at most `affordable`; the last if none are.

    Args:
        choices: options, most expensive first.
        macs: maps options to the MACs of one image.
        images: the number of images to process in training.
        affordable: MACs that the time allows.
    """
    return next((options for options in choices if images * macs(options) <= affordable), choices[-1])


def affordable_macs(budget: float, builtin: bool, device: str, measure: Callable[[], float]) -> float:
    """Return the MACs of the forward pass that training has time for.

    Args:
        budget: seconds for the whole run; 0: `PATIENCE_SECONDS`.
        builtin: whether the data are built in.
        device: "cpu" or "cuda".
        measure: measures the forward MACs per second of training on this machine; only called with a budget.
    """
    if budget:
        return (budget - END_SECONDS) * measure()
    return (DEMONSTRATION_SECONDS if builtin else PATIENCE_SECONDS) * RATE[device]


def measured_rate(candidates: Candidates, options: Options, device: torch.device) -> float:
    """Measure the forward MACs per second of training on this machine, from the best of three steps.

    On a machine so slow that steps of whole batches would take a tenth of the budget, steps of a few images decide.
    """
    recipe = candidates.recipe
    batch = 128 if max(recipe.data.size) <= SMALL_SIDE else 32
    with torch.random.fork_rng():
        model = channels_last(deepcopy(candidates(options)), device).to(device)
        x = torch.rand(batch, *candidates.shape, device=device)
    context = precision_context(recipe.train.precision, device)
    for images in (FEW_IMAGES, batch):
        few = x[:images]
        seconds = seconds_per_step(model, (few, few), lambda output, _: output.square().mean(), context)
        if MEASURED_STEPS * seconds * batch / images > MEASURING_SHARE * recipe.train.budget:
            break
    return images * candidates.macs(options) / seconds
