"""The optimisation loop of image synthesis: objective x parameterisation x transform, in batches.

An image depends only on its target and seed, not on its batch: each has its own random numbers, Adam works
elementwise, and an image that is finished is stored while the others continue.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from convscope.errors import ConfigError, ModelError, TrainingError
from convscope.explainers.hooks import device_and_dtype, record
from convscope.explainers.synthesis.image_params import ImageParameters, PixelSpace
from convscope.explainers.synthesis.objectives import Objective
from convscope.explainers.synthesis.relu_gradients import RedirectedReLU
from convscope.explainers.synthesis.transforms import Transforms, transform_images
from convscope.modules import kernels_channels_last
from convscope.progress import Progress

_CONSIDER_EVERY = 16  # steps between scores of the untransformed images
_REDIRECT_STEPS = 16  # first steps in which ReLU gradients are redirected, as many as in Lucid


class OptimisationSettings(BaseModel, frozen=True, extra="forbid"):
    """Settings of image optimisation.

    Attributes:
        steps: maximum number of Adam steps.
        learning_rate: of Adam at the first step, in units of the parameters; it falls to 0 along a cosine.
        size: height and width of the images.
        parameterisation: "fourier" scales frequencies as in natural images; "pixel" optimises each pixel directly.
        transforms: random transforms at each step.
        copies: images per target, with different initial noise; they are consecutive.
        stop_at: an image is finished once its score reaches this value.
        patience: an image is finished once its score has not improved for this many steps.
        batch: images optimised at once, in functions that accept any number of targets.
        seed: seed of noise and transforms.
    """

    steps: int = Field(256, ge=1)
    learning_rate: float = Field(0.1, gt=0)
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
    """Optimised images and their scores.

    Attributes:
        pixels: (B, C, H, W) float32 in [0, 1].
        start: (B,) scores of the initial noise, untransformed.
        final: (B,) scores of the final images, untransformed.
        history: (steps, B) scores at each step, of the transformed images.
        steps: (B,) number of steps per image.
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
    """Optimise images from noise to maximise the objective.

    Deterministic on a CPU for a given seed; on a GPU, resampling is not, and the last digits differ.

    Args:
        model: any network.
        objective: from `convscope.explainers.synthesis.objectives`.
        space: maps pixels to the network's input.
        settings: optimisation settings.
        on_progress: called with the number of steps done and the total.
    Raises:
        ConfigError: the objective has no targets.
        ModelError: no such layer, or no gradient reaches the pixels.
        TrainingError: a score is NaN or infinite.
    """
    settings = settings or OptimisationSettings()
    if not objective.count:
        raise ConfigError("objective: no targets; add it to an objective with targets")
    device, dtype = device_and_dtype(model)
    generators = random_streams(objective.count, settings)
    with record(model, *objective.layers, gradients=True) as kept, kernels_channels_last(model):

        def score(pixels: Tensor) -> Tensor:
            kept.forward(space.to_input(pixels).to(dtype))
            return objective.score(kept, pixels).float()

        images = ImageParameters(space, settings.size, generators, settings.parameterisation == "fourier").to(device)
        with torch.no_grad():
            start = score(images.pixels())
        progress = _run_steps(_Progress(settings, score, objective.keeps_best), images, generators, on_progress)
    if not bool(progress.last.isfinite().all()):
        raise TrainingError(
            f"optimise: score {progress.last.sum().item()} after {len(progress.history)} steps; lower the learning rate"
        )
    arrays = (progress.pixels, start, progress.best, torch.stack(progress.history), progress.steps)
    return OptimisedImages(*(array.cpu().numpy() for array in arrays))


def _run_steps(
    progress: "_Progress", images: ImageParameters, generators: list[torch.Generator], on_progress: Progress | None
) -> "_Progress":
    """Take gradient steps until all images have converged or the steps are used up."""
    settings, score = progress.settings, progress.score
    adam = torch.optim.Adam([images.weights], lr=settings.learning_rate)
    for step in range(1, settings.steps + 1):
        adam.param_groups[0]["lr"] = settings.learning_rate * (1 + math.cos(math.pi * (step - 1) / settings.steps)) / 2
        pixels = images.pixels()
        transformed = transform_images(pixels, settings.transforms, generators)
        scores = score(transformed)
        gradient = _gradient(scores, images.weights, retain_graph=step <= _REDIRECT_STEPS)
        if step <= _REDIRECT_STEPS:
            gradient = _redirected_gradient(gradient, images.weights, partial(score, transformed))
        images.weights.grad = gradient
        if progress.finished(scores.detach(), pixels.detach()):
            break
        adam.step()
        if on_progress:
            on_progress(step, settings.steps)
    with torch.no_grad():
        progress.consider(images.pixels())
    return progress


def random_streams(count: int, settings: OptimisationSettings) -> list[torch.Generator]:
    """Return one random generator per image, equal for all targets and different for the copies of a target."""
    return [torch.Generator().manual_seed(settings.seed + index % settings.copies) for index in range(count)]


def concatenate(parts: Sequence[OptimisedImages]) -> OptimisedImages:
    """Concatenate batches of images; shorter histories are padded with their last score."""
    longest = max(len(part.history) for part in parts)
    histories = [np.pad(part.history, ((0, longest - len(part.history)), (0, 0)), mode="edge") for part in parts]
    return OptimisedImages(
        pixels=np.concatenate([part.pixels for part in parts]),
        start=np.concatenate([part.start for part in parts]),
        final=np.concatenate([part.final for part in parts]),
        history=np.concatenate(histories, axis=1),
        steps=np.concatenate([part.steps for part in parts]),
    )


def _gradient(scores: Tensor, weights: Tensor, retain_graph: bool = False) -> Tensor:
    """Return the gradient of minus the sum of the scores, in which images do not affect each other."""
    gradient = None
    if scores.requires_grad:
        (gradient,) = torch.autograd.grad(-scores.sum(), weights, retain_graph=retain_graph, allow_unused=True)
    if gradient is None:
        raise ModelError("model: no gradient of the objective reaches the pixels; remove no_grad from its forward")
    return gradient


def _redirected_gradient(gradient: Tensor, weights: Tensor, score: Callable[[], Tensor]) -> Tensor:
    """Return the gradient, redirected for images whose gradient is zero."""
    silent = ~gradient.flatten(1).any(1)
    if not bool(silent.any()):
        return gradient
    with RedirectedReLU(silent):
        redirected = _gradient(score(), weights)
    return torch.where(silent[:, *(None,) * (gradient.ndim - 1)], redirected, gradient)


class _Progress:
    """Tracks which images are finished, and keeps the best of each, or the last.

    Attributes:
        history: the scores (B,) of each step, of the transformed images.
        pixels: (B, C, H, W) the best images so far.
        best, last: (B,) the scores of these and of the newest images that were considered, untransformed.
        steps: (B,) number of steps per image.
    """

    def __init__(
        self, settings: OptimisationSettings, score: Callable[[Tensor], Tensor], keeps_best: bool = True
    ) -> None:
        self.settings, self.score, self._keeps_best = settings, score, keeps_best
        self._can_stop = settings.stop_at is not None or settings.patience is not None
        self._top = self._since_top = self._finished = torch.empty(0)
        self.pixels = self.best = self.last = self.steps = torch.empty(0)
        self.history: list[Tensor] = []

    def finished(self, scores: Tensor, pixels: Tensor) -> bool:
        """Record the scores of a step; return whether all images are finished."""
        if not self.history:
            self._top = torch.full_like(scores, -torch.inf)
            self._since_top = torch.zeros_like(scores, dtype=torch.int64)
            self.steps = torch.full_like(self._since_top, self.settings.steps)
            self._finished = torch.zeros_like(scores, dtype=torch.bool)
        self.history.append(scores)
        if len(self.history) % _CONSIDER_EVERY == 0:
            self.consider(pixels)
        if not self._can_stop:  # avoids waiting for the scores on a GPU
            return False
        improved = scores > self._top
        self._top, self._since_top = scores.maximum(self._top), torch.where(improved, 0, self._since_top + 1)
        new = torch.zeros_like(self._finished)
        if self.settings.stop_at is not None:
            new |= scores >= self.settings.stop_at
        if self.settings.patience is not None:
            new |= self._since_top >= self.settings.patience
        new &= ~self._finished
        if bool(new.any()):
            self.consider(pixels)
        self.steps = torch.where(new, len(self.history) - 1, self.steps)
        self._finished |= new
        return bool(self._finished.all())

    @torch.no_grad()
    def consider(self, pixels: Tensor) -> None:
        """Score untransformed images; keep each that is better than before, unless it was finished before."""
        self.last = self.score(pixels)
        if not self.best.numel():
            self.best, self.pixels = self.last, pixels
            return
        better = ~self._finished
        if self._keeps_best:
            better &= self.last > self.best
        self.pixels = torch.where(better[:, None, None, None], pixels, self.pixels)
        self.best = torch.where(better, self.last, self.best)
