"""Weight decay that takes away the weights faster than they are learned."""

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

MOST_SHRINKING = 0.01  # of a weight per step: learning rate times weight decay; 5e-5 with the defaults
LEAST_NORM = 0.1  # of a layer's weights
LEAST_SHARE = 0.5  # of the layers that are below it


def strong_weight_decay(records: RunRecords) -> Finding | None:
    """Find weights near 0 in most layers, where weight decay shrinks them by 1 % and more per step.

    Van Laarhoven 2017, arXiv:1706.05350: learning rate times weight decay is what is lost per step.
    """
    rate, decay = records.recipe.optimiser.rate, records.recipe.optimiser.weight_decay or 0.0
    norms = [float(layer["weight_norm"]) for layer in records.weighted if layer.get("weight_norm") is not None]
    small = [norm for norm in norms if norm < LEAST_NORM]
    if rate * decay < MOST_SHRINKING or not norms or len(small) < LEAST_SHARE * len(norms):
        return None
    return Finding(
        "strong_weight_decay", 0.97, "setting optimiser.weight_decay",
        f"weight decay {decay:g} at learning rate {rate:g} takes off {100 * min(rate * decay, 1):.2g} % of the weights "
        f"per step: the weights of {len(small)} of {len(norms)} layers are near 0",
        rate * decay, MOST_SHRINKING,
        Change("lower the weight decay: --set optimiser.weight_decay=5e-4", {"optimiser.weight_decay": 5e-4}),
        series={"weight_norm": tuple(norms)},
    )  # fmt: skip
