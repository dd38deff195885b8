"""Activations or gradients that grow by orders of magnitude with depth."""

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

MOST_RATIO = 1e4  # of the standard deviation of the last layers' outputs to that of the first layer's
MIN_LAYERS = 5


def exploding_gradients(records: RunRecords) -> Finding | None:
    """Find outputs whose scale explodes with depth (He et al. 2015, section 2.2).

    Compared are the standard deviations of the outputs of the first and the largest later convolutional or dense
    layer, for validation images. With batch norm and residual connections they differ by less than 100 times.
    """
    measured = records.activations
    if measured is None:
        return None
    layers = [one for one in measured["layers"] if one.get("weight_norm") is not None and one.get("variance")]
    scales = [float(layer["variance"]) ** 0.5 for layer in layers]
    if len(scales) < MIN_LAYERS or scales[0] <= 0:
        return None
    at = max(range(1, len(scales)), key=scales.__getitem__)
    if scales[at] / scales[0] < MOST_RATIO:
        return None
    return Finding(
        "exploding_gradients", 0.95, f"layer {layers[at]['name']}",
        f"the outputs of layer {layers[at]['name']} are {scales[at] / scales[0]:.0e} times as large as those of the "
        "first layer, and so are the gradients that pass it",
        scales[at] / scales[0], MOST_RATIO,
        Change("initialise for the activation: --set model.init=auto", {"model.init": "auto"}),
        series={"activation_scale": tuple(scales)},
    )  # fmt: skip
