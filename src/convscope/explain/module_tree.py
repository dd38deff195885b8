"""Module hierarchy of a network as executed on one image: nested modules in execution order, with shapes."""

from dataclasses import dataclass

from torch import Tensor, nn

from convscope.explain.arithmetic.trace import ModuleRun, trace_pass


@dataclass(frozen=True, eq=False)
class ModuleNode:
    """An executed module that returned one tensor.

    Attributes:
        name: its dotted path, as in `model.named_modules()`.
        module: the module.
        input_shape: shape of its first input without the batch; () if no input depends on the image.
        output_shape: shape of its output without the batch.
        inputs: names of the layers (or "input", or "@57") whose outputs it receives.
        parts: the modules inside it in execution order; empty for a single layer.
    """

    name: str
    module: nn.Module
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    inputs: tuple[str, ...]
    parts: tuple["ModuleNode", ...]


@dataclass(frozen=True, eq=False)
class ModuleTree:
    """The outermost modules, and the name of the layer that produces the network's output."""

    parts: tuple[ModuleNode, ...]
    output: str

    def names(self) -> tuple[str, ...]:
        """Return the name of every module, outer modules before the modules inside them."""
        return tuple(_names(self.parts))


def module_tree(model: nn.Module, x: Tensor) -> ModuleTree:
    """Return the executed modules of any network, from a forward pass of one image (1, C, H, W).

    A module that is never called itself, such as a list of stages, is replaced by the modules inside it.

    >>> net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.ReLU(), nn.Flatten()))
    >>> tree = module_tree(net, Tensor(1, 1, 5, 5).zero_())
    >>> [(part.name, part.output_shape, part.inputs) for part in tree.parts], tree.output
    ([('0', (2, 3, 3), ('input',)), ('1', (18,), ('0',))], '1')
    """
    with trace_pass(model, x) as trace:
        runs = {run.name: run for run in trace.runs}
        root = runs.pop("", None)

        def node(run: ModuleRun) -> ModuleNode:
            children = [child for child in runs.values() if _parent(child.name, runs) == run.name]
            shape = trace.values[run.inputs[0]].tensor.shape[1:] if run.inputs else ()
            return ModuleNode(
                run.name, run.module, tuple(shape), tuple(trace.values[run.output].tensor.shape[1:]),
                tuple(dict.fromkeys(trace.name_of(number) for number in run.inputs)),
                tuple(node(child) for child in sorted(children, key=lambda child: child.first_value)),
            )  # fmt: skip

        outermost = sorted(
            (run for run in runs.values() if not _parent(run.name, runs)), key=lambda run: run.first_value
        )
        last = trace.name_of(root.output) if root else (outermost[-1].name if outermost else "")
        return ModuleTree(tuple(node(run) for run in outermost), last)


def _parent(name: str, runs: dict[str, ModuleRun]) -> str:
    """Return the nearest enclosing module that was executed, or ""."""
    while "." in name:
        name = name.rpartition(".")[0]
        if name in runs:
            return name
    return ""


def _names(parts: tuple[ModuleNode, ...]) -> list[str]:
    return [name for part in parts for name in (part.name, *_names(part.parts))]
