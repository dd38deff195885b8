"""A first loss far above chance: the network's outputs are too large before it has learned anything."""

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

MOST_RATIO = 3.0  # of the loss of the first step to the chance loss; 0.9 to 1.7 with the defaults of all networks


def high_initial_loss(records: RunRecords) -> Finding | None:
    """Find a network that is sure, and wrong, at its first step: its weights are too large.

    With weights of a fitting size the first loss is near that of chance (He et al. 2015, section 2.2). Otherwise the
    first epochs undo the initialisation, and units that saturate stay saturated.
    """
    chance, first = records.chance_loss, records.first_loss
    if not chance or first is None or first / chance < MOST_RATIO:
        return None
    own = records.recipe.model.init
    change = Change("initialise for the activation: --set model.init=auto", {"model.init": "auto"})
    if own == "auto":
        change = Change("scale the weights of the last layer down, or set them to 0")
    return Finding(
        "high_initial_loss", 0.9, "setting model.init",
        f"the loss of the first step is {first:.3g}, {first / chance:.0f} times that of predicting the frequencies of "
        f"the classes ({chance:.3g}): the weights are too large at the start",
        first / chance, MOST_RATIO, change,
    )  # fmt: skip
