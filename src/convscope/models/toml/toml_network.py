"""Builds a network from a TOML file with a list of blocks; errors name the line."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from torch import nn

from convscope.errors import ModelError, did_you_mean
from convscope.models.components import ACTIVATIONS, NORMS, resolve_component
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import LayerFactory, shape_text
from convscope.models.network import Network
from convscope.models.shape_inference import run_on_meta
from convscope.models.size_limit import limited_size
from convscope.models.toml import checks
from convscope.models.toml.blocks import BLOCKS, BlockContext, BlockError, Shape

MAX_BLOCKS = 10_000
MAX_DEPTH = 100
TOP_LEVEL_KEYS = {"name", "input", "classes", "activation", "norm", "blocks"}
TOP_LEVEL_CHECKS = {"name": checks.word, "classes": checks.count, "activation": checks.word, "norm": checks.word}


@dataclass(frozen=True)
class BuiltLayer:
    """One layer of the file, with its line and its input and output shapes."""

    name: str
    block_type: str
    line: int
    layer: nn.Module
    input_shape: Shape
    output_shape: Shape


def lines_of_blocks(text: str) -> Iterator[int]:
    r"""Yield the line of each opening ``{`` and ``[[``, in order, outside strings and comments.

    >>> list(lines_of_blocks('a = [\n {b = "{"}, # {\n {c = [{d = 1}]}]'))
    [2, 3, 3]
    """
    line, quote, at = 1, "", 0
    while at < len(text):
        character = text[at]
        if character == "\n":
            line += 1
            quote = quote if len(quote) == 3 else ""
        elif quote:
            if character == "\\" and quote[0] == '"':
                at += 1
            elif text.startswith(quote, at):
                at += len(quote) - 1
                quote = ""
        elif character == "#":
            at = (text.find("\n", at) if "\n" in text[at:] else len(text)) - 1
        elif character in "\"'":
            quote = character * 3 if text.startswith(character * 3, at) else character
            at += len(quote) - 1
        elif character == "{" or (text.startswith("[[", at) and not text[text.rfind("\n", 0, at) + 1 : at].strip()):
            yield line
        at += 1


class TomlReader:
    """Builds the blocks of one file in order; every error names the line."""

    def __init__(self, source: str, classes: int, layer: LayerFactory) -> None:
        self.source = source
        self.context = BlockContext(layer, classes, self.sequence)
        self.inside: Iterator[int] = iter(())  # lines of the blocks nested in the current one

    def error(self, line: int, problem: str) -> ModelError:
        """Return an error with file and line."""
        return ModelError(f"{self.source}, line {line}: {problem}")

    def sequence(self, blocks: list[dict[str, Any]], shape: Shape) -> tuple[nn.Sequential, Shape]:
        """Return a list of blocks as one layer, and its output shape."""
        layer_built = list(self.build_blocks(blocks, shape, self.inside))
        return join_layers(layer_built), layer_built[-1].output_shape if layer_built else shape

    def build_blocks(self, blocks: list[dict[str, Any]], shape: Shape, lines: Iterator[int]) -> Iterator[BuiltLayer]:
        """Yield the layers of a list of blocks, with repetitions; `lines` are the lines of all its tables."""
        counts: dict[str, int] = {}
        for block in blocks:
            if not isinstance(block, dict):
                raise ModelError(f'{self.source}: {block!r} is not a block; write {{conv = 64}} or {{pool = "max"}}')
            line = next(lines)
            inside = [next(lines) for _ in range(tables_inside(block))]
            kind = self.block_type_of(block, line, self.context.layer.rank)
            for _ in range(block.get("repeat", 1)):
                self.inside = iter(inside)
                counts[kind] = counts.get(kind, 0) + 1
                layer_built = self.build_block(f"{kind}{counts[kind]}", kind, block, line, shape)
                yield layer_built
                shape = layer_built.output_shape

    def block_type_of(self, block: dict[str, Any], line: int, rank: int) -> str:
        """Return the type of a block after checking its settings."""
        types_found = [key for key in block if key in BLOCKS]
        if len(types_found) != 1:
            first = next(iter(block), "an empty block")
            known = did_you_mean(first, BLOCKS) if not types_found else "; write separate blocks"
            raise self.error(
                line,
                f"no block {first}{known}" if not types_found else f"{' and '.join(types_found)} in one block{known}",
            )
        kind = types_found[0]
        settings = BLOCKS[kind].settings | {"repeat": checks.count}
        for key, value in block.items():
            if key != kind and key not in settings:
                raise self.error(line, f"{kind} has no setting {key}{did_you_mean(key, settings)}")
            remedy = BLOCKS[kind].check(value, rank) if key == kind else settings[key](value, rank)
            if remedy:
                raise self.error(line, f"{kind if key == kind else f'{kind} {key}'} is {value!r}; {remedy}")
        return kind

    def build_block(self, name: str, kind: str, block: dict[str, Any], line: int, shape: Shape) -> BuiltLayer:
        """Return one layer with its output shape."""
        try:
            layer = BLOCKS[kind].make(shape, block, self.context)
        except BlockError as error:
            raise self.error(line, str(error)) from None
        except (RuntimeError, OverflowError) as error:
            why = " ".join(str(error).split())[:200]
            raise self.error(line, f"{kind} cannot be built ({why}); make its numbers smaller") from None
        except ModelError as error:
            raise error if str(error).startswith(self.source) else self.error(line, str(error)) from None
        try:
            output_shape = tuple(run_on_meta(layer, layer, (1, *shape)).shape[1:])
        except (RuntimeError, ValueError) as error:
            problem = f"{kind} cannot process {shape_text(shape)} ({str(error).splitlines()[0]})"
            raise self.error(line, f"{problem}; change its size, stride or padding") from None
        return BuiltLayer(name, kind, line, layer, shape, output_shape)


def num_blocks(blocks: Any) -> int:
    """Return how many blocks a list stands for, with repetitions; what is no block counts as one.

    >>> num_blocks([{"conv": 8, "repeat": 3}, {"repeat": 2, "blocks": [{"act": "relu"}, {"conv": 8, "repeat": 5}]}])
    17
    """
    return sum(_with_repetitions(block) for block in blocks) if isinstance(blocks, list) else 0


def _with_repetitions(block: Any) -> int:
    if not isinstance(block, dict):
        return 1
    repeat = block.get("repeat", 1)
    inside = num_blocks(block.get("residual", block.get("blocks")))
    return (repeat if checks.is_whole(repeat) else 1) * (1 + inside)


def tables_inside(block: Any) -> int:
    """Return how many blocks are nested in a block, at any depth."""
    inside = block.get("residual", block.get("blocks", [])) if isinstance(block, dict) else []
    return sum(1 + tables_inside(inner) for inner in inside) if isinstance(inside, list) else 0


def network_from_toml(
    classes: int = 10, *, channels: int = 3, size: Size = 32, rank: int = 2, text: str = "",
    source: str = "network.toml",
) -> Network:  # fmt: skip
    """Return the network defined by a TOML text.

    The text has ``blocks``, a list of tables; optionally ``activation`` and ``norm`` for inception blocks, and
    ``input`` ([C, H, W]) and ``classes`` for inspection without data. The stem ends at the first reduction of the
    resolution; each further reduction starts a stage; the head starts where maps become a vector.

    Raises:
        ModelError: the text is invalid; the message names the line, the shapes and the remedy.
    """
    document = parse(text, source)
    count = num_blocks(document["blocks"])
    if count > MAX_BLOCKS:
        raise ModelError(f"{source}: {count:,} blocks with their repetitions; the most are {MAX_BLOCKS:,}")
    input_spec = InputSpec.checked("assembled", channels, rank, size)
    if input_spec.size is None:
        raise ModelError(f"{source}: no image size is given; write input = [3, 32, 32] or give size=(H, W)")
    activation = resolve_component(ACTIVATIONS, document.get("activation", "relu"), f"{source}: activation")
    layer = LayerFactory(rank, activation, resolve_component(NORMS, document.get("norm", "none"), f"{source}: norm"))
    reader = TomlReader(source, classes, layer)
    with limited_size(source):
        parts = list(reader.build_blocks(document["blocks"], (channels, *input_spec.size), lines_of_blocks(text)))
    last = parts[-1]
    if last.output_shape != (classes,):
        problem = f"the output has shape {shape_text(last.output_shape)} and there are {classes} classes"
        raise reader.error(last.line, f'{problem}; end with {{linear = "classes"}}')
    split = next(number for number, part in enumerate(parts) if len(part.output_shape) == 1)
    fixed = any(part.block_type == "flatten" for part in parts)
    stem, stages = split_stages(parts[:split])
    return Network(
        "assembled", input_spec if fixed else InputSpec(channels, rank), stem, stages, join_layers(parts[split:])
    )


def split_stages(parts: list[BuiltLayer]) -> tuple[nn.Sequential, list[nn.Sequential]]:
    """Return stem and stages; every layer that reduces the resolution starts a new stage."""
    groups: list[list[BuiltLayer]] = [[]]
    for part in parts:
        if part.output_shape[1:] != part.input_shape[1:] and (groups[-1] or len(groups) > 1):
            groups.append([])
        groups[-1].append(part)
    if len(groups) == 1:
        groups = [groups[0][:1], groups[0][1:]]
    stem, *stages = (join_layers(group) for group in groups)
    return stem, stages


def join_layers(parts: list[BuiltLayer]) -> nn.Sequential:
    """Return the layers as a sequential container with their names."""
    layers = nn.Sequential()
    for part in parts:
        layers.add_module(part.name, part.layer)
    return layers


def parse(text: str, source: str) -> dict[str, Any]:
    """Return the parsed file after checking its top-level keys.

    Raises:
        ModelError: the text is not TOML, has an unknown key or no blocks.
    """
    levels = accumulate({"{": 1, "[": 1, "}": -1, "]": -1}.get(mark, 0) for mark in text)
    if (deep := max(levels, default=0)) > MAX_DEPTH:
        raise ModelError(f"{source}: its blocks are nested {deep:,} deep; the most are {MAX_DEPTH}")
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of numbers that have thousands of digits
        raise ModelError(f"{source}: not TOML: {error}") from None
    for key in document:
        if key not in TOP_LEVEL_KEYS:
            raise ModelError(f"{source}: no setting {key}{did_you_mean(key, TOP_LEVEL_KEYS)}")
    sides = document.get("input", [3, 32, 32])
    if not (isinstance(sides, list) and 2 <= len(sides) <= 4 and all(map(checks.is_whole, sides))):
        raise ModelError(f"{source}: input is {sides!r}; give channels and sides from 1, as in [3, 32, 32]")
    for key, check in TOP_LEVEL_CHECKS.items():
        if key in document and (remedy := check(document[key], 0)):
            raise ModelError(f"{source}: {key} is {document[key]!r}; {remedy}")
    blocks = document.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        raise ModelError(
            f'{source}: it has no blocks; write blocks = [{{conv = 16}}, {{gap = true}}, {{linear = "classes"}}]'
        )
    return document


def read_spec(path: Path) -> Network:
    """Return the network of a TOML file with its own ``input`` and ``classes``.

    Raises:
        ModelError: see `network_from_toml`.
    """
    text = read_text(path)
    document = parse(text, path.name)
    channels, *sides = document.get("input", (3, 32, 32))
    return network_from_toml(
        document.get("classes", 10), channels=channels, size=tuple(sides), rank=len(sides), text=text, source=path.name
    )


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        ModelError: the file does not exist or is no text.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file; give a TOML file with blocks")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from None
