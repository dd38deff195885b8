"""`convscope inspect` and `convscope convolve` on the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from convscope.api import inspect, summary_stages
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


def test_many_layers_are_folded_to_stages_and_all_lists_them() -> None:
    text = values_of("inspect", "resnet18")
    assert [line.split()[0] for line in text.splitlines()[:8]] == [
        "stage", "stem", "stages.0", "stages.1", "stages.2", "stages.3", "head", "total",
    ]  # fmt: skip
    assert "layers folded to stages; every layer, with formulas: --all" in text
    assert "stages.1.0" not in text
    every = values_of("inspect", "resnet18", "--all")
    assert "stages.1.0" in every
    assert "--all" not in every


def test_the_rows_of_the_stages_add_up_to_the_total() -> None:
    found = inspect("resnet18")
    heading, *rows, total = summary_stages(found)
    assert heading[:4] == ("stage", "layers", "output", "parameters")
    for column, expected in ((1, len(found.layers)), (3, found.num_parameters), (4, found.macs)):
        sums = sum(int(row[column].replace(",", "") or 0) for row in rows)
        assert sums == expected == int(total[column].replace(",", ""))


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
    assert "head.act1" not in text


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


def test_inspect_uses_the_published_input_and_classes_of_a_network() -> None:
    """`resnet20` is published for 10 classes of 32x32, `alexnet_2012` for 227 pixels, `alexnet` for 224."""
    content = json.loads(values_of("inspect", "resnet20", "--json"))
    assert content["num_parameters"] == 269_722
    assert content["shape"] == [3, 32, 32]
    assert "pixels are never read" not in values_of("inspect", "alexnet_2012")
    assert json.loads(values_of("inspect", "alexnet", "--json"))["shape"] == [3, 224, 224]
    assert json.loads(values_of("inspect", "lenet", "--classes", "7", "--json"))["layers"][-1]["output_shape"] == [7]


def test_inspect_writes_a_page_also_with_json(tmp_path: Path) -> None:
    page = tmp_path / "new" / "net.html"
    assert json.loads(values_of("inspect", "lenet", "--json", "--html", str(page)))["num_parameters"] == 61_706
    assert "<svg" in page.read_text(encoding="utf-8")


def test_convolve_writes_no_picture_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the image it would become a training image."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "ramp.csv"
    file.write_text("\n".join(",".join(str(column) for column in range(20)) for _ in range(20)))
    text = values_of("convolve", str(file), "--kernel", "identity")
    assert "values from 1 to 18; write them as an image with --out" in text
    assert list(tmp_path.iterdir()) == [file]


def test_convolve_writes_the_picture_of_a_small_array_too(tmp_path: Path) -> None:
    file, picture = tmp_path / "small.csv", tmp_path / "new" / "small.png"
    file.write_text("1,2,3\n4,5,6\n7,8,9\n")
    text = values_of("convolve", str(file), "--kernel", "identity", "--padding", "same", "--out", str(picture))
    assert "(0, 0)  0x0 + 0x0" in text
    assert f"{picture}: black is 1, white is 9" in text
    assert np.asarray(Image.open(picture)).tolist() == [[0, 32, 64], [96, 128, 159], [191, 223, 255]]
    with pytest.raises(ConfigError) as caught:
        values_of("convolve", str(file), "--out", str(tmp_path / "small.doc"))
    assert str(caught.value) == f"--out {tmp_path / 'small.doc'}: not an image format; name it .png or .jpg"


def test_convolve_shows_every_step_of_a_colour_image(tmp_path: Path) -> None:
    """A filter has the depth of its input: three channels, three sums."""
    file = tmp_path / "colour.png"
    Image.fromarray(np.full((3, 3, 3), (10, 20, 30), dtype=np.uint8)).save(file)
    text = values_of("convolve", str(file), "--kernel", "identity|blur|edge")
    assert "3 x 3 x 3 (border included) -> 1 x 1." in text
    assert "] = 10 + 20 + 0 = 30" in text
    numbers = tmp_path / "colour.txt"
    numbers.write_text("1 2\n3 4\n\n5 6\n7 8\n")
    text = values_of("convolve", str(numbers), "--kernel", "1,0;0,0|0,0;0,1")
    assert "(0, 0)  [1x1 + 2x0 + 3x0 + 4x0] + [5x0 + 6x0 + 7x0 + 8x1] = 1 + 8 = 9" in text


def test_convolve_writes_a_picture_of_a_large_image(tmp_path: Path) -> None:
    file = tmp_path / "ramp.csv"
    file.write_text("\n".join(",".join(str(column) for column in range(20)) for _ in range(20)))
    picture = tmp_path / "ramp.png"
    text = values_of(
        "convolve", str(file), "--kernel", "blur", "--padding", "same", "--border", "edge", "--out", str(picture)
    )
    assert picture.exists()
    assert f"{picture}: black is" in text
