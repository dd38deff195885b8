"""The stage of a network whose maps are drawn over series and volumes."""

from convscope.analysis.images import ImageSet
from convscope.analysis.target import AnalysisTarget
from convscope.errors import ConfigError
from convscope.explainers import record


def deepest_stage(target: AnalysisTarget, inputs: ImageSet, fewest: int, where: str) -> str:
    """The last stage with at least `fewest` positions on each side; the first stage with maps if there is none.

    Args:
        target: the network.
        inputs: at least one.
        fewest: positions on each side.
        where: what the maps are over, for the message.

    Raises:
        ConfigError: no stage has maps.
    """
    x = target.input(inputs, slice(1))
    names = [name for name, _ in target.model.named_modules() if name == "stem" or name.rpartition(".")[0] == "stages"]
    with record(target.model, *names) as kept:
        target.model(x)
        sides: list[tuple[str, int]] = [
            (name, min(kept[name].shape[2:])) for name in names if kept[name].ndim == x.ndim
        ]
    if not sides:
        raise ConfigError(f"{target.name}: no stage has maps {where}; name a layer with --layers")
    return next((name for name, side in reversed(sides) if side >= fewest), sides[0][0])
