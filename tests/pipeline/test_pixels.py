"""Training, prediction, explanations, report and explorer on images of other channels, ranges and shapes."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from starlette.testclient import TestClient

from convscope.api import FailedFile, RunFolder, evaluate, explain, predict, training
from convscope.errors import ConfigError, DataError
from convscope.explorer import Session, application
from helpers.explorer_client import HOME, TOKEN
from helpers.small_runs import train

SIDE = 24


def cube(kind: int, number: int, channels: int) -> np.ndarray:
    """Noise; the last channel distinguishes the classes."""
    found = np.random.default_rng([kind, number]).integers(0, 200, (SIDE, SIDE, channels)).astype(np.uint8)
    found[..., -1] = 60 + 120 * kind
    return found


def write(path: Path, values: np.ndarray, ending: str) -> None:
    if ending == "npy":
        np.save(f"{path}.npy", values)
    elif values.shape[2] == 4:
        tifffile.imwrite(f"{path}.tif", values, photometric="rgb", planarconfig="contig", extrasamples=("unspecified",))
    else:
        tifffile.imwrite(f"{path}.tif", values, photometric="minisblack", planarconfig="contig")


@pytest.fixture(scope="module", params=[("npy", 5), ("tif", 4), ("tif", 2)], ids=["npy 5", "tif 4", "tif 2"])
def run(request, tmp_path_factory):
    ending, channels = request.param
    root = tmp_path_factory.mktemp("channels")
    for kind, name in enumerate(("low", "high")):
        (root / "data" / name).mkdir(parents=True)
        for number in range(20):
            write(root / "data" / name / str(number), cube(kind, number, channels), ending)
    shown = [channels - 1, 0, 1] if channels == 5 else [1]
    train(root / "run", str(root / "data"), train__epochs=3, data__shown_channels=shown)
    return RunFolder(root / "run"), channels, ending


def test_the_network_takes_all_channels_and_learns_from_the_last(run) -> None:
    folder, channels, ending = run
    assert folder.recipe().data.channels == channels
    preprocessing = json.loads((folder.model / "config.json").read_text())["preprocessing"]
    assert preprocessing["channels"] == len(preprocessing["mean"]) == channels
    assert evaluate(folder.path, "validation")["accuracy"] == 1
    data = folder.path.parent / "data"
    answers = predict(folder.path, [data / "low" / f"3.{ending}", data / "high" / f"3.{ending}"])
    assert [answer.label for answer in answers] == ["low", "high"]
    assert folder.report.read_text().count("data:image/") >= 4


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("attribution", {"method": ["grad_cam", "integrated_gradients", "occlusion"]}),
        ("filters", {}),
        ("activations", {}),
        ("class_images", {"steps": 4}),
    ],
)
def test_explanations_show_channels(run, tmp_path, name, settings) -> None:
    folder, _, ending = run
    image = folder.path.parent / "data" / "low" / f"3.{ending}"
    chosen = {**settings, **({"images": [str(image)]} if name in ("attribution", "activations") else {})}
    found = explain(folder.path, name, chosen, out=tmp_path / "out")
    assert found.pictures


def test_the_explorer_shows_the_chosen_channels(run) -> None:
    folder, channels, _ = run
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(application(Session.open(folder.path), TOKEN), base_url=HOME, headers=headers) as page:
        summary = page.get("/api/run").json()
        assert summary["input"]["channels"] == channels
        first = page.get("/api/images", params={"split": "validation"}).json()["images"][0]["id"]
        for kind in ("thumbnail", "picture", "original"):
            answer = page.get(f"/api/images/{first}/{kind}.png")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
            shown = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
            assert (len(np.unique(shown[..., 0])) == 1) == (channels != 4), "red is the last channel, which is constant"


def test_a_photograph_is_refused_by_its_channels(run, tmp_path) -> None:
    folder, channels, _ = run
    Image.new("RGB", (SIDE, SIDE)).save(tmp_path / "a.png")
    (answer,) = predict(folder.path, tmp_path / "a.png")
    why = f"has 3 channels, not {channels}; give a file of {channels}, or train with data.channels 3"
    assert answer == FailedFile(str(tmp_path / "a.png"), why)


def test_a_channel_that_does_not_exist_is_not_shown(run, tmp_path) -> None:
    folder, channels, _ = run
    data = folder.path.parent / "data"
    with pytest.raises(ConfigError) as raised:
        list(training(str(data), tmp_path / "run", {"data.shown_channels": [channels]}))
    assert str(raised.value) == (
        f"data.shown_channels is [{channels}], but the channels of {data} are 0 to {channels - 1}; choose among them"
    )


def elongated(root: Path) -> Path:
    """Strips of about 400 x 20 pixels, which differ at their left end."""
    for kind, name in enumerate(("dark", "light")):
        (root / name).mkdir(parents=True)
        for number in range(20):
            strip = np.full((20, 390 + number), 128, np.uint8)
            strip[:, :60] = 255 * kind
            strip[number, 370:] = number
            Image.fromarray(strip).save(root / name / f"{number}.png")
    return root


@pytest.mark.slow
@pytest.mark.parametrize("how", ["pad", "stretch"])
def test_elongated_images_are_learned_from_their_ends(tmp_path, how) -> None:
    data = elongated(tmp_path / "data")
    train(tmp_path / "run", str(data), data__fit=how, train__epochs=3)
    folder = RunFolder(tmp_path / "run")
    assert json.loads((folder.model / "config.json").read_text())["preprocessing"]["fit"] == how
    assert folder.recipe().data.size == (16, 400)
    assert evaluate(folder.path, "validation")["accuracy"] == 1
    answers = predict(folder.path, [data / "dark" / "3.png", data / "light" / "3.png"])
    assert [answer.label for answer in answers] == ["dark", "light"]


CUT = "a crop to 20 x 20 shows 5% of an image (median); set data.fit to pad or stretch to keep all of it"


def test_a_crop_of_elongated_images_says_what_it_shows(tmp_path) -> None:
    data = elongated(tmp_path / "data")
    rest = "leave none for validation, because each class has one image or all images belong to one group"
    with pytest.raises(DataError) as raised:  # the middles of all images are alike
        train(tmp_path / "run", str(data))
    assert str(raised.value) == f"{data}: 40 images in 2 classes {rest}; {CUT}"
    events = train(tmp_path / "run", str(data), train__epochs=1, data__near_duplicates=False)
    assert CUT in events[0].summary.notes


@pytest.mark.slow
def test_weights_for_photographs_are_adapted_to_other_channels(run, tmp_path) -> None:
    folder, channels, _ = run
    for kind, name in enumerate(("low", "high")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            Image.fromarray(cube(kind, number, 3)).save(tmp_path / "photos" / name / f"{number}.png")
    train(tmp_path / "first", str(tmp_path / "photos"), train__epochs=1)
    data = str(folder.path.parent / "data")
    settings = {"train": {"epochs": 1, "threads": 1}, "transfer": {"checkpoint": str(tmp_path / "first")}}
    list(training(data, tmp_path / "second", settings))
    second = RunFolder(tmp_path / "second")
    assert second.recipe().data.channels == channels
    preprocessing = json.loads((second.model / "config.json").read_text())["preprocessing"]
    assert len(preprocessing["mean"]) == len(preprocessing["std"]) == channels
