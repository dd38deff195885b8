"""A network trained on volumes: every verb works or refuses in one sentence."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

import convscope as cs
from convscope.bundle import load_bundle
from convscope.errors import ConfigError
from convscope.explorer.session import Session
from convscope.server.served_model import ServedModel

pytestmark = pytest.mark.slow

SMALL = {"model.options": {"width": 16, "depths": (1, 1)}, "train.epochs": 2, "train.batch": 16, "train.tta_views": "1"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of arrays: a bright block at the top or at the bottom."""
    folder = tmp_path_factory.mktemp("volumes")
    random = np.random.default_rng(0)
    for place, name in enumerate(("top", "bottom")):
        (folder / name).mkdir()
        for number in range(40):
            values = random.normal(20, 5, (16, 16, 18))
            values[8 * place : 8 * place + 6, 4:12, 4:12] += 100
            np.save(folder / name / f"{number}.npy", values.astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def run(source: Path, tmp_path_factory: pytest.TempPathFactory) -> cs.Run:
    return cs.train(str(source), out=tmp_path_factory.mktemp("run") / "run", settings=SMALL)


def test_the_network_is_three_dimensional(run: cs.Run) -> None:
    model, config = load_bundle(run.path / "model")
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Conv3d)]
    assert all(isinstance(layer, nn.Conv3d) for layer in convolutions)
    assert (config.preprocessing.kind, config.preprocessing.size) == ("volume", (16, 16, 18))
    assert run.inspect().shape == (1, 16, 16, 18)


def test_it_is_evaluated_and_predicts_files(run: cs.Run, source: Path, tmp_path: Path) -> None:
    assert 0 <= run.evaluate("test").scores["accuracy"] <= 1
    assert (run.path / "report.html").read_text().count("data:image/") >= 1
    np.save(tmp_path / "flat.npy", np.zeros((16, 16)))
    good, bad = run.predict([source / "top" / "0.npy", tmp_path / "flat.npy"])
    assert good.file == str(source / "top" / "0.npy")
    assert bad.why == "an array of 16 x 16, a 2-D image, not a volume; save depth x height x width"


def test_data_describes_volumes_and_draws_a_sheet(source: Path, tmp_path: Path) -> None:
    summary = cs.data(str(source))
    lines = repr(summary)
    assert "sizes (depth x height x width): 16 x 16 x 18" in lines
    assert "volumes: 80: 64 train, 8 validation, 8 test" in lines
    assert "network input: 16 x 16 x 18, 1 channel" in lines
    with Image.open(summary.sheet(tmp_path / "sheet.png")) as sheet:
        assert sheet.width > 700
    assert "16 x 16 x 18 voxels" in cs.data(str(source)).sheet(tmp_path / "sheet.html").read_text()


def test_explain_draws_three_slices_with_their_map(run: cs.Run) -> None:
    result = run.explain("slices", max_images=2)
    for one in result.numbers["examples"]:
        assert len(one["slices"]) == 3
        assert all(0 <= number < side for number, side in zip(one["slices"], (16, 16, 18), strict=True))
        assert one["largest"] >= 0
    assert [path.suffix for path in result.pictures] == [".png"]
    with pytest.raises(ConfigError) as caught:
        run.explain("slices", layers=("head",), max_images=1)
    assert str(caught.value) == "layers: head has no maps over a volume; name a convolution or a stage"


def test_what_needs_images_refuses_in_one_sentence(run: cs.Run, source: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        run.robustness()
    assert str(caught.value) == f"convscope robustness is for images, and {run.path} holds volumes"
    with pytest.raises(ConfigError) as caught:
        cs.diagnose(str(source))
    assert str(caught.value) == f"convscope diagnose is for images, and {source} holds volumes"
    with pytest.raises(ConfigError) as caught:
        Session.open(run.path)
    assert str(caught.value) == f"the explorer is for images, and {run.path} holds volumes"
    with pytest.raises(ConfigError) as caught:
        ServedModel.open(run.path, "volumes", "auto", 1)
    assert str(caught.value) == f"convscope serve is for images, and {run.path} holds volumes"
    with pytest.raises(ConfigError) as caught:
        run.explain("attribution")
    assert str(caught.value) == f"explain attribution is for images, and {run.path} holds volumes; use explain slices"
    with pytest.raises(ConfigError) as caught:
        run.predict(source / "top", tta_views="5")
    assert str(caught.value) == "views: 5 is for images, and this network's input has 3 sides; use 1"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"data.size": [8, 8]},
            "data.size is [8, 8], but {source} holds volumes; give depth and height and width, like [64, 64, 64]",
        ),
        ({"data.fit": "pad"}, "data.fit is 'pad', but {source} holds volumes; remove it"),
        ({"augment.changes": {"hue": 5}}, "augment.changes.hue: does not apply to volumes; remove it"),
        ({"input.rate": 8000}, "input.rate is 8000, but {source} holds volumes; remove it"),
    ],
)
def test_settings_of_other_inputs_are_refused(source: Path, tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(cs.ConvscopeError) as caught:
        cs.train(str(source), out=tmp_path / "run", settings={**SMALL, **settings})
    assert str(caught.value) == message.format(source=source)
