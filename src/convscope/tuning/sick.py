"""Trials that are not worth continuing: a loss that is not finite, or a network that learns nothing."""

from collections.abc import Sequence

FLAT_EPOCHS = 2  # epochs after which a network should be better than a constant prediction
FLAT = 0.02  # of the first training loss: a smaller decrease is none


def why_sick(losses: Sequence[float], scores: Sequence[float], chance: float) -> str:
    """Return in words why a trial should stop; "" where nothing is wrong.

    Args:
        losses: of training, one per epoch.
        scores: the main validation score, one per epoch, higher is better.
        chance: the score of a constant prediction.
    """
    if not all(abs(loss) < float("inf") for loss in losses):
        return f"the training loss is not finite in epoch {len(losses)}"
    if len(losses) < FLAT_EPOCHS or max(scores) > chance:
        return ""
    decrease = losses[0] - losses[-1]
    if decrease < FLAT * abs(losses[0]):
        return (
            f"nothing learned in {len(losses)} epochs: the training loss is {losses[-1]:.3g}, it began at "
            f"{losses[0]:.3g}, and the score {max(scores):.3g} is that of a constant prediction"
        )
    return ""
