"""`convscope inspect` and `convscope convolve` on the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from convscope.cli.main import app
from convscope.errors import ConfigError


def values_of(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_inspect_prints_formulas_totals_and_where_the_weights_sit() -> None:
    """LeNet-5 with 10 classes has 61,706 parameters."""
    text = values_of("inspect", "lenet", "--size", "1x32x32", "--classes", "10")
    assert "(5x5x1 + 1)x6 = 156" in text
    assert "61,706" in text
    assert "parameters by group: 95.8 % fully connected, 4.2 % convolution" in text


def test_inspect_as_json_has_weights_multiplications_and_layers() -> None:
    content = json.loads(values_of("inspect", "resnet18", "--json"))
    assert content["num_parameters"] == 11_689_512
    assert content["macs"] == sum(layer["macs"] for layer in content["layers"])


def test_inspect_draws_a_page_that_fetches_nothing(tmp_path: Path) -> None:
    page = tmp_path / "net.html"
    assert values_of("inspect", "lenet", "--size", "1x32x32", "--html", str(page)).strip() == str(page)
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text
    assert "src=" not in text


def test_inspect_shows_the_path_of_one_layer() -> None:
    text = values_of("inspect", "lenet", "--size", "1x32x32", "--path", "stages.0.conv.conv")
    assert "stages.0.conv.conv" in text
    assert "head.fc1" not in text


def test_a_size_that_is_no_shape_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        values_of("inspect", "lenet", "--size", "big")
    assert str(caught.value) == "--size big: not a shape; write channels x height x width, like 3x224x224"


def test_convolve_tells_every_step_of_a_small_image(tmp_path: Path) -> None:
    """The edge kernel on a flat image gives 0."""
    file = tmp_path / "flat.csv"
    file.write_text("5,5,5\n5,5,5\n5,5,5\n")
    text = values_of("convolve", str(file), "--kernel", "edge")
    assert "3 x 3 (border included) -> 1 x 1." in text
    assert "(0, 0)  5x1 + 5x0 + 5x(-1) + 5x2 + 5x0 + 5x(-2) + 5x1 + 5x0 + 5x(-1) = 0" in text


def test_convolve_writes_a_picture_of_a_large_image(tmp_path: Path) -> None:
    file = tmp_path / "ramp.csv"
    file.write_text("\n".join(",".join(str(column) for column in range(20)) for _ in range(20)))
    text = values_of("convolve", str(file), "--kernel", "blur", "--padding", "same", "--border", "edge")
    picture = tmp_path / "ramp.convolved.png"
    assert picture.exists()
    assert f"{picture}: black is" in text
