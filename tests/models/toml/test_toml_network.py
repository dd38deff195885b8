"""A network from a TOML file of at most 20 lines, and errors that name the line."""

import pytest
import torch
from torch import nn
from torch.nn import functional

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
            "network.toml, line 5: se is 'all'; give a whole number from 1",
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
        *(
            (f"{HEAD}  {{{block}}},\n]", f"network.toml, line 4: {problem}")
            for block, problem in (
                ("conv = -3", "conv is -3; give a whole number from 1"),
                ("conv = 0", "conv is 0; give a whole number from 1"),
                ("conv = true", "conv is True; give a whole number from 1"),
                ("conv = 4.5", "conv is 4.5; give a whole number from 1"),
                ("conv = 4, size = 0", "conv size is 0; give a whole number from 1, or a list of 2"),
                ("conv = 4, size = [3]", "conv size is [3]; give a whole number from 1, or a list of 2"),
                ("conv = 4, size = [3, -1]", "conv size is [3, -1]; give a whole number from 1, or a list of 2"),
                ("conv = 4, stride = 0", "conv stride is 0; give a whole number from 1"),
                ("conv = 4, stride = '2'", "conv stride is '2'; give a whole number from 1"),
                ("conv = 4, padding = -1", 'conv padding is -1; give "same", "none" or pixels from 0'),
                ("conv = 4, padding = 'all'", 'conv padding is \'all\'; give "same", "none" or pixels from 0'),
                ("conv = 4, groups = 0", "conv groups is 0; give a whole number from 1"),
                ("conv = 4, dilation = 0", "conv dilation is 0; give a whole number from 1"),
                ("conv = 4, bias = 1", "conv bias is 1; give true or false"),
                ("conv = 4, border = 1", "conv border is 1; give a name in quotes"),
                ("conv = 4, border = 'egde'", "border: no egde; did you mean edge?"),
                ("conv = 4, repeat = 0", "conv repeat is 0; give a whole number from 1"),
                ("depthwise = 0", "depthwise is 0; give a whole number from 1"),
                ("transposed = -1", "transposed is -1; give a whole number from 1"),
                (
                    "transposed = 4, output_padding = 2",
                    "transposed has output_padding 2 and stride 2; make it less than the stride",
                ),
                (
                    "transposed = 4, padding = 3",
                    "transposed has padding 3, more than its output; make it 0 or less",
                ),
                ("upsample = 2", "upsample is 2; give a name in quotes"),
                ("upsample = 'nearst'", "upsample: no nearst; did you mean nearest?"),
                ("upsample = 'nearest', factor = 0", "upsample factor is 0; give a whole number from 1"),
                ("pool = 'max', size = 0", "pool size is 0; give a whole number from 1"),
                ("pool = 'max', stride = 0", "pool stride is 0; give a whole number from 1"),
                ("pool = 'max', padding = -1", "pool padding is -1; give a whole number from 0"),
                ("se = 0", "se is 0; give a whole number from 1"),
                ("dropout = '0.5'", "dropout is '0.5'; give the fraction to drop, at least 0 and below 1"),
                ("flatten = false", "flatten is False; give true, or remove the block"),
                ("gap = 1", "gap is 1; give true, or remove the block"),
                ("gap = true}, {linear = 'clases'", "linear is 'clases'; give a whole number from 1, or \"classes\""),
                ("gap = true}, {linear = 0", 'linear is 0; give a whole number from 1, or "classes"'),
                ("residual = []", "residual is []; give a list of blocks, such as [{conv = 16}]"),
                ("residual = [{conv = 8}], project = 1", "residual project is 1; give true or false"),
                (
                    "inception = [1, 2, 3, 4, 5, 0]",
                    "inception is [1, 2, 3, 4, 5, 0]; give six whole numbers from 1: "
                    "1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool",
                ),
            )
        ),
        (
            "input = [3, 0, 32]\n" + HEAD + "]",
            "network.toml: input is [3, 0, 32]; give channels and sides from 1, as in [3, 32, 32]",
        ),
        (
            "input = 32\n" + HEAD + "]",
            "network.toml: input is 32; give channels and sides from 1, as in [3, 32, 32]",
        ),
        ("classes = 0\n" + HEAD + "]", "network.toml: classes is 0; give a whole number from 1"),
        ("norm = 1\n" + HEAD + "]", "network.toml: norm is 1; give a name in quotes"),
    ],
)
def test_errors_name_the_line_the_shapes_and_the_remedy(text, message) -> None:
    with pytest.raises(ModelError) as caught:
        network_from_toml(10, channels=3, size=8, text=text)
    assert str(caught.value) == message


def build_blocks(blocks: str, side: int = 8, channels: int = 3) -> nn.Module:
    """Return a network of these blocks, followed by a head."""
    text = f'blocks = [{blocks}, {{gap = true}}, {{linear = "classes"}}]'
    return network_from_toml(2, channels=channels, size=side, text=text).eval()


@pytest.mark.parametrize("side", [7, 8])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("border", ["zeros", "edge", "reflect", "circular"])
def test_same_padding_keeps_the_size_for_even_kernels_too(size: int, side: int, border: str) -> None:
    model = build_blocks(f'{{conv = 4, size = {size}, border = "{border}"}}', side)
    assert model.features(torch.rand(1, 3, side, side))[-1].shape == (1, 4, side, side)
    strided = build_blocks(f'{{conv = 4, size = {size}, border = "{border}", stride = 2}}', side)
    assert strided.stem(torch.rand(1, 3, side, side)).shape == (1, 4, 4, 4)  # rounded up


def test_same_padding_of_an_even_kernel_adds_the_extra_pixel_at_the_end() -> None:
    """As TensorFlow does, and as PyTorch's own "same" does for zeros."""
    conv = build_blocks("{conv = 4, size = [2, 4]}").stem[0]
    x = torch.rand(2, 3, 8, 8)
    expected = functional.conv2d(functional.pad(x, (1, 2, 0, 1)), conv.conv.weight, conv.conv.bias)
    torch.testing.assert_close(conv(x), expected)


def test_even_kernels_appear_in_the_summary_with_their_receptive_field() -> None:
    summary = summarize(build_blocks("{conv = 4, size = 4}, {conv = 4, size = 2}"), (3, 8, 8))
    names = ["stem.conv1.pad", "stem.conv1.conv", "stages.0.conv2.pad", "stages.0.conv2.conv"]
    assert [layer.name for layer in summary.layers][:4] == names
    assert summary.layers[3].rf_size == (5, 5)
    assert summary.layers[3].output_shape == (4, 8, 8)


def test_a_depthwise_block_has_kernels_for_each_channel_by_itself() -> None:
    conv = build_blocks("{depthwise = 2, size = 3, bias = false}").stem[0]
    assert conv.weight.shape == (6, 1, 3, 3)
    x = torch.rand(1, 3, 8, 8)
    by_hand = [functional.conv2d(x[:, i // 2 : i // 2 + 1], conv.weight[i : i + 1], padding=1) for i in range(6)]
    torch.testing.assert_close(conv(x), torch.cat(by_hand, 1))


def test_a_dilated_block_keeps_the_size_and_widens_the_receptive_field() -> None:
    model = build_blocks("{conv = 4, size = 3, dilation = 2}")
    layer = summarize(model, (3, 8, 8)).layers[0]
    assert layer.output_shape == (4, 8, 8)
    assert layer.rf_size == (5, 5)


def test_a_transposed_block_upsamples_2x2_to_4x4() -> None:
    """Size 3, stride 2, padding 1, output padding 1: (2 - 1) x 2 - 2 + 3 + 1 = 4."""
    model = build_blocks("{transposed = 4, size = 3, stride = 2, padding = 1, output_padding = 1}", side=2)
    layer = summarize(model, (3, 2, 2)).layers[0]
    assert layer.output_shape == (4, 4, 4)
    assert layer.shape_formula == "(2 - 1)x2 - 2x1 + 3 + 1 = 4"
    assert layer.num_parameters == 3 * 3 * 3 * 4 + 4


def test_an_upsample_block_repeats_or_interpolates_without_parameters() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    nearest = build_blocks('{upsample = "nearest"}', side=2, channels=1).stem
    assert nearest(x)[0, 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    bilinear = build_blocks('{upsample = "bilinear", factor = 3}', side=2, channels=1).stem
    torch.testing.assert_close(bilinear(x), functional.interpolate(x, scale_factor=3, mode="bilinear"))
    assert not [*nearest.parameters(), *bilinear.parameters()]
    for rank in (1, 3):
        text = 'blocks = [{upsample = "bilinear"}, {gap = true}, {linear = "classes"}]'
        model = network_from_toml(2, channels=1, size=(4,) * rank, rank=rank, text=text)
        assert model.stem(torch.rand(1, 1, *(4,) * rank)).shape[2:] == (8,) * rank


def test_an_inception_block_concatenates_four_branches_of_the_same_size() -> None:
    model = build_blocks("{inception = [4, 2, 6, 2, 3, 5]}")
    assert model.stem(torch.rand(1, 3, 8, 8)).shape == (1, 4 + 6 + 3 + 5, 8, 8)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    file = tmp_path / "net.toml"
    file.write_bytes(b"blocks = [\xff]")
    with pytest.raises(ModelError) as caught:
        read_spec(file)
    assert str(caught.value) == f"{file}: not UTF-8 (invalid start byte at byte 10); save it as UTF-8"
