"""A network trained on texts: every verb works or refuses in one sentence."""

import json
import shutil
from pathlib import Path

import pytest
from torch import nn

import convscope as cs
from convscope.api import baselines
from convscope.bundle import load_bundle
from convscope.errors import ConfigError
from convscope.explorer.session import Session
from convscope.server.served_model import ServedModel

pytestmark = pytest.mark.slow

GOOD, BAD = ("warm", "funny", "moving", "brilliant"), ("dull", "boring", "lifeless", "awful")
SMALL = {"train.epochs": 10, "train.batch": 16, "model.options": {"embedding": 16, "filters": 8}}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of two classes, which one of four words decides."""
    lines = ["written,label"]
    for number in range(120):
        word = (GOOD, BAD)[number % 2][number // 2 % 4]
        lines.append(f"scene {number} of this {word} film number {number * 7},{('pos', 'neg')[number % 2]}")
    file = tmp_path_factory.mktemp("texts") / "reviews.csv"
    file.write_text("\n".join([*lines, ",pos", "nan,neg"]))
    return file


@pytest.fixture(scope="module")
def run(source: Path, tmp_path_factory: pytest.TempPathFactory) -> cs.Run:
    return cs.train(str(source), out=tmp_path_factory.mktemp("run") / "run", settings=SMALL)


def test_data_describes_texts_and_names_empty_ones(source: Path) -> None:
    found = cs.data(str(source))
    lines = repr(found)
    assert "layout: text-table, because it has a column of texts" in lines
    assert "texts: 120: 96 train, 12 validation, 12 test" in lines
    assert "sizes (tokens): 8" in lines
    assert dict(found.skipped) == {"reviews.csv:122": "has no text", "reviews.csv:123": "has no text"}


def test_the_vocabulary_is_that_of_the_training_split_and_is_saved(run: cs.Run, source: Path) -> None:
    model, config = load_bundle(run.path / "model")
    assert any(isinstance(layer, nn.Embedding) for layer in model.modules())
    saved = config.preprocessing
    assert (saved.kind, saved.size, saved.column) == ("text", (8,), "written")
    assert {*GOOD, *BAD, "film"} <= set(saved.vocabulary)
    rows = dict(enumerate(source.read_text().splitlines(), start=1))
    names = run.folder.data()["splits"]["train"]
    training = " ".join(rows[int(name.rpartition(":")[2])] for name in names).replace(",", " ").split()
    assert all(training.count(word) >= 2 for word in saved.vocabulary)


def test_words_are_learned_and_files_predicted_from_the_model_alone(run: cs.Run, tmp_path: Path) -> None:
    assert run.evaluate("test").scores["accuracy"] >= 0.9
    assert (run.path / "report.html").read_text().count("data:image/") >= 1
    shutil.copytree(run.path / "model", tmp_path / "model")
    (tmp_path / "one.txt").write_text("a moving xyzzy")
    (tmp_path / "empty.txt").write_text(" ")
    (tmp_path / "rows.csv").write_text("n,written\n1,so dull\n2,so funny\n")
    files = [tmp_path / name for name in ("one.txt", "empty.txt", "rows.csv")]
    one, empty, *rows = cs.predict(tmp_path / "model", files)
    assert one.label == "pos"
    assert empty.why == "has no text"
    assert [row.label for row in rows] == ["neg", "pos"]


def test_words_that_decide_are_explained(run: cs.Run) -> None:
    found = run.explain("words", max_images=4)
    for one in found.numbers["examples"]:
        strongest = max(one["words"], key=lambda word: word["weight"])["word"]
        assert strongest in (GOOD if one["prediction"] == "pos" else BAD)
    assert [path.suffix for path in found.pictures] == [".png", ".html"]
    phrases = json.dumps(run.explain("phrases").numbers["filters"])
    assert any(word in phrases for word in (*GOOD, *BAD))


def test_features_and_baselines_work(run: cs.Run, source: Path, tmp_path: Path) -> None:
    assert cs.features(run.path, str(source), out=tmp_path / "features").vectors.shape == (120, 24)
    found = baselines(str(source), ("majority", "naive-bayes", "logistic"), out=tmp_path / "compare")
    assert {entry.recipe: entry.accuracy for entry in found.entries} == {
        "majority": 0.5, "naive-bayes": 1.0, "logistic": 1.0,
    }  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        baselines(str(source), ("pixels",), out=tmp_path / "compare")
    assert str(caught.value) == f"--recipes pixels: needs values, and {source} holds texts; leave it out"


def test_bytes_are_tokens_too(source: Path, tmp_path: Path) -> None:
    run = cs.train(str(source), out=tmp_path / "run", settings={**SMALL, "train.epochs": 1, "input.tokens": "bytes"})
    _, config = load_bundle(run.path / "model")
    assert config.preprocessing.tokens == "bytes"
    texts = run.explain("words").numbers["examples"]
    assert all({"of", "this", "film"} <= {word["word"] for word in one["words"]} for one in texts)


def test_what_needs_images_refuses_in_one_sentence(run: cs.Run, source: Path, tmp_path: Path) -> None:
    held = f"is for images, and {run.path} holds texts"
    refusals = {
        f"a sheet of examples is for images, and {source} holds texts": lambda: cs.data(str(source)).sheet(
            tmp_path / "a.png"
        ),
        f"convscope robustness {held}": run.robustness,
        f"convscope diagnose {held}": lambda: cs.diagnose(str(run.path)),
        f"the explorer {held}": lambda: Session.open(run.path),
        f"convscope serve {held}": lambda: ServedModel.open(run.path, "texts", "auto", 1),
        f"convscope export {held}": lambda: run.export(out=tmp_path / "out"),
    }
    for message, refused in refusals.items():
        with pytest.raises(ConfigError) as caught:
            refused()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"model.name": "resnet18"},
            "model.name is 'resnet18', but {source} holds texts, which need a network that embeds tokens; "
            "choose text_cnn",
        ),
        ({"augment.mix": "mixup"}, "augment.mix is 'mixup', which mixes values, not tokens; remove it"),
        ({"input.rate": 8000}, "input.rate is 8000, but {source} holds texts; remove it"),
        ({"data.size": [8, 8]}, "data.size is [8, 8], but {source} holds texts; give tokens, like [64]"),
    ],
)
def test_settings_of_other_inputs_are_refused(source: Path, tmp_path: Path, settings: dict, message: str) -> None:
    given = {"train.epochs": 1, **settings}
    with pytest.raises(cs.ConvscopeError) as caught:
        cs.train(str(source), out=tmp_path / "run", settings=given)
    assert str(caught.value) == message.format(source=source)


def test_a_network_of_tokens_needs_texts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        cs.train("digits", out=tmp_path / "run", settings={"model.name": "text_cnn"})
    assert str(caught.value) == "model.name is 'text_cnn', but digits holds images; choose another network"
