"""A network as it ran on one image: its parts within parts, in order, with what each takes and gives."""

from dataclasses import dataclass

from torch import Tensor, nn

from convscope.explain.arithmetic.trace import ModuleRun, trace_pass


@dataclass(frozen=True, eq=False)
class ModuleNode:
    """A module that ran and gave one tensor.

    Attributes:
        name: its dotted path, as `record` takes it.
        module: itself.
        takes: shape of its first input without the batch, () where it took none that came from the image.
        output_shape: shape of its output without the batch.
        inputs: names of the layers (or "input", or "@57") whose answers it took.
        parts: those inside it, in the order in which they began; empty for a single layer.
    """

    name: str
    module: nn.Module
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    inputs: tuple[str, ...]
    parts: tuple["ModuleNode", ...]


@dataclass(frozen=True, eq=False)
class ModuleTree:
    """The outermost parts, and the name of the layer that gives the network's answer."""

    parts: tuple[ModuleNode, ...]
    output: str

    def names(self) -> tuple[str, ...]:
        """Every part's name, outermost first."""
        return tuple(_names(self.parts))


def module_tree(model: nn.Module, x: Tensor) -> ModuleTree:
    """The parts of any network, from a pass of one image (1, C, H, W).

    A module that never runs itself, such as a list of stages, is passed over: its own parts stand in its place.

    >>> net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.ReLU(), nn.Flatten()))
    >>> seen = module_tree(net, Tensor(1, 1, 5, 5).zero_())
    >>> [(part.name, part.gives, part.inputs) for part in seen.parts], seen.output
    ([('0', (2, 3, 3), ('input',)), ('1', (18,), ('0',))], '1')
    """
    with trace_pass(model, x) as trace:
        runs = {run.name: run for run in trace.runs}
        whole = runs.pop("", None)

        def part(run: ModuleRun) -> ModuleNode:
            inside = [one for one in runs.values() if _parent(one.name, runs) == run.name]
            shape = trace.values[run.inputs[0]].tensor.shape[1:] if run.inputs else ()
            return ModuleNode(
                run.name, run.module, tuple(shape), tuple(trace.values[run.output].tensor.shape[1:]),
                tuple(dict.fromkeys(trace.name_of(number) for number in run.inputs)),
                tuple(part(one) for one in sorted(inside, key=lambda one: one.first_value)),
            )  # fmt: skip

        outermost = sorted(
            (run for run in runs.values() if not _parent(run.name, runs)), key=lambda run: run.first_value
        )
        last = trace.name_of(whole.output) if whole else (outermost[-1].name if outermost else "")
        return ModuleTree(tuple(part(run) for run in outermost), last)


def _parent(name: str, runs: dict[str, ModuleRun]) -> str:
    """The nearest module around it that ran; "" where none did."""
    while "." in name:
        name = name.rpartition(".")[0]
        if name in runs:
            return name
    return ""


def _names(parts: tuple[ModuleNode, ...]) -> list[str]:
    return [name for part in parts for name in (part.name, *_names(part.parts))]
