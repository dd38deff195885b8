"""Images that reach the network far from mean 0 and standard deviation 1."""

from convscope.diagnosis.finding import Change, Finding
from convscope.models import TOKEN_MODELS
from convscope.runs.training_records import RunRecords

MOST_OFFSET = 3.0
LEAST_SCALE, MOST_SCALE = 0.05, 10.0


def inputs_not_normalised(records: RunRecords) -> Finding | None:
    """Find inputs that are not normalised (LeCun et al. 1998, "Efficient BackProp", section 4.3)."""
    measured = records.activations
    if measured is None or records.recipe.model.name in TOKEN_MODELS:  # whose inputs are numbers of tokens
        return None
    mean, std = float(measured["input_mean"] or 0), float(measured["input_std"] or 0)
    if abs(mean) <= MOST_OFFSET and LEAST_SCALE <= std <= MOST_SCALE:
        return None
    return Finding(
        "inputs_not_normalised", 0.75, "input",
        f"the network's inputs have mean {mean:.3g} and standard deviation {std:.3g}, not about 0 and 1",
        std, MOST_SCALE if std > MOST_SCALE else LEAST_SCALE,
        Change("normalise with the mean and standard deviation of the training images, as convscope train does"),
    )  # fmt: skip
