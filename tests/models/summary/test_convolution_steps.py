"""Convolution calculations against hand-worked numbers and PyTorch."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from convscope.errors import ModelError
from convscope.models.components import PADDINGS
from convscope.models.summary import convolution_steps as sums
from convscope.models.summary.formulas import (
    checkerboard,
    convolution_parameters,
    output_side,
    output_side_formula,
    parameters_formula,
    shape_formula,
    transposed_side,
    weight_sharing,
)
from convscope.models.summary.receptive_field import PIXELS, transposed, window

SEVEN = [
    [0, 1, 1, 1, 0, 0, 0],
    [0, 0, 1, 1, 1, 0, 0],
    [0, 0, 0, 1, 1, 1, 0],
    [0, 0, 0, 1, 1, 0, 0],
    [0, 0, 1, 1, 0, 0, 0],
    [0, 1, 1, 0, 0, 0, 0],
    [1, 1, 0, 0, 0, 0, 0],
]
CROSS = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_a_binary_image_of_7x7_and_a_3x3_filter_give_a_hand_worked_5x5() -> None:
    done = sums.convolve(SEVEN, CROSS)
    by_hand = [[1, 4, 3, 4, 1], [1, 2, 4, 3, 3], [1, 2, 3, 4, 1], [1, 3, 3, 1, 1], [3, 3, 1, 1, 0]]
    assert done.output.tolist() == by_hand
    first = next(done.steps())
    assert first.text() == "0x1 + 1x0 + 1x1 + 0x0 + 0x1 + 1x0 + 0x1 + 0x0 + 0x1 = 1"
    assert [step.total for step in done.steps()] == list(itertools.chain(*by_hand))
    assert "cross-correlation" in sums.NOTE


def test_dividing_by_the_pixel_count_gives_means() -> None:
    """Some textbooks divide the sum by the number of pixels."""
    done = sums.convolve(SEVEN, CROSS, mean=True)
    assert done.output[0, 1] == pytest.approx(4 / 9)
    assert list(done.steps())[1].text().endswith(" = 4/9 = 0.444444")


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("border", ["zeros", "edge", "reflect", "circular"])
def test_convolve_equals_conv2d(stride, border) -> None:
    image, kernel = torch.randn(3, 9, 11, dtype=torch.float64), torch.randn(3, 3, 3, dtype=torch.float64)
    ours = sums.convolve(image.numpy(), kernel.numpy(), stride=stride, padding=1, border=border).output
    conv = nn.Conv2d(3, 1, 3, stride, 1, bias=False, padding_mode=PADDINGS[border], dtype=torch.float64)
    conv.weight.data = kernel[None]
    assert np.abs(ours - conv(image[None])[0, 0].detach().numpy()).max() < 1e-12


def test_the_edge_kernel_is_zero_on_a_constant_image_and_blur_keeps_the_mean() -> None:
    flat = np.full((8, 8), 7.0)
    assert np.abs(sums.convolve(flat, sums.read_kernel("edge")).output).max() == 0
    image = np.random.default_rng(0).random((8, 8))
    blurred = sums.convolve(image, sums.read_kernel("blur"), padding="same", border="circular").output
    assert blurred.mean() == pytest.approx(image.mean())
    assert sums.convolve(flat, sums.read_kernel("sharpen"), padding="same", border="edge").output == pytest.approx(flat)


def test_the_output_size_follows_the_formula_and_shows_the_rounding() -> None:
    assert output_side(5, 5) == 1
    assert output_side(output_side(5, 3), 3) == 1
    assert output_side_formula(227, 11, 4) == "(227 - 11)/4 + 1 = 55"
    assert output_side_formula(277, 11, 4) == "(277 - 11)/4 + 1 = 67.5 -> 67"
    assert output_side_formula(32, 5, padding=2) == "32 - 5 + 2x2 + 1 = 32"
    assert output_side_formula(9, 3, dilation=2) == "9 - (2x(3 - 1) + 1) + 1 = 5"


@pytest.mark.parametrize("ceil", [False, True])
def test_the_formula_of_the_output_size_agrees_with_pytorch_wherever_it_is_defined(ceil) -> None:
    for length, size, stride, padding in itertools.product(range(4, 20), (2, 3), (1, 2, 3), (0, 1)):
        expected = functional.max_pool1d(torch.zeros(1, 1, length), size, stride, padding, ceil_mode=ceil).shape[-1]
        assert output_side(length, size, stride, padding, 1, ceil) == expected


def test_stride_two_halves_height_and_width_rounded_down() -> None:
    assert nn.Conv2d(1, 1, 2, stride=2)(torch.zeros(1, 1, 9, 8)).shape == (1, 1, 4, 4)
    assert [output_side(side, 2, 2) for side in (9, 8)] == [4, 4]


def test_edge_padding_keeps_a_constant_border_and_zeros_do_not() -> None:
    """32x32x3 and ten filters of 5x5x3 give 32x32x10."""
    flat, mean = np.ones((5, 5)), np.full((3, 3), 1 / 9)
    assert sums.convolve(flat, mean, padding="same", border="edge").output == pytest.approx(flat)
    assert sums.convolve(flat, mean, padding="same").output[0, 0] == pytest.approx(4 / 9)
    assert nn.Conv2d(3, 10, 5, padding="same")(torch.zeros(1, 3, 32, 32)).shape == (1, 10, 32, 32)


def test_a_filter_has_the_channels_of_its_input_and_its_size_does_not_depend_on_the_image() -> None:
    assert convolution_parameters((5, 5), 3, 1, bias=False) == 75
    assert convolution_parameters((5, 5), 3, 10, bias=False) == 750
    assert convolution_parameters((5, 5), 3, 10) == 760 == sum(one.numel() for one in nn.Conv2d(3, 10, 5).parameters())
    assert parameters_formula(nn.Conv2d(3, 10, 5)) == "(5x5x3 + 1)x10"


@pytest.mark.parametrize(
    ("module", "formula", "count"),
    [
        (nn.Conv3d(2, 4, (1, 3, 3), bias=False), "1x3x3x2x4", 72),
        (nn.Conv2d(8, 8, 3, groups=8), "(3x3x1 + 1)x8", 80),
        (nn.ConvTranspose2d(4, 2, 2), "2x2x4x2 + 2", 34),
        (nn.Linear(400, 120), "(400 + 1)x120", 48120),
        (nn.BatchNorm2d(16), "2x16", 32),
        (nn.ReLU(), "", 0),
    ],
)
def test_the_parameter_formula_has_the_numbers_of_the_layer(module, formula, count) -> None:
    assert parameters_formula(module) == formula
    assert sum(one.numel() for one in module.parameters()) == count


def test_weight_sharing_needs_thousands_of_times_fewer_parameters() -> None:
    shared, dense = weight_sharing((1, 28, 28), 8, 3)
    assert (shared, dense) == (80, 4_923_520)


def test_the_gradient_of_a_shared_weight_is_the_sum_over_all_positions() -> None:
    x = torch.randn(1, 1, 6, 6, dtype=torch.float64)
    weight = torch.randn(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    out = functional.conv2d(x, weight)
    delta = torch.randn_like(out)
    (out * delta).sum().backward()
    explicit = sum(delta[0, 0, i, j] * x[0, 0, i : i + 3, j : j + 3] for i in range(4) for j in range(4))
    assert (weight.grad[0, 0] - explicit).abs().max() < 1e-12
    nudged = weight.detach().clone()
    nudged[0, 0, 1, 2] += 1e-6
    finite = ((functional.conv2d(x, nudged) - out.detach()) * delta).sum() / 1e-6
    assert float(finite) == pytest.approx(float(weight.grad[0, 0, 1, 2]), abs=1e-4)


def test_max_pooling_has_no_parameters_and_routes_the_gradient_to_the_maximum() -> None:
    x = torch.tensor([[1.0, 3, 2, 1], [4, 2, 0, 1], [5, 0, 1, 2], [1, 2, 3, 0]], requires_grad=True)
    pool = nn.MaxPool2d(2, 2)
    out = pool(x[None, None])
    assert out[0, 0].tolist() == [[4, 2], [5, 3]]
    assert list(pool.parameters()) == []
    out.sum().backward()
    assert x.grad.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]
    moved = torch.tensor([[4.0, 3], [1, 2]])  # the maximum moved by one pixel within its window
    assert pool(moved[None, None]).item() == 4
    assert nn.MaxPool2d(3, 2)(torch.zeros(1, 1, 55, 55)).shape == (1, 1, 27, 27)


def test_global_average_pooling_reduces_128_maps_of_3x3_to_five_logits() -> None:
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 5))
    assert head(torch.zeros(32, 128, 3, 3)).shape == (32, 5)


def test_a_1x1_bottleneck_saves_twenty_one_times_the_multiplications() -> None:
    one = sums.bottleneck((14, 14), 480, 16, 5, 48)
    assert (one.direct, one.total) == (112_896_000, 5_268_480)
    assert round(one.ratio, 1) == 21.4


def test_two_3x3_have_the_receptive_field_of_a_5x5_with_18_instead_of_25_weights() -> None:
    assert sums.stacked_3x3(5) == (25, 18, 2)
    assert window(window(PIXELS, 3), 3).size == window(PIXELS, 5).size == 5
    assert window(window(window(PIXELS, 3), 3), 3).size == 7


def test_a_rank_one_kernel_is_separable_and_the_rank_of_trained_kernels_is_found() -> None:
    """A separable 3x3 has 6 instead of 9 weights, a 7x7 14 instead of 49."""
    edge = sums.separability(sums.read_kernel("edge"))
    assert edge.rank == 1
    assert edge.column.size + edge.row.size == 6
    image = np.random.default_rng(0).random((9, 9))
    whole = sums.convolve(image, sums.read_kernel("edge")).output
    twice = sums.convolve(sums.convolve(image, edge.column[:, None]).output, edge.row[None]).output
    assert np.abs(whole - twice).max() < 1e-6
    assert sums.separability(np.eye(3)).rank == 3
    assert sums.separability(np.eye(3)).error == pytest.approx((2 / 3) ** 0.5)
    seven = sums.separability(np.outer(np.arange(1, 8), np.arange(1, 8)))
    filters = np.stack([np.stack([np.eye(3), edge.column[:, None] * edge.row])] * 4)
    assert sums.kernel_ranks(filters).tolist() == [[3, 1]] * 4
    assert (seven.rank, seven.column.size + seven.row.size) == (1, 14)


def test_receptive_fields_grow_with_depth_as_worked_by_hand() -> None:
    two = window(window(PIXELS, 3), 3)
    pooled = window(two, 2, 2)
    after = window(pooled, 3)
    assert [(field.size, field.stride, field.start) for field in (two, pooled, after)] == [
        (5, 1, 2.0), (6, 2, 2.5), (10, 2, 4.5),
    ]  # fmt: skip


def test_without_activations_layers_are_linear_and_cannot_learn_xor() -> None:
    """The best linear network classifies three of the four points; one hidden ReLU layer all."""
    x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    y = torch.tensor([0, 1, 1, 0])

    def best(make) -> float:
        right = []
        for seed in range(3):
            torch.manual_seed(seed)
            model = make()
            optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
            for _ in range(200):
                optimiser.zero_grad()
                functional.cross_entropy(model(x), y).backward()
                optimiser.step()
            right.append(float((model(x).argmax(1) == y).float().mean()))
        return max(right)

    assert best(lambda: nn.Sequential(nn.Linear(2, 8), nn.Linear(8, 2))) <= 0.75
    assert best(lambda: nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))) == 1.0


def test_a_transposed_3x3_with_stride_two_makes_4x4_of_2x2_and_its_overlap_is_uneven() -> None:
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1)
    assert layer(torch.zeros(1, 1, 2, 2)).shape == (1, 1, 4, 4)
    assert transposed_side(2, 3, 2, 1, 1) == 4
    assert shape_formula(layer, (1, 2, 2), (1, 4, 4)) == "(2 - 1)x2 - 2x1 + 3 + 1 = 4"
    assert checkerboard(3, 2) == (2, 1)
    assert checkerboard(4, 2) == (2, 2)
    assert transposed(PIXELS, 3, 2, 1).size == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sums.read_kernel("egde"), "kernel: no egde; did you mean edge?"),
        (
            lambda: sums.read_kernel("1,x"),
            "kernel: 1,x is not a list of numbers; write rows such as 1,0,-1;2,0,-2;1,0,-1",
        ),
        (
            lambda: sums.read_kernel("1,2;3"),
            "kernel: the rows of 1,2;3 have [2, 1] values; give every row the same number",
        ),
        (
            lambda: sums.read_kernel("edge|1,2"),
            "kernel: the channels of edge|1,2 are 3x3, 1x2; give every channel the same size",
        ),
        (
            lambda: sums.convolve(np.zeros((4, 4)), np.zeros((3, 3)), stride=0),
            "convolve: stride is 0; give a whole number from 1",
        ),
        (
            lambda: sums.convolve(np.zeros((3, 4, 4)), np.zeros((3, 3))),
            "convolve: the image has shape (3, 4, 4) and the kernel (3, 3); give both the same "
            "channels, as in edge|edge|edge for three",
        ),
        (
            lambda: sums.convolve(np.zeros((2, 2)), np.zeros((3, 3))),
            "convolve: a kernel of (3, 3) does not fit an image of (2, 2); pad the image or use a smaller kernel",
        ),
        (
            lambda: sums.convolve(np.zeros((4, 4)), np.zeros((3, 3)), border="zero"),
            "convolve: no border zero; did you mean zeros?",
        ),
    ],
)
def test_invalid_arguments_raise_an_error(make, message) -> None:
    with pytest.raises(ModelError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_same_padding_keeps_the_size_for_even_kernels_too(size) -> None:
    image = np.arange(64.0).reshape(8, 8)
    result = sums.convolve(image, np.ones((size, size)), padding="same")
    assert result.output.shape == (8, 8)
    before, after = (size - 1) // 2, size // 2
    padded = torch.nn.functional.pad(torch.tensor(image)[None, None], (before, after, before, after))
    expected = torch.nn.functional.conv2d(padded, torch.ones(1, 1, size, size, dtype=torch.float64))
    np.testing.assert_allclose(result.output, expected[0, 0].numpy())


def test_a_kernel_with_bars_has_the_depth_of_a_colour_image() -> None:
    """Each step is the sum of the three channels' sums, as in torch's conv2d."""
    image = np.arange(27.0).reshape(3, 3, 3)
    kernel = sums.read_kernel("edge|0,0,0;0,1,0;0,0,0|blur")
    result = sums.convolve(image, kernel)
    expected = torch.nn.functional.conv2d(torch.tensor(image)[None], torch.tensor(kernel)[None])
    np.testing.assert_allclose(result.output, expected[0, 0].numpy())
    (step,) = result.steps()
    assert step.text().endswith("] = (-8) + 13 + 22 = 27")
    assert step.text().startswith("[0x1 + 1x0 + 2x(-1) + 3x2")
    assert step.text().count("[") == 3
