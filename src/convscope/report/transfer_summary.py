"""What came of a plan, in words: what stood still, what keeping features saved, whether unfreezing did harm."""

from collections.abc import Callable
from typing import Any

from convscope.durations import format_seconds


def transfer_summary(content: dict[str, Any], format_score: Callable[[float], str]) -> list[str]:
    """What came of the plan, in words: the proof, what keeping features saved, and whether unfreezing did harm.

    Args:
        content: of ``transfer.json``.
        format_score: the score for people.
    """
    return [*_unfreezing_effect(content, format_score), *_frozen_verified(content), *_time_saved(content["stages"])]


def _unfreezing_effect(content: dict[str, Any], format_score: Callable[[float], str]) -> list[str]:
    frozen, last = content["frozen_score"], content["last_score"]
    if frozen is None or last is None:
        return []
    scores = f"{format_score(frozen)} before, {format_score(last)} after"
    if content["kept_epoch"] != content["frozen_epoch"]:
        return [f"unfreezing: validation {scores}"]
    return [
        f"validation fell after unfreezing ({scores}): the network of epoch {content['frozen_epoch']}, "
        "with its encoder still frozen, is the answer"
    ]


def _frozen_verified(content: dict[str, Any]) -> list[str]:
    proof, stages = content["proof"], content["stages"]
    if proof["changed"]:
        return [f"NOT frozen, though it should have been: {', '.join(proof['changed'][:3])}; please report this"]
    moved = [stage for stage in stages if stage["identical"] is False]
    if moved:
        epochs = f"{moved[0]['first']} to {moved[0]['last']}"
        return [f"NOT frozen in epochs {epochs}, though it should have been; please report this"]
    if not proof["tensors"]:
        first = stages[0]
        format_score = f"frozen until epoch {first['last']}: {first['still']} tensors, compared, are equal to the bit"
        return [format_score] if first["still"] else []
    return [
        f"frozen to the end: {proof['tensors']} tensors with {proof['num_parameters']:,} weights, norms' statistics "
        f"included, "
        f"are equal to the bit in the network that is kept (digest {proof['digest'][:12]})"
    ]


def _time_saved(stages: list[dict[str, Any]]) -> list[str]:
    kept = [stage for stage in stages if stage["views"]]
    seconds, saved = (sum(stage[name] for stage in kept) for name in ("seconds", "seconds_saved"))
    if not kept:
        return []
    images, epochs = sum(stage["images"] for stage in kept), sum(stage["last"] + 1 - stage["first"] for stage in kept)
    if not seconds:
        return [f"features of {images:,} views were kept by an earlier run: the frozen part was not computed at all"]
    return [
        f"features of {images:,} views were computed once, in {format_seconds(seconds)}; computing them anew in each "
        f"of {epochs} "
        f"epochs would have taken {format_seconds(saved)} more"
    ]
