"""A network in words, such as ``conv 8, relu, pool, gap, linear 10``, and what it must meet."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from convscope.errors import ModelError
from convscope.lessons.number_text import LONGEST, UnreadableAnswerError
from convscope.printable import printable

_WORDS = {
    "relu": 'act = "relu"',
    "tanh": 'act = "tanh"',
    "norm": 'norm = "batch"',
    "gap": "gap = true",
    "flatten": "flatten = true",
}
_SETTINGS = ("size", "stride", "padding")
_PATTERN = re.compile(r"([a-z]+)((?:\s+[a-z]*\s*\d+(?:\s*x\s*\d+)?)*)")
_HELP = "write layers such as conv 8 size 3 stride 1, relu, pool, flatten, gap, linear 10, with commas between them"
MOST_PARAMETERS = 20_000_000  # of a network that is really built
MOST_LAYERS = 100


@dataclass(frozen=True)
class BuiltNetwork:
    """A network that was built from words, and its figures.

    Attributes:
        text: the words in one form.
        parameters: their number.
        macs: multiplications of one image.
        maps: (C, H, W) of the last maps.
        field: side of their receptive field in pixels.
        convolutions: how many it has.
        outputs: how many numbers came out when it was run on one image.
    """

    text: str
    parameters: int
    macs: int
    maps: tuple[int, ...]
    field: int
    convolutions: int
    outputs: int


@dataclass(frozen=True)
class NetworkAnswer:
    """A network that meets requirements; the answer is right if it was built, run, and meets all.

    Attributes:
        shape: (C, H, W) of the images.
        classes: how many outputs.
        example: one that meets them.
        parameters: the most that it may have.
        macs: the most multiplications of one image.
        maps: the shape that the last maps must have.
        field: the least side of the receptive field of the last maps.
        convolutions: the fewest that it may have.
    """

    shape: tuple[int, int, int]
    classes: int
    example: str
    parameters: int | None = None
    macs: int | None = None
    maps: tuple[int, ...] | None = None
    field: int | None = None
    convolutions: int = 1

    def read(self, text: str) -> BuiltNetwork:
        """Build the network and run it on one image.

        Raises:
            UnreadableAnswerError: it cannot be built; the text names the layer and the shapes.
        """
        parts = list(_layers(text))
        words = ", ".join(part for part, _ in parts)
        blocks = "\n".join(f"  {{{block}}}," for _, block in parts)
        try:
            return _built(words, f"blocks = [\n{blocks}\n]\n", self.shape, self.classes)
        except ModelError as error:
            raise UnreadableAnswerError(_in_words(str(error), [part for part, _ in parts], self.classes)) from None

    def accepts(self, value: BuiltNetwork) -> bool:
        """Whether it meets all requirements."""
        return not self.remark(value)

    def remark(self, value: BuiltNetwork) -> str:
        """Name the first requirement that it does not meet, with its figure."""
        if value.convolutions < self.convolutions:
            return f"It has {value.convolutions} convolutions; at least {self.convolutions} are required."
        if self.maps is not None and value.maps != self.maps:
            return f"Its last maps are {_shape(value.maps)}; {_shape(self.maps)} are required."
        if self.field is not None and value.field < self.field:
            return f"An output of its last maps sees {value.field} pixels; at least {self.field} are required."
        if self.parameters is not None and value.parameters > self.parameters:
            return f"It has {value.parameters:,} parameters; the most are {self.parameters:,}."
        if self.macs is not None and value.macs > self.macs:
            return f"It takes {value.macs:,} multiplications; the most are {self.macs:,}."
        return ""

    def form(self) -> str:
        """Explain the words."""
        return (
            f"A list of layers: {_HELP[len('write layers such as ') :]}. Convolutions keep the side unless padding says"
            " otherwise."
        )

    def text(self) -> str:
        """Return the example."""
        return self.example


def _layers(text: str) -> Iterator[tuple[str, str]]:
    """Yield each layer as words and as a TOML block."""
    if len(text) > LONGEST:
        raise UnreadableAnswerError(f"{len(text):,} characters; an answer has at most {LONGEST:,}")
    parts = [part.strip().lower() for part in re.split(r"[,;>\n]|->", text) if part.strip()]
    if not parts or len(parts) > MOST_LAYERS:
        raise UnreadableAnswerError(f"{len(parts)} layers; {_HELP}")
    for part in parts:
        match = _PATTERN.fullmatch(part)
        name, numbers = (match[1], re.findall(r"([a-z]*)\s*(\d+)(?:\s*x\s*\d+)?", match[2])) if match else ("", [])
        block = _block(name, [(key if key != "x" else "", int(value[:9])) for key, value in numbers])
        if block is None:
            raise UnreadableAnswerError(f"{printable(part[:40])}: not a layer; {_HELP}")
        yield part, block


def _block(name: str, numbers: list[tuple[str, int]]) -> str | None:
    first = numbers[0][1] if numbers and not numbers[0][0] else None
    settings = numbers[1:] if first is not None else numbers
    if any(key not in _SETTINGS for key, _ in settings) or len({key for key, _ in settings}) < len(settings):
        return None
    extra = "".join(f", {key} = {value}" for key, value in settings)
    if name == "conv" and first is not None:
        return f"conv = {first}{extra}"
    if name in ("pool", "maxpool", "avgpool"):
        size = f", size = {first}" if first is not None else ""
        return f'pool = "{"average" if name == "avgpool" else "max"}"{size}{extra}'
    if name == "linear" and first is not None and not settings:
        return f"linear = {first}"
    return _WORDS.get(name) if not numbers else None


def _built(words: str, toml: str, shape: tuple[int, int, int], classes: int) -> BuiltNetwork:
    import torch

    from convscope.models import summarize
    from convscope.models.toml.toml_network import network_from_toml
    from convscope.modules import eval_mode

    def build() -> torch.nn.Module:
        return network_from_toml(classes, channels=shape[0], size=shape[1:], text=toml, source="your network")

    with torch.device("meta"):
        summary = summarize(build(), shape)
    if summary.num_parameters > MOST_PARAMETERS:
        raise UnreadableAnswerError(f"{summary.num_parameters:,} parameters; at most {MOST_PARAMETERS:,} are built")
    network = build()
    with torch.no_grad(), eval_mode(network):
        outputs = network(torch.rand(1, *shape))
    maps = [one for one in summary.layers if len(one.output_shape) == 3 and max(one.rf_stride) > 0]
    last = maps[-1] if maps else summary.layers[-1]
    convolutions = len(re.findall(r"\bconv\b", words))
    figures = summary.num_parameters, summary.macs, last.output_shape, max(last.rf_size)
    return BuiltNetwork(words, *figures, convolutions, outputs.shape[1])


def _in_words(message: str, parts: list[str], classes: int) -> str:
    """Replace the line of the hidden file by the layer, and its blocks by words."""
    words = re.sub(r"\{(\w+) = true\}", r"\1", message).replace('{linear = "classes"}', f"linear {classes}")
    match = re.match(r"your network, line (\d+): (.*)", words, re.DOTALL)
    if not match:
        return words
    number = int(match[1]) - 1
    return f"layer {number} ({parts[number - 1]}): {match[2]}"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
