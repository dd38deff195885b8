"""A network trained on series: every verb works or refuses in one sentence."""

from pathlib import Path

import numpy as np
import pytest
from torch import nn

import convscope as cs
from convscope.bundle import load_bundle
from convscope.errors import ConfigError
from convscope.explorer.session import Session
from convscope.server.served_model import ServedModel

SMALL = {"model.options": {"width": 4, "depths": (1, 1)}, "train.epochs": 2, "train.batch": 16, "train.tta_views": "1"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes, slow and fast waves; some are shorter."""
    folder = tmp_path_factory.mktemp("series")
    random = np.random.default_rng(0)
    rows = []
    for number in range(80):
        length = 40 if number % 5 else 32
        wave = np.sin((0.2, 0.8)[number % 2] * np.arange(length) + random.random()) + 0.1 * random.standard_normal(
            length
        )
        rows.append("\t".join(map(str, (("slow", "fast")[number % 2], *wave, *["NaN"] * (40 - length)))))
    (folder / "waves.tsv").write_text("\n".join(rows))
    return folder / "waves.tsv"


@pytest.fixture(scope="module")
def run(source: Path, tmp_path_factory: pytest.TempPathFactory) -> cs.Run:
    return cs.train(str(source), out=tmp_path_factory.mktemp("run") / "run", settings=SMALL)


def test_the_network_is_one_dimensional_and_its_input_has_a_mask(run: cs.Run) -> None:
    model, config = load_bundle(run.path / "model")
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv1d | nn.Conv2d)]
    assert all(isinstance(layer, nn.Conv1d) for layer in convolutions)
    assert (config.preprocessing.kind, config.preprocessing.size, config.preprocessing.channels) == ("series", (40,), 2)


def test_it_is_evaluated_and_its_report_shows_the_series(run: cs.Run) -> None:
    evaluation = run.evaluate("test")
    assert 0 <= evaluation.scores["accuracy"] <= 1
    report = (run.path / "report.html").read_text()
    assert report.count("data:image/") >= 1


def test_a_file_of_several_series_has_a_prediction_for_each(run: cs.Run, source: Path, tmp_path: Path) -> None:
    found = run.predict(source)
    assert [item.file for item in found[:2]] == [f"{source}:0", f"{source}:1"]
    assert len(found) == 80
    np.save(tmp_path / "one.npy", np.sin(0.2 * np.arange(40)))
    np.save(tmp_path / "bad.npy", np.zeros((3, 40)))
    good, bad = run.predict([tmp_path / "one.npy", tmp_path / "bad.npy"])
    assert good.file == str(tmp_path / "one.npy")
    assert bad.why == "has 3 channels, not 1; give series like those of training"


def test_data_and_inspect_describe_series(run: cs.Run, source: Path) -> None:
    lines = repr(cs.data(str(source)))
    assert "sizes (length): 32 to 40 (median 40)" in lines
    assert "series: 80: 64 train, 8 validation, 8 test" in lines
    assert "network input: 40, 2 channels" in lines
    assert run.inspect().shape == (2, 40)


def test_what_needs_images_refuses_in_one_sentence(run: cs.Run, source: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        cs.data(str(source)).sheet(tmp_path / "a.png")
    assert str(caught.value) == f"a sheet of examples is for images, and {source} holds series"
    with pytest.raises(ConfigError) as caught:
        run.robustness()
    assert str(caught.value) == f"convscope robustness is for images, and {run.path} holds series"
    for data in (source, run.path):
        with pytest.raises(ConfigError) as caught:
            cs.diagnose(str(data))
        assert str(caught.value) == f"convscope diagnose is for images, and {data} holds series"
    with pytest.raises(ConfigError) as caught:
        Session.open(run.path)
    assert str(caught.value) == f"the explorer is for images, and {run.path} holds series"
    with pytest.raises(ConfigError) as caught:
        ServedModel.open(run.path, "waves", "auto", 1)
    assert str(caught.value) == f"convscope serve is for images, and {run.path} holds series"
    with pytest.raises(ConfigError) as caught:
        run.explain("maximise")
    assert str(caught.value) == f"explain maximise is for images, and {run.path} holds series; use explain timeline"
    with pytest.raises(ConfigError) as caught:
        run.predict(source, tta_views="5")
    assert str(caught.value) == "views: 5 is for images, and this network's input has 1 side; use 1"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data.size": [8, 8]}, "data.size is [8, 8], but {source} holds series; give length, like [64]"),
        ({"data.channels": 3}, "data.channels is 3, but {source} holds series of 2; remove it"),
        ({"data.fit": "pad"}, "data.fit is 'pad', but {source} holds series; remove it"),
        ({"augment.changes": {"hue": 5}}, "augment.changes.hue: does not apply to series; remove it"),
    ],
)
def test_settings_of_images_are_refused(source: Path, tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        cs.train(str(source), out=tmp_path / "run", settings={**SMALL, **settings})
    assert str(caught.value) == message.format(source=source)


def test_layers_without_maps_over_time_are_refused(run: cs.Run) -> None:
    with pytest.raises(ConfigError) as caught:
        run.explain("timeline", layers=("head",), max_images=1)
    assert str(caught.value) == "layers: head has no maps over time; name a convolution or a stage"


def test_explain_draws_the_line_with_its_map(run: cs.Run) -> None:
    result = run.explain("timeline", max_images=2)
    numbers = result.numbers["examples"]
    assert [len(one["map"]) for one in numbers] == [40, 40]
    assert all(min(one["map"]) >= 0 for one in numbers)
    assert [path.suffix for path in result.pictures] == [".png"]
