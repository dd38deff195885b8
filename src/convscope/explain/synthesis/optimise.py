"""The one loop that paints: objective x parameterisation x transform, many pictures at once.

A picture depends on its own target and seed alone, not on the others in its batch: each has its own random numbers,
Adam works element by element, and a picture that is done is set aside while the others go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from convscope.errors import ConfigError, ModelError, TrainingError
from convscope.explain.hooks import device_and_dtype, record
from convscope.explain.synthesis.image_params import ImageParameters, PixelSpace
from convscope.explain.synthesis.objectives import Objective
from convscope.explain.synthesis.relu_gradients import RedirectedReLU
from convscope.explain.synthesis.transforms import Transforms, transform_images
from convscope.modules import kernels_channels_last
from convscope.progress import Progress

_REDIRECT_STEPS = 16  # first steps in which pictures without a gradient get redirected ones, as many as in Lucid


class OptimisationSettings(BaseModel, frozen=True, extra="forbid"):
    """How pictures are painted.

    Attributes:
        steps: of Adam, at most.
        learning_rate: its rate, in what is optimised.
        size: height and width of the pictures.
        parameterisation: "fourier" weighs frequencies as natural images do; "pixel" paints each by itself.
        transforms: random moves at each step.
        copies: pictures of each target, with different noise; they follow each other.
        stop_at: a picture is done once its score reaches this.
        patience: a picture is done once its score has not risen for so many steps.
        batch: pictures at once, in the functions that take any number of targets.
        seed: of noise and moves.
    """

    steps: int = Field(256, ge=1)
    learning_rate: float = Field(0.05, gt=0)
    size: tuple[int, int] = (128, 128)
    parameterisation: Literal["fourier", "pixel"] = "fourier"
    transforms: Transforms = Transforms()
    copies: int = Field(1, ge=1)
    stop_at: float | None = None
    patience: int | None = Field(None, ge=1)
    batch: int = Field(32, ge=1)
    seed: int = 0


@dataclass(frozen=True)
class OptimisedImages:
    """What was painted.

    Attributes:
        pixels: (B, C, H, W) float32 in [0, 1].
        start: (B,) scores of the noise that each began as, unmoved.
        final: (B,) scores of the pictures, unmoved.
        history: (steps, B) scores on the way, of moved pictures.
        steps: (B,) steps that each took.
    """

    pixels: np.ndarray
    start: np.ndarray
    final: np.ndarray
    history: np.ndarray
    steps: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return the scores and steps."""
        return {
            "start": self.start.tolist(),
            "final": self.final.tolist(),
            "steps": self.steps.tolist(),
            "history": self.history.tolist(),
        }


def optimise(
    model: nn.Module,
    objective: Objective,
    space: PixelSpace,
    settings: OptimisationSettings | None = None,
    on_progress: Progress | None = None,
) -> OptimisedImages:
    """Pictures that climb the objective, from noise.

    Exact with a seed on a CPU; on a GPU, resampling adds in no fixed order, so the last digits differ.

    Args:
        model: any network.
        objective: from `convscope.explain.synthesis.objectives`.
        space: how pixels become the network's input.
        settings: how they are painted.
        on_progress: called with the steps done, and of how many.
    Raises:
        ConfigError: the objective has no targets.
        ModelError: no such layer, or no gradient reaches the pixels.
        TrainingError: a score is no longer a number.
    """
    settings = settings or OptimisationSettings()
    if not objective.count:
        raise ConfigError("objective: has no targets of its own; add it to one that has")
    device, dtype = device_and_dtype(model)
    generators = random_streams(objective.count, settings)
    progress = _Progress(settings)
    with record(model, *objective.layers, gradients=True) as kept, kernels_channels_last(model):

        def score(pixels: Tensor) -> Tensor:
            kept.forward(space.to_input(pixels).to(dtype))
            return objective.score(kept, pixels).float()

        canvas = ImageParameters(space, settings.size, generators, settings.parameterisation == "fourier").to(device)
        adam = torch.optim.Adam([canvas.weights], lr=settings.learning_rate)
        with torch.no_grad():
            start = score(canvas.pixels())
        for step in range(1, settings.steps + 1):
            pixels = canvas.pixels()
            moved = transform_images(pixels, settings.transforms, generators)
            scores = score(moved)
            slope = _slope(scores, canvas.weights, again=step <= _REDIRECT_STEPS)
            canvas.weights.grad = (
                slope if step > _REDIRECT_STEPS else _redirected_gradient(slope, canvas.weights, partial(score, moved))
            )
            if progress.finished(scores.detach(), pixels.detach()):
                break
            adam.step()
            if on_progress:
                on_progress(step, settings.steps)
        with torch.no_grad():
            painted, steps = progress.pictures(canvas.pixels())
            final = score(painted)
    if not bool(final.isfinite().all()):
        raise TrainingError(
            f"optimise: a score is {final.sum().item()} after {len(progress.history)} steps; lower the rate"
        )
    arrays = (painted, start, final, torch.stack(progress.history), steps)
    return OptimisedImages(*(array.cpu().numpy() for array in arrays))


def random_streams(count: int, settings: OptimisationSettings) -> list[torch.Generator]:
    """Return one random stream for each picture, the same for every target and different for its copies."""
    return [torch.Generator().manual_seed(settings.seed + index % settings.copies) for index in range(count)]


def concatenate(parts: Sequence[OptimisedImages]) -> OptimisedImages:
    """Return several batches of pictures as one; histories that stopped early go on with their last score."""
    longest = max(len(part.history) for part in parts)
    histories = [np.pad(part.history, ((0, longest - len(part.history)), (0, 0)), mode="edge") for part in parts]
    return OptimisedImages(
        pixels=np.concatenate([part.pixels for part in parts]),
        start=np.concatenate([part.start for part in parts]),
        final=np.concatenate([part.final for part in parts]),
        history=np.concatenate(histories, axis=1),
        steps=np.concatenate([part.steps for part in parts]),
    )


def _slope(scores: Tensor, weights: Tensor, again: bool = False) -> Tensor:
    """Return the gradient that descent needs: of minus the sum, in which each picture's score stands alone."""
    slope = None
    if scores.requires_grad:
        (slope,) = torch.autograd.grad(-scores.sum(), weights, retain_graph=again, allow_unused=True)
    if slope is None:
        raise ModelError("model: no gradient of the objective reaches the pixels; is there a no_grad inside it?")
    return slope


def _redirected_gradient(slope: Tensor, weights: Tensor, score: Callable[[], Tensor]) -> Tensor:
    """Return the gradient, redirected for the pictures that have none."""
    silent = ~slope.flatten(1).any(1)
    if not bool(silent.any()):
        return slope
    with RedirectedReLU(silent):
        redirected = _slope(score(), weights)
    return torch.where(silent[:, *(None,) * (slope.ndim - 1)], redirected, slope)


class _Progress:
    """Which pictures are done, and what they were then."""

    def __init__(self, settings: OptimisationSettings) -> None:
        self._settings = settings
        self._watched = settings.stop_at is not None or settings.patience is not None
        self._best = self._since = self._done = self._kept = self._steps = torch.empty(0)
        self.history: list[Tensor] = []

    def finished(self, scores: Tensor, pixels: Tensor) -> bool:
        """Take in a step's scores; say whether every picture is done."""
        if not self.history:
            self._best = torch.full_like(scores, -torch.inf)
            self._since = torch.zeros_like(scores, dtype=torch.int64)
            self._steps = torch.full_like(self._since, self._settings.steps)
            self._done, self._kept = torch.zeros_like(scores, dtype=torch.bool), pixels
        self.history.append(scores)
        if not self._watched:  # so that nothing waits for a GPU's scores
            return False
        better = scores > self._best
        self._best, self._since = scores.maximum(self._best), torch.where(better, 0, self._since + 1)
        new = torch.zeros_like(self._done)
        if self._settings.stop_at is not None:
            new |= scores >= self._settings.stop_at
        if self._settings.patience is not None:
            new |= self._since >= self._settings.patience
        new &= ~self._done
        self._kept = torch.where(new[:, None, None, None], pixels, self._kept)
        self._steps = torch.where(new, len(self.history) - 1, self._steps)
        self._done |= new
        return bool(self._done.all())

    def pictures(self, last: Tensor) -> tuple[Tensor, Tensor]:
        """Return each picture as it was when done, the others as they are now, and the steps each took."""
        return torch.where(self._done[:, None, None, None], self._kept, last), self._steps
