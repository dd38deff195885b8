"""Gradients that decrease by orders of magnitude from the last layer to the first."""

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

LEAST_RATIO = 1e-4  # of the first layers' gradient to the last ones'
MIN_LAYERS = 5
SQUASHING = ("Sigmoid", "Tanh", "Hardsigmoid", "Hardtanh", "Softsign")


def vanishing_gradients(records: RunRecords) -> Finding | None:
    """Find gradients that vanish with depth (Hochreiter 1991; Glorot and Bengio 2010).

    Compared are the largest gradient norm among the first third of the layers and the largest among the last third,
    at the last step of an epoch.
    """
    layers = records.weighted
    norms = [float(layer["gradient_norm"] or 0) for layer in layers]
    if len(norms) < MIN_LAYERS or any(layer.get("identical") for layer in layers[1:-1]):
        return None
    third = max(1, len(norms) // 3)
    first, last = max(norms[:third]), max(norms[-third:])
    if last <= 0 or first / last >= LEAST_RATIO:
        return None
    squashing = [kind for _, kind in records.modules if kind in SQUASHING]
    change = Change("use batch norm and residual connections, or fewer layers; initialise with --set model.init=auto",
                    {"model.init": "auto"})  # fmt: skip
    if len(squashing) > 1:
        change = Change(f"replace the {len(squashing)} {squashing[0]} activations by relu: {_where(records)}")
    return Finding(
        "vanishing_gradients", 0.95, f"layers {layers[0]['name']} to {layers[third - 1]['name']}",
        f"the gradient of the first {third} layers is {first / last:.0e} times that of the last {third}, so that they "
        "hardly learn",
        first / last, LEAST_RATIO, change, series={"gradient_norm": tuple(norms)},
    )  # fmt: skip


def _where(records: RunRecords) -> str:
    name = records.recipe.model.name
    return f'{{act = "relu"}} in {name}' if name.endswith(".toml") else "--set model.options.activation=relu"
