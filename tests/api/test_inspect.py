"""`inspect` and `convolve`."""

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from convscope.api import as_picture, convolve, inspect
from convscope.errors import ConfigError, ModelError
from helpers.bundles import saved

NOTES_IMAGE = (
    "0 1 1 1 0 0 0\n0 0 1 1 1 0 0\n0 0 0 1 1 1 0\n0 0 0 1 1 0 0\n0 0 1 1 0 0 0\n0 1 1 0 0 0 0\n1 1 0 0 0 0 0\n"
)


def test_a_published_network_is_inspected_without_taking_memory_for_its_weights() -> None:
    summary = inspect("vgg16")
    assert summary.num_parameters == 138_357_544
    assert round(100 * summary.shares()["fully connected"], 1) == 89.4
    assert summary.shape == (3, 224, 224)


def test_any_module_of_the_users_own_is_inspected() -> None:
    summary = inspect(nn.Sequential(nn.Conv2d(3, 10, 5), nn.ReLU()), (3, 32, 32))
    assert summary.num_parameters == 760
    assert summary.layers[0].output_shape == (10, 28, 28)


def test_options_of_a_named_network_can_be_tried() -> None:
    summary = inspect("vgg16", options={"head": "gap", "widths": []})
    assert summary.num_parameters == 15_227_688
    with pytest.raises(ModelError) as caught:
        inspect("vgg16", options={"head": "gpa"})
    assert str(caught.value) == "vgg head: no gpa; did you mean gap?"


def test_a_network_that_python_finds_is_inspected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_of_test.py").write_text(
        "from torch import nn\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Conv2d(3, 10, 5))\n\nnumber = int\n"
    )
    monkeypatch.chdir(tmp_path)
    assert inspect("mine_of_test:Net", (3, 32, 32)).num_parameters == 760
    remedy = "give a module and the function or class that builds the network, like mine:Net"
    for place, why in (
        ("mine_of_test:Nett", f"module 'mine_of_test' has no attribute 'Nett'; {remedy}"),
        ("mine_of_test:number", "returns int, not a network; give a function that returns a torch.nn.Module"),
        ("not_there:Net", f"No module named 'not_there'; {remedy}"),
    ):
        with pytest.raises(ModelError) as caught:
            inspect(place)
        assert str(caught.value) == f"{place}: {why}"


def test_a_toml_brings_its_own_input(tmp_path: Path) -> None:
    file = tmp_path / "net.toml"
    file.write_text('input = [1, 8, 8]\nclasses = 3\nblocks = [{conv = 4}, {gap = true}, {linear = "classes"}]\n')
    summary = inspect(file)
    assert summary.shape == (1, 8, 8)
    assert summary.layers[-1].output_shape == (3,)


def test_an_unknown_network_is_named_with_the_nearest() -> None:
    with pytest.raises(ModelError) as caught:
        inspect("vgg61")
    assert str(caught.value) == "model: no network vgg61; did you mean vgg19?"


def test_alexnet_on_277_pixels_is_warned_of_unused_pixels() -> None:
    """(277 - 11) / 4 + 1 = 67.5."""
    assert any("67.5" in warning for warning in inspect("alexnet_2012", (3, 277, 277)).warnings)


def test_a_7x7_image_and_a_3x3_filter_give_a_5x5_map(tmp_path: Path) -> None:
    file = tmp_path / "image.txt"
    file.write_text(NOTES_IMAGE)
    result = convolve(file, "1,0,1;0,1,0;1,0,1")
    assert result.output.tolist()[0] == [1, 4, 3, 4, 1]
    assert result.output.shape == (5, 5)
    assert "cross-correlation" in result.note


def test_a_padding_that_is_not_a_number_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        convolve(tmp_path / "image.txt", "edge", padding="wide")
    assert str(caught.value) == "padding wide: not a number of pixels; give a number, or same"


def test_a_text_file_with_ragged_rows_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ragged.txt"
    file.write_text("1 2 3\n4 5\n")
    with pytest.raises(ModelError, match=r"ragged\.txt: not rows of numbers \(.*\); separate them by spaces or commas"):
        convolve(file, "edge")


def test_an_empty_text_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.csv"
    file.write_text("\n")
    with pytest.raises(ModelError) as caught:
        convolve(file, "edge")
    assert str(caught.value) == f"{file}: it is empty; write rows of numbers"


def test_a_picture_spans_black_to_white_also_when_it_is_flat() -> None:
    assert np.asarray(as_picture(np.array([[-3.0, 1.0], [5.0, 1.0]]))).tolist() == [[0, 128], [255, 128]]
    assert np.asarray(as_picture(np.full((2, 2), 7.0))).tolist() == [[0, 0], [0, 0]]


def test_the_trained_kernels_of_a_model_are_described(tmp_path: Path) -> None:
    """A network from a name has no trained kernels."""
    saved(tmp_path)
    summary = inspect(tmp_path)
    assert [one.layer for one in summary.kernels][:2] == ["stem.conv", "stages.0.0.body.0.conv"]
    assert all(sum(one.ranks.values()) == pytest.approx(1) and 0 < one.loss < 1 for one in summary.kernels)
    assert summary.to_json()["kernels"][0]["size"] == [3, 3]
    assert inspect("resnet20").kernels == ()
