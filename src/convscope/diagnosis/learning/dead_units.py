"""Units whose output is 0 for every image."""

from convscope.diagnosis.finding import Change, Finding, per_cent
from convscope.runs.training_records import RunRecords

MOST_DEAD = 0.7  # of a layer's units


def dead_units(records: RunRecords) -> Finding | None:
    """Find layers in which most units are 0 at every position of every image (Lu et al. 2019, arXiv:1903.06733).

    A dead unit has no gradient. On the small sample of images that is measured during training, rarely used units
    count as dead too, so that only a layer with most units dead is named.
    """
    measured = records.activations
    layers = [layer for layer in measured["layers"] if layer.get("dead") is not None] if measured else []
    dead = [layer for layer in layers if layer["dead"] >= MOST_DEAD]
    if not dead:
        return None
    worst = max(dead, key=lambda layer: layer["dead"])
    others = f"; {len(dead)} of {len(layers)} activation layers have {per_cent(MOST_DEAD)} or more" * (len(dead) > 1)
    rate = records.recipe.optimiser.rate
    return Finding(
        "dead_units", 0.7 + 0.2 * len(dead) / len(layers), f"layer {worst['name']}",
        f"{per_cent(worst['dead'])} of the units of {worst['name']} ({worst['layer_type']}) are 0 for every image"
        f"{others}",
        float(worst["dead"]), MOST_DEAD,
        Change(f"lower the learning rate to {rate / 10:.2g}, or use leaky_relu as the activation",
               {"optimiser.learning_rate": float(f"{rate / 10:.2g}")}),
        series={"dead": tuple(float(layer["dead"]) for layer in layers)},
    )  # fmt: skip
