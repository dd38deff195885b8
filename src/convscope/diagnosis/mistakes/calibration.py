"""Probabilities that are not the shares of correct predictions."""

import torch

from convscope.diagnosis.finding import Change, Finding, per_cent
from convscope.diagnosis.mistakes.view import MistakeView
from convscope.tasks.calibration import LEAST_IMAGES, error_interval, fitted_temperature, most_probable, reliability

LEAST_ERROR = 0.05  # the lower end of the interval, above what calibrated predictions have
LEAST_CHANGE = 0.1  # of the temperature, relative: less is what training fitted already


def calibration(view: MistakeView) -> Finding | None:
    """Find an expected calibration error that is high beyond chance (Guo et al. 2017, arXiv:1706.04599).

    It is that of the probabilities as the model gives them, with its temperature. `tasks.calibration` says how the
    error and its interval are measured.
    """
    if len(view.labels) < LEAST_IMAGES:
        return None
    logits, target = torch.from_numpy(view.logits), torch.from_numpy(view.labels)
    confidence, correct = most_probable(logits, target, view.temperature)
    found = error_interval(confidence, correct)
    if found.low < LEAST_ERROR:
        return None
    temperature = fitted_temperature(logits, target)
    after = error_interval(*most_probable(logits, target, temperature)).value
    mean, accuracy = float(confidence.mean()), float(correct.mean())
    sure = "too sure" if mean > accuracy else "not sure enough"
    change = Change(f"divide the logits by {temperature:.2f} before softmax, which leaves an error of {after:.3f}")
    if abs(temperature / view.temperature - 1) < LEAST_CHANGE:
        change = Change("use the probabilities to sort predictions only: no temperature calibrates them")
    means, shares = reliability(confidence, correct)
    return Finding(
        "calibration", min(0.5, 0.2 + found.value), "probabilities",
        f"the network is {sure}: its mean probability is {per_cent(mean)} and it is right for {per_cent(accuracy)} "
        f"(calibration error {found.value:.3f}, 95 % interval {found.low:.3f} to {found.high:.3f})",
        found.value, LEAST_ERROR, change,
        series={"confidence": tuple(means.tolist()), "accuracy": tuple(shares.tolist())},
    )  # fmt: skip
