"""What a comparison of recipes shows, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP_HEAD, DENSE_HEAD = "gap-head", "dense-head"
"""The default network from scratch with global average pooling, or with a fully connected layer of 256 units."""
MAJORITY = "majority"
LOCALITY = "locality"
"""A convolutional network and an MLP on the data as they are and with positions shuffled."""
MEANINGFUL = 0.02
"""Losses of accuracy below it are taken for chance."""
LEARNED = 0.1
"""Accuracy above that of the most frequent class from which on a network has learned something."""


@dataclass(frozen=True)
class BaselineResult:
    """A recipe over its seeds: mean validation accuracy, half the width of its 95 % interval (nan with one seed)."""

    recipe: str
    seeds: int
    accuracy: float
    half_interval: float
    seconds: float
    num_parameters: int


def sentences(results: Sequence[BaselineResult]) -> list[str]:
    """Return the comparisons of recipes of which both were trained; `results` are the best first."""
    by_name = {result.recipe: result for result in results}
    lines = (compare_pretrained(by_name), compare_heads(by_name), compare_shuffled(by_name), compare_plain(results))
    return [line for line in lines if line]


def compare_pretrained(by_name: Mapping[str, BaselineResult]) -> str:
    """Compare pretrained and from scratch in one sentence; "" where one of the two did not run."""
    if not {"transfer", "scratch"} <= set(by_name):
        return ""
    pretrained, scratch = by_name["transfer"], by_name["scratch"]
    return (
        f"pretrained {100 * pretrained.accuracy:.1f} % in {pretrained.seconds:.0f} s, "
        f"from scratch {100 * scratch.accuracy:.1f} % in {scratch.seconds:.0f} s"
    )


def compare_heads(by_name: Mapping[str, BaselineResult]) -> str:
    """Compare global average pooling with a fully connected head; "" where one of the two did not run.

    Source of the published gain: Szegedy et al. (2014), "Going Deeper with Convolutions", section 5.
    """
    if not {GAP_HEAD, DENSE_HEAD} <= set(by_name):
        return ""
    pooled, dense = by_name[GAP_HEAD], by_name[DENSE_HEAD]
    return (
        f"global average pooling {100 * pooled.accuracy:.1f} % with {pooled.num_parameters:,} parameters, "
        f"fully connected {100 * dense.accuracy:.1f} % with {dense.num_parameters:,}: "
        f"{100 * (pooled.accuracy - dense.accuracy):+.1f} points here; "
        "the authors of GoogLeNet report about +0.6 on ImageNet"
    )


def shuffled_name(network: str, shuffled: bool) -> str:
    """Return the name of one of the four trainings of `LOCALITY`."""
    return f"{LOCALITY} {network}{' shuffled' if shuffled else ''}"


def compare_shuffled(by_name: Mapping[str, BaselineResult]) -> str:
    """Say whether positions matter, with the figures; "" unless all four networks were trained."""
    names = [shuffled_name(network, shuffled) for network in ("cnn", "mlp") for shuffled in (False, True)]
    if not {*names, MAJORITY} <= set(by_name):
        return ""
    cnn, cnn_shuffled, mlp, mlp_shuffled = (by_name[name].accuracy for name in names)
    figures = (
        f"with shuffled positions the convolutional network loses {100 * (cnn - cnn_shuffled):.1f} points "
        f"({100 * cnn:.1f} to {100 * cnn_shuffled:.1f} %) and the MLP {100 * (mlp - mlp_shuffled):.1f} "
        f"({100 * mlp:.1f} to {100 * mlp_shuffled:.1f} %)"
    )
    if min(cnn, mlp) < by_name[MAJORITY].accuracy + LEARNED:
        return f"{figures}: not all networks have learned yet, so this says nothing; give a larger --budget"
    if cnn - cnn_shuffled - (mlp - mlp_shuffled) > MEANINGFUL:
        return f"{figures}: neighbouring positions belong together in these data, and convolutions use that"
    return f"{figures}: no sign that neighbouring positions belong together; an MLP may do as well as convolutions"


def compare_plain(results: Sequence[BaselineResult]) -> str:
    """Say that no network is more accurate than the best baseline without one; "" if one is, or one of both is missing.

    Args:
        results: the best first.
    """
    plain = next((result for result in results if not result.num_parameters), None)
    network = next((result for result in results if result.num_parameters), None)
    if plain is None or network is None or network.accuracy > plain.accuracy:
        return ""
    return (
        f"no network is more accurate than {plain.recipe}, which needs none: {100 * plain.accuracy:.1f} %, "
        f"{network.recipe} {100 * network.accuracy:.1f} %; use it, or give more data"
    )
