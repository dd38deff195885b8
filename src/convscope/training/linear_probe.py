"""A linear layer on fixed features, trained to convergence with the penalty that cross-validation chooses.

L-BFGS minimises loss(x W^T + b, y) + penalty / (2 N) * |W|^2 on standardised features of N images: with cross entropy
this is logistic regression, with binary cross entropy one logistic regression per label, with squared errors ridge
regression. Every view of an image is a sample; held-out images are scored on their first view.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]
Score = Callable[[Tensor, Tensor], float]

PENALTIES = (3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
"""Strong to weak, so that each fit starts from the smoother one before it."""
UNCHOSEN = 100.0  # the penalty where there is no time to choose
FOLDS = 5
MAX_FOLD_SAMPLES = 20_000  # samples per fit of a fold; more change the choice of the penalty little
ITERATIONS = 100  # at most, per fit of a fold; each starts from the one before
STRIDE = 20  # iterations between checks of the time


@dataclass(frozen=True)
class ProbeSettings:
    """What to fit: `outputs` is K, `loss` (outputs, targets) -> scalar, `score` (outputs, targets) -> higher is better.

    `choosing_over` and `fitting_over` are asked during cross-validation and during the last fit; true ends them early.
    """

    outputs: int
    loss: Loss
    score: Score
    choosing_over: Callable[[], bool] = lambda: False
    fitting_over: Callable[[], bool] = lambda: False


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """A fitted layer for features that are not standardised: `weight` (K, C) and `bias` (K,), float32.

    `score` is the score of the chosen `penalty` on held-out images, the mean over folds; None without cross-validation.
    """

    weight: Tensor
    bias: Tensor
    penalty: float
    score: float | None

    def __call__(self, x: Tensor) -> Tensor:
        """(N, C) features to (N, K) outputs."""
        return x @ self.weight.T + self.bias


def fit_probe(x: Tensor, y: Tensor, settings: ProbeSettings) -> LinearProbe:
    """Fit a linear layer with the penalty that cross-validation within these images chooses.

    Args:
        x: (V, N, C) float32 features of V views of N images.
        y: (N, ...) targets.
        settings: loss, score and limits.
    """
    mean, std = _statistics(x)
    standardised = (x - mean) / std
    penalty, held_out = _choose_penalty(standardised, y, settings)
    samples, start = (standardised.flatten(0, 1), _repeated(y, len(x))), _start(x, settings)
    layer = _fit(samples, settings.loss, penalty / len(y), start, 3 * ITERATIONS, settings.fitting_over)
    weight, bias = layer[:, :-1] / std, layer[:, -1]
    return LinearProbe(weight, bias - weight @ mean, penalty, held_out)


def _choose_penalty(x: Tensor, y: Tensor, settings: ProbeSettings) -> tuple[float, float | None]:
    """Return the penalty with the best score on held-out images, and that score."""
    fold_of = folds(y, min(FOLDS, len(y)))
    scores: list[list[float]] = []
    for number in range(int(fold_of.max()) + 1):
        found = _path_scores(x, y, fold_of == number, settings)
        if settings.choosing_over() or not found:
            break
        scores.append(found)
    if not scores:
        return UNCHOSEN, None
    means = torch.tensor(scores, dtype=torch.float64).mean(0)
    best = int(means.argmax())  # the first of equal ones: the strongest penalty
    return PENALTIES[best], float(means[best])


def _path_scores(x: Tensor, y: Tensor, held_out: Tensor, settings: ProbeSettings) -> list[float]:
    """Return the scores of all penalties on the held-out images of one fold; none if no others are left."""
    rows = (~held_out).nonzero()[:, 0]
    if not len(rows):
        return []
    rows = rows[mixed_order(y[rows])[: max(1, MAX_FOLD_SAMPLES // len(x))]]
    samples = x[:, rows].flatten(0, 1), _repeated(y[rows], len(x))
    layer, found = _start(x, settings), []
    for penalty in PENALTIES:
        layer = _fit(samples, settings.loss, penalty / len(rows), layer, ITERATIONS, settings.choosing_over)
        found.append(settings.score(_outputs(layer, x[0, held_out]), y[held_out]))
    return found


def folds(y: Tensor, count: int, seed: int = 0) -> Tensor:
    """Return the fold (N,) of each image, from 0; integer targets are spread evenly over the folds, class by class."""
    shuffled = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    if y.dim() == 1 and not y.is_floating_point():
        shuffled = shuffled[y[shuffled].argsort(stable=True)]
    fold_of = torch.empty(len(y), dtype=torch.int64)
    fold_of[shuffled] = torch.arange(len(y)) % max(count, 1)
    return fold_of


def mixed_order(y: Tensor, seed: int = 0) -> Tensor:
    """Return a random order (N,) of the images in which every beginning has about the classes' shares of the whole."""
    shuffled = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    if y.dim() > 1 or y.is_floating_point():
        return shuffled
    _, kind, counts = torch.unique(y[shuffled], return_inverse=True, return_counts=True)
    place, first = kind.argsort(stable=True), counts.cumsum(0) - counts
    number = torch.empty(len(y), dtype=torch.int64)
    number[place] = torch.arange(len(y)) - first.repeat_interleave(counts)  # from 0 within each class
    return shuffled[((number + 0.5) / counts[kind]).argsort(stable=True)]


def _fit(
    samples: tuple[Tensor, Tensor], loss: Loss, decay: float, start: Tensor, iterations: int, over: Callable[[], bool]
) -> Tensor:
    """Return the layer (K, C + 1), bias last, that minimises the loss + decay / 2 * |W|^2."""
    (x, y), layer = samples, start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([layer], max_iter=STRIDE, tolerance_grad=1e-5, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(_outputs(layer, x), y) + decay / 2 * layer[:, :-1].square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    for done in range(STRIDE, iterations + 1, STRIDE):
        with torch.enable_grad():
            optimiser.step(closure)  # type: ignore[no-untyped-call]
        if optimiser.state[layer]["n_iter"] < done or over():  # converged, or no time left
            break
    found = layer.detach()
    return found if found.isfinite().all() else start


def _start(x: Tensor, settings: ProbeSettings) -> Tensor:
    return torch.zeros(settings.outputs, x.shape[2] + 1)


def _outputs(layer: Tensor, x: Tensor) -> Tensor:
    return torch.addmm(layer[:, -1], x, layer[:, :-1].T)


def _repeated(y: Tensor, views: int) -> Tensor:
    return y.repeat(views, *[1] * (y.dim() - 1))


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation (C,) of each feature, the latter at least a tenth of the median.

    Almost constant features would otherwise get huge weights, which small changes of the encoder amplify.
    """
    std, mean = torch.std_mean(x.flatten(0, 1), dim=0, correction=0)
    floor = float(0.1 * std.median()) or float(std.max()) or 1.0
    return mean, std.clamp(min=floor)


def neighbour_votes(x: Tensor, y: Tensor, queries: Tensor, classes: int, count: int = 5) -> Tensor:
    """Return the classes' shares (Q, K) among the `count` nearest images by cosine similarity.

    Of equal shares, that of nearer images is slightly higher.

    Args:
        x: (N, C) features.
        y: (N,) int64 classes.
        queries: (Q, C) features.
        classes: K.
        count: number of neighbours.
    """
    centre = x.mean(0)
    unit, wanted = (torch.nn.functional.normalize(one - centre, dim=1) for one in (x, queries))
    nearest = (wanted @ unit.T).topk(min(count, len(x)), dim=1)
    votes = torch.zeros(len(queries), classes)
    weights = 1 - 1e-3 * torch.arange(nearest.indices.shape[1])  # only breaks ties
    return votes.scatter_add_(1, y[nearest.indices], weights.expand_as(nearest.values)) / count
