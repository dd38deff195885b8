"""A network from a TOML file of at most 20 lines, and errors that name the line."""

import pytest
import torch

from convscope.errors import ModelError
from convscope.models import Architecture, build, resolve, summarize
from convscope.models.toml.toml_network import network_from_toml, read_spec

TWENTY = """name = "small but complete"
input = [3, 32, 32]
classes = 10
norm = "batch"
blocks = [
  {conv = 16, size = 5}, {norm = "batch"}, {act = "relu"},
  {pool = "max", size = 2},
  {residual = [{conv = 16}, {norm = "batch"}, {act = "relu"}, {conv = 16}, {se = 4}], repeat = 2},
  {residual = [{conv = 32, stride = 2}, {act = "relu"}, {conv = 32}], project = true},
  {inception = [16, 16, 24, 4, 8, 8]},
  {blocks = [{conv = 32, size = [3, 1]}, {conv = 32, size = [1, 3]}, {act = "leaky:0.1"}], repeat = 2},
  {pool = "blur"},
  {dropout = 0.2},
  {flatten = true},
  {linear = 64}, {act = "relu"},
  {linear = "classes"},
]
"""


def test_twenty_lines_define_a_network() -> None:
    assert len(TWENTY.splitlines()) <= 20
    model = network_from_toml(10, channels=3, size=32, text=TWENTY).eval()
    x = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert model(x).shape == (2, 10)
        assert torch.equal(model(x), model.head(model.features(x)[-1]))
        assert [tuple(one.shape[1:]) for one in model.features(x)] == [(16, 16, 16), (32, 8, 8), (32, 4, 4)]
    assert list(dict(model.stages.named_children())["0"]._modules) == ["pool1", "residual1", "residual2"]
    assert summarize(model, (3, 32, 32)).other_parameters == 0


def test_a_file_can_set_input_and_classes(tmp_path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(TWENTY, encoding="utf-8")
    assert read_spec(path)(torch.rand(1, 3, 32, 32)).shape == (1, 10)
    architecture = resolve(str(path), 7, 1, (24, 24))
    assert architecture.name == "assembled"
    again = Architecture.model_validate_json(architecture.model_dump_json())
    path.unlink()
    assert build(again)(torch.rand(1, 1, 24, 24)).shape == (1, 7)


def test_blocks_in_one_and_three_dimensions() -> None:
    text = 'blocks = [{conv = 4}, {act = "relu"}, {pool = "average"}, {conv = 4}, {gap = true}, {linear = "classes"}]'
    for rank, size in ((1, (40,)), (3, (8, 8, 8))):
        model = network_from_toml(3, channels=2, size=size, rank=rank, text=text)
        assert model(torch.rand(2, 2, *size)).shape == (2, 3)
        assert model.input_spec.size is None


def test_blocks_can_be_array_tables() -> None:
    text = "[[blocks]]\nconv = 4\n[[blocks]]\npool = 'max'\n[[blocks]]\ngap = true\n[[blocks]]\nlinear = 3\n"
    assert network_from_toml(3, channels=1, size=8, text=text)(torch.rand(1, 1, 8, 8)).shape == (1, 3)
    with pytest.raises(ModelError) as caught:
        network_from_toml(3, channels=1, size=8, text=text.replace("pool = 'max'", "pol = 'max'"))
    assert str(caught.value) == "network.toml, line 3: no block pol; did you mean pool?"


HEAD = "blocks = [\n  {conv = 8},\n  {pool = 'max', size = 4},\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + "  {linear = 10},\n]",
            "network.toml, line 4: linear needs a vector and its input is maps of 8x2x2; "
            "put {flatten = true} (32 numbers) or {gap = true} (8) before it",
        ),
        (
            HEAD + "  # {a comment with a brace\n  {conv = 8, size = 5, padding = 0},\n]",
            "network.toml, line 5: conv of 5x5 does not fit maps of 8x2x2; "
            "make its size 2 or less, or remove a pool or stride before it",
        ),
        (
            HEAD + "  {pool = 'max', size = 3},\n]",
            "network.toml, line 4: pool of 3x3 does not fit maps of 8x2x2; "
            "make its size 2 or less, or remove a pool or stride before it",
        ),
        (
            HEAD + "  {residual = [{conv = 8},\n    {conv = 16}]},\n]",
            "network.toml, line 4: residual adds 16x2x2 to 8x2x2; "
            "end its blocks with 8 maps and stride 1, or set project = true",
        ),
        (
            HEAD + "  {residual = [{conv = 8},\n    {cnov = 16}], repeat = 2},\n]",
            "network.toml, line 5: no block cnov; did you mean conv?",
        ),
        (
            HEAD + "  {residual = [{act = 'relu'}, {conv = 8}], repeat = 3},\n  {se = 'all'},\n]",
            "network.toml, line 5: se is 'all'; "
            "``{se = 16}``: a squeeze-and-excitation gate; the number is its reduction ratio.",
        ),
        (
            HEAD + "  {flatten = true}, {conv = 4},\n]",
            "network.toml, line 4: conv needs feature maps and its input is a vector of 32; "
            "move it before flatten or gap",
        ),
        (HEAD + "  {conv = 4, sise = 3},\n]", "network.toml, line 4: conv has no setting sise; did you mean size?"),
        (HEAD + "  {act = 'rleu'},\n]", "network.toml, line 4: act: no rleu; did you mean relu?"),
        (
            HEAD + "  {conv = 4, pool = 'max'},\n]",
            "network.toml, line 4: conv and pool in one block; write separate blocks",
        ),
        (
            HEAD + "  {conv = 9, groups = 2},\n]",
            "network.toml, line 4: conv has 2 groups, 8 maps in and 9 out; choose groups that divide both",
        ),
        (
            HEAD + "  {inception = [1, 2]},\n]",
            "network.toml, line 4: inception has 2 widths; give six: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool",
        ),
        (
            HEAD + "  {dropout = 1.5},\n]",
            "network.toml, line 4: dropout is 1.5; give the fraction to drop, at least 0 and below 1",
        ),
        (
            HEAD + "  {gap = true},\n  {linear = 4},\n]",
            'network.toml, line 5: the output has shape 4 and there are 10 classes; end with {linear = "classes"}',
        ),
        (
            "block = []",
            "network.toml: no setting block; did you mean blocks?",
        ),
        (
            "blocks = []",
            'network.toml: it has no blocks; write blocks = [{conv = 16}, {gap = true}, {linear = "classes"}]',
        ),
        (
            "blocks = [1]",
            'network.toml: 1 is not a block; write {conv = 64} or {pool = "max"}',
        ),
        (
            "blocks = [\n  {conv 8},\n]",
            "network.toml: not TOML: Expected '=' after a key in a key/value pair (at line 2, column 9)",
        ),
    ],
)
def test_errors_name_the_line_the_shapes_and_the_remedy(text, message) -> None:
    with pytest.raises(ModelError) as caught:
        network_from_toml(10, channels=3, size=8, text=text)
    assert str(caught.value) == message
