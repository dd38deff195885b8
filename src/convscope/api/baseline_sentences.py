"""What a comparison of recipes shows, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP_HEAD, DENSE_HEAD = "gap-head", "dense-head"
"""The default network from scratch with global average pooling, or with a fully connected layer of 256 units."""


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
    """Return the comparisons of recipes of which both were trained."""
    by_name = {result.recipe: result for result in results}
    return [line for line in (compare_pretrained(by_name), compare_heads(by_name)) if line]


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
