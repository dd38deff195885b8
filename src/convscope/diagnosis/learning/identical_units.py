"""Layers whose units all have the same weights."""

from convscope.diagnosis.finding import Change, Finding, some_names
from convscope.runs.training_records import RunRecords


def identical_units(records: RunRecords) -> Finding | None:
    """Find layers whose units stayed identical, as after an initialisation with a constant.

    The units of such a layer get the same gradient, so that no number of epochs makes them differ (Goodfellow et al.
    2016, section 8.4). Layers that are frozen have no gradient and are not judged.
    """
    weighted = records.weighted
    alike = [layer for layer in weighted if layer.get("identical")]
    # a final layer of zeros is a usual initialisation, and its first steps break the symmetry
    if not alike or (len(alike) == 1 and alike[0] is weighted[-1] and len(records.epochs) < 2):
        return None
    names = [layer["name"] for layer in alike]
    zero = all(layer.get("weight_norm") == 0 for layer in alike)
    layers = f"{len(names)} of {len(weighted)} layers" if len(names) > 1 else f"layer {names[0]}"
    have = "have" if len(names) > 1 else "has"
    return Finding(
        "identical_units", 1.0, f"layers {some_names(names)}" if len(names) > 1 else f"layer {names[0]}",
        f"{layers} {have} units with identical weights{', all zero' if zero else ''}, which training cannot separate",
        len(names) / len(weighted), 0.0,
        Change('initialise at random: --set model.init=auto', {"model.init": "auto"}),
    )  # fmt: skip
