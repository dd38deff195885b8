"""A network as it ran on one image: its parts within parts, in order, with what each takes and gives."""

from dataclasses import dataclass

from torch import Tensor, nn

from convscope.explain.arithmetic.trace import Ran, traced


@dataclass(frozen=True, eq=False)
class Part:
    """A module that ran and gave one tensor.

    Attributes:
        name: its dotted path, as `record` takes it.
        module: itself.
        takes: shape of its first input without the batch, () where it took none that came from the image.
        gives: shape of its output without the batch.
        reads: names of the layers (or "input", or "@57") whose answers it took.
        parts: those inside it, in the order in which they began; empty for a single layer.
    """

    name: str
    module: nn.Module
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    reads: tuple[str, ...]
    parts: tuple["Part", ...]


@dataclass(frozen=True, eq=False)
class Landscape:
    """The outermost parts, and the name of the layer that gives the network's answer."""

    parts: tuple[Part, ...]
    output: str

    def names(self) -> tuple[str, ...]:
        """Every part's name, outermost first."""
        return tuple(_names(self.parts))


def landscape(model: nn.Module, x: Tensor) -> Landscape:
    """The parts of any network, from a pass of one image (1, C, H, W).

    A module that never runs itself, such as a list of stages, is passed over: its own parts stand in its place.

    >>> net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.ReLU(), nn.Flatten()))
    >>> seen = landscape(net, Tensor(1, 1, 5, 5).zero_())
    >>> [(part.name, part.gives, part.reads) for part in seen.parts], seen.output
    ([('0', (2, 3, 3), ('input',)), ('1', (18,), ('0',))], '1')
    """
    with traced(model, x) as trace:
        runs = {run.name: run for run in trace.runs}
        whole = runs.pop("", None)

        def part(run: Ran) -> Part:
            inside = [one for one in runs.values() if _parent(one.name, runs) == run.name]
            shape = trace.values[run.takes[0]].tensor.shape[1:] if run.takes else ()
            return Part(
                run.name, run.module, tuple(shape), tuple(trace.values[run.gives].tensor.shape[1:]),
                tuple(dict.fromkeys(trace.name_of(number) for number in run.takes)),
                tuple(part(one) for one in sorted(inside, key=lambda one: one.began)),
            )  # fmt: skip

        outermost = sorted((run for run in runs.values() if not _parent(run.name, runs)), key=lambda run: run.began)
        last = trace.name_of(whole.gives) if whole else (outermost[-1].name if outermost else "")
        return Landscape(tuple(part(run) for run in outermost), last)


def _parent(name: str, runs: dict[str, Ran]) -> str:
    """The nearest module around it that ran; "" where none did."""
    while "." in name:
        name = name.rpartition(".")[0]
        if name in runs:
            return name
    return ""


def _names(parts: tuple[Part, ...]) -> list[str]:
    return [name for part in parts for name in (part.name, *_names(part.parts))]
