"""The arithmetic of layers against numbers worked by hand, and every error compared whole."""

import doctest

import pytest

from convscope.errors import ConfigError, ModelError
from convscope.models.summary import calculations
from convscope.models.summary.calculations import arithmetic


def test_the_examples_in_the_docstrings_are_correct() -> None:
    assert doctest.testmod(calculations).failed == 0


@pytest.mark.parametrize(
    ("numbers", "sides", "lines"),
    [
        ({"sides": [5], "size": 5}, [1], ("5 - 5 + 1 = 1",)),
        ({"sides": [227], "size": 11, "stride": 4}, [55], ("(227 - 11)/4 + 1 = 55",)),
        (
            {"sides": [277], "size": 11, "stride": 4},
            [67],
            (
                "(277 - 11)/4 + 1 = 67.5 -> 67",
                "the last 2 of 277 pixels are never read; a side of 275 or 279 fits",
            ),
        ),
        ({"sides": [32, 32], "size": 5, "padding": 2}, [32, 32], ("32 - 5 + 2x2 + 1 = 32",)),
        (
            {"sides": [9, 12], "size": 3, "dilation": 2},
            [5, 8],
            ("9 - (2x(3 - 1) + 1) + 1 = 5", "12 - (2x(3 - 1) + 1) + 1 = 8"),
        ),
        (
            {"sides": [8], "size": 4, "padding": "same"},
            [8],
            ("same padding of a window of 4: 1 pixels before and 2 after", "ceil(8/1) = 8"),
        ),
    ],
)
def test_output_sizes_with_their_formula(numbers, sides, lines) -> None:
    found = arithmetic("output", **numbers)
    assert found.values["sides"] == sides
    assert found.lines == lines
    assert repr(found) == "\n".join(lines)


def test_a_transposed_convolution_of_3_at_stride_2_gives_4x4_and_a_checkerboard() -> None:
    found = arithmetic("transposed", sides=[2, 2], size=3, stride=2, padding=1, output_padding=1)
    assert found.values == {"sides": [4, 4], "inputs_per_output": [2, 1]}
    assert found.lines == (
        "(2 - 1)x2 - 2x1 + 3 + 1 = 4",
        "neighbouring outputs are sums over 2 and 1 inputs per axis, which causes a checkerboard pattern (Odena 2016); "
        "a size of 2 or 4, or nearest upsampling before a convolution, avoids it",
    )
    even = arithmetic("transposed", sides=[2], size=4, stride=2, padding=1)
    assert even.lines == ("(2 - 1)x2 - 2x1 + 4 = 4", "neighbouring outputs are sums over 2 and 2 inputs per axis: even")
    plain = arithmetic("transposed", sides=[2], size=3, stride=1)
    assert plain.lines[1] == "each output is a sum over 3 inputs per axis: even"


def test_a_shared_filter_against_a_fully_connected_layer() -> None:
    """28x28 -> 28x28x8: 80 parameters against 4.9 million."""
    found = arithmetic("weights", shape=(1, 28, 28), filters=8, size=3)
    assert found.lines == (
        "one filter has the depth of its input: 3x3x1 = 9 weights at all 28x28 positions",
        "8 filters with biases: (3x3x1 + 1)x8 = 80",
        "a fully connected layer with the same output, 8x28x28: (784 + 1)x6,272 = 4,923,520",
        "4,923,520 / 80 = 61,544 times as many",
    )


def test_a_filter_of_5x5x3_has_75_weights_whatever_the_size_of_the_image() -> None:
    for side in (32, 100):
        values = arithmetic("weights", shape=(3, side, side), filters=10, size=5).values
        assert (values["filter"], values["without_bias"], values["convolution"]) == (75, 750, 760)


@pytest.mark.parametrize(
    ("size", "lines"),
    [
        (5, (
            "5x5: 5x5 = 25 weights", "2 stacked 3x3, whose receptive field is 5: 2x3x3 = 18 weights",
            "5x1 and 1x5: 2x5 = 10 weights; equal to the kernel only if its rank is 1",
        )),
        (7, (
            "7x7: 7x7 = 49 weights", "3 stacked 3x3, whose receptive field is 7: 3x3x3 = 27 weights",
            "7x1 and 1x7: 2x7 = 14 weights; equal to the kernel only if its rank is 1",
        )),
        (4, (
            "4x4: 4x4 = 16 weights", "4x1 and 1x4: 2x4 = 8 weights; equal to the kernel only if its rank is 1",
        )),
    ],
)  # fmt: skip
def test_kernels_factorised(size, lines) -> None:
    assert arithmetic("factors", size=size).lines == lines


def test_kernels_factorised_between_many_channels() -> None:
    values = arithmetic("factors", size=5, channels=64).values
    assert values == {"kernel": 25 * 64**2, "pair": 10 * 64**2, "stacked_3x3": 18 * 64**2, "number_of_3x3": 2}


def test_the_bottleneck_of_googlenet() -> None:
    """112,896,000 multiplications directly, 5,268,480 after a 1x1 to 16 channels."""
    found = arithmetic("bottleneck", shape=(480, 14, 14), filters=48, size=5, narrow=16)
    assert found.lines == (
        "directly: 14x14 positions x 5x5x480 x 48 filters = 112,896,000 multiplications",
        "1x1 to 16 channels: 14x14 x 480 x 16 = 1,505,280",
        "then 5x5: 14x14 x 5x5x16 x 48 = 3,763,200",
        "together 5,268,480, 21.4 times fewer",
    )


@pytest.mark.parametrize(
    ("topic", "numbers", "message"),
    [
        ("output", {"sides": [0], "size": 3}, "output: sides is 0; give whole numbers from 1"),
        ("output", {"sides": [8], "size": 0}, "output: size is 0; give whole numbers from 1"),
        ("output", {"sides": [8], "size": 3, "stride": 0}, "output: stride is 0; give whole numbers from 1"),
        ("output", {"sides": [8], "size": 3, "padding": -1}, "output: padding is -1; give pixels from 0, or same"),
        ("output", {"sides": [8], "size": 3, "padding": "a"}, "output: padding is 'a'; give pixels from 0, or same"),
        (
            "output", {"sides": [8], "size": 9},
            "output: a window of 9 does not fit 8 pixels with padding 0; make the window smaller or the padding larger",
        ),
        (
            "transposed", {"sides": [2], "size": 3, "output_padding": 2},
            "transposed: output_padding is 2; make it less than the stride, 2",
        ),
        (
            "transposed", {"sides": [1], "size": 1, "padding": 1},
            "transposed: padding 1 is more than the output; make it smaller",
        ),
        ("weights", {"shape": [3]}, "weights: 3 is not a shape; give channels and sides, as in 3x32x32"),
        ("weights", {"shape": [3, -1, 4]}, "weights: shape is 3x-1x4; give whole numbers from 1"),
        ("factors", {"size": -3}, "factors: size is -3; give whole numbers from 1"),
        (
            "bottleneck", {"shape": [3], "filters": 3},
            "bottleneck: 3 is not a shape; give channels and sides, as in 480x14x14",
        ),
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(topic, numbers, message) -> None:
    with pytest.raises(ModelError) as caught:
        arithmetic(topic, **numbers)
    assert str(caught.value) == message


def test_an_unknown_topic_or_number_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        arithmetic("ouput")
    assert str(caught.value) == "arithmetic: no topic ouput; did you mean output?"
    with pytest.raises(ConfigError) as caught:
        arithmetic("factors", side=3)
    assert str(caught.value) == (
        "arithmetic: got an unexpected keyword argument 'side'; see help(convscope.arithmetic)"
    )
