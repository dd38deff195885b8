"""Summary of transfer learning: frozen tensors verified, time saved by cached features, effect of unfreezing."""

from collections.abc import Callable
from typing import Any

from convscope.durations import format_seconds


def transfer_summary(content: dict[str, Any], format_score: Callable[[float], str]) -> list[str]:
    """Summarise transfer learning in sentences: effect of unfreezing, frozen tensors, time saved by cached features.

    Args:
        content: contents of ``transfer.json``.
        format_score: formats a score for display.
    """
    return [
        *_head_fitted(content["stages"], format_score),
        *_unfreezing_effect(content, format_score),
        *_frozen_verified(content),
        *_time_saved(content["stages"]),
    ]


def _head_fitted(stages: list[dict[str, Any]], format_score: Callable[[float], str]) -> list[str]:
    fitted = [stage for stage in stages if stage["probe"] is not None]
    if not fitted:
        return []
    penalty, held_out = fitted[0]["penalty"], fitted[0]["held_out"]
    chosen = "without time to choose it" if held_out is None else "chosen by cross-validation"
    score = "" if held_out is None else f" ({format_score(held_out)})"
    return [f"last layer fitted to convergence on cached features, penalty {penalty:g} {chosen}{score}"]


def _unfreezing_effect(content: dict[str, Any], format_score: Callable[[float], str]) -> list[str]:
    frozen, last = content["frozen_score"], content["last_score"]
    if frozen is None or last is None:
        return []
    scores = f"{format_score(frozen)} before, {format_score(last)} after"
    if content["kept_epoch"] != content["frozen_epoch"]:
        return [f"unfreezing: validation score {scores}"]
    return [
        f"validation score fell after unfreezing ({scores}): epoch {content['frozen_epoch']}, "
        "with the encoder frozen, was selected"
    ]


def _frozen_verified(content: dict[str, Any]) -> list[str]:
    proof, stages = content["proof"], content["stages"]
    if proof["changed"]:
        return [f"expected to be frozen, but changed: {', '.join(proof['changed'][:3])}; please report this"]
    changed = [stage for stage in stages if stage["identical"] is False]
    if changed:
        epochs = f"{changed[0]['first']} to {changed[0]['last']}"
        return [f"expected to be frozen in epochs {epochs}, but changed; please report this"]
    unknown = [stage for stage in stages if stage["identical"] is None]
    if unknown:
        epochs = f"{unknown[0]['first']} to {unknown[0]['last']}"
        return [f"frozen in epochs {epochs}, but not verified: the comparison is missing"]
    if not proof["tensors"]:
        first = stages[0]
        sentence = f"frozen until epoch {first['last']}: {first['num_fixed']} tensors verified bit-for-bit"
        return [sentence] if first["num_fixed"] else []
    return [
        f"frozen throughout: {proof['tensors']} tensors with {proof['num_parameters']:,} parameters, including norm "
        f"statistics, verified bit-for-bit in the selected network (digest {proof['digest'][:12]})"
    ]


def _time_saved(stages: list[dict[str, Any]]) -> list[str]:
    cached = [stage for stage in stages if stage["views"]]
    seconds, saved = (sum(stage[name] for stage in cached) for name in ("seconds", "seconds_saved"))
    if not cached:
        return []
    images, epochs = (
        sum(stage["images"] for stage in cached),
        sum(stage["last"] + 1 - stage["first"] for stage in cached),
    )
    if not seconds:
        return [f"features of {images:,} views were cached by an earlier run; the frozen part was not computed"]
    if all(stage["probe"] is not None for stage in cached):  # no epochs would have recomputed them
        return [f"features of {images:,} views were computed once, in {format_seconds(seconds)}"]
    return [
        f"features of {images:,} views were computed once, in {format_seconds(seconds)}; recomputing them in each "
        f"of {epochs} epochs would have taken {format_seconds(saved)} more"
    ]
