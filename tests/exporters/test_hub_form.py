"""The folder for the Hub: files that open as they are, and a card whose figures are those of the run."""

import json
import re

import numpy as np
import pytest
import yaml
from PIL import Image
from safetensors.torch import load, save

import convscope as cs
from convscope.bundle import load_bundle
from convscope.errors import ConfigError, ModelError
from convscope.exporters import ExportRequest, export_model
from convscope.exporters.examples import image_contents
from convscope.exporters.hub_card import HUB_LICENCES, card
from convscope.exporters.hub_form import prove_folder
from convscope.exporters.proof import Parity, ProofError, expected_answers
from convscope.exporters.source import Source


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory):
    out = tmp_path_factory.mktemp("published")
    export_model("hub", ExportRequest(finished, out))
    return out / "hub"


def head_of(text):
    return yaml.safe_load(re.match(r"---\n(.*?)---\n", text, re.DOTALL).group(1))


def test_the_folder_has_the_runs_files_a_card_and_the_proof(folder, finished):
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md", "config.json", "model.safetensors", "parity.json",
    ]  # fmt: skip
    for name in ("config.json", "model.safetensors"):
        assert (folder / name).read_bytes() == (finished / "model" / name).read_bytes()
    proof = json.loads((folder / "parity.json").read_text())
    assert (proof["images"], proof["largest_difference"], proof["passed"]) == (208, 0.0, True)


def test_the_cards_scores_are_those_of_the_run_with_their_interval(folder, finished):
    text, scores = (folder / "README.md").read_text(encoding="utf-8"), cs.evaluate(finished)
    head = head_of(text)
    assert (head["library_name"], head["license"], head["pipeline_tag"]) == (
        "convscope", "unknown", "image-classification",
    )  # fmt: skip
    (result,) = head["model-index"][0]["results"]
    assert result["metrics"] == [
        {"type": "accuracy", "value": pytest.approx(scores["accuracy"], abs=1e-6), "name": "validation accuracy"}
    ]
    low, high = scores.interval
    line = f"- validation accuracy: {scores['accuracy']:.4f} (95 % interval {low:.4f} to {high:.4f})"
    assert line in text.splitlines()
    assert "digits: 1,437 train, 180 validation, 180 test images." in text
    sections = [line for line in text.splitlines() if line.startswith("## ")]
    assert sections == [
        "## Use", "## Data", "## Scores", "## What fails", "## Licence and origin", "## Proof",
    ]  # fmt: skip


def test_the_three_lines_of_the_card_predict(folder, tmp_path, monkeypatch, capsys):
    code = re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL).group(1)
    assert len(code.splitlines()) == 3
    Image.fromarray(np.full((9, 9), 200, np.uint8)).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    downloaded = code.replace("from huggingface_hub import snapshot_download\n", "")
    exec(downloaded, {"snapshot_download": lambda name: folder if name == "USER/NAME" else None})
    assert "photo.jpg" in capsys.readouterr().out


def test_the_origin_of_pretrained_weights_and_their_licence_are_stated(shipped):
    origin = {"source": "https://example.org/w", "licence": "Apache-2.0", "sha256": ""}
    config = shipped.source.config.model_copy(update={"origin": origin})
    source = Source(shipped.source.model, config, "", {})
    text = card(source, None, Parity(3, 0.0, 0))
    assert head_of(text)["license"] == HUB_LICENCES["Apache-2.0"] == "apache-2.0"
    assert "- source: https://example.org/w\n- licence: Apache-2.0\n" in text
    other = source.config.model_copy(update={"origin": {"licence": "non-commercial"}})
    head = head_of(card(Source(shipped.source.model, other, "", {}), None, Parity(3, 0.0, 0)))
    assert (head["license"], head["license_name"]) == ("other", "non-commercial")


def test_other_weights_are_refused(shipped):
    examples = expected_answers(shipped.source, image_contents(shipped.files))
    contents = {name: (shipped.folder / name).read_bytes() for name in ("config.json", "model.safetensors")}
    assert prove_folder(shipped.source, contents, examples).passed
    tensors = load(contents["model.safetensors"])
    tensors["head.fc.weight"] = -tensors["head.fc.weight"]
    with pytest.raises(ModelError, match="not the weights that were saved with"):
        prove_folder(shipped.source, {**contents, "model.safetensors": save(tensors)}, examples)
    model, config = load_bundle(shipped.folder)
    next(model.parameters()).data.mul_(-1.0)
    wrong = expected_answers(Source(model, config, "", {}), image_contents(shipped.files))
    with pytest.raises(ProofError) as caught:
        prove_folder(shipped.source, contents, wrong)
    assert str(caught.value).startswith("export resnet18: the folder does not give the run's answers: ")


def test_the_network_alone_is_no_part_of_the_folder(finished, tmp_path):
    with pytest.raises(ConfigError) as caught:
        export_model("hub", ExportRequest(finished, tmp_path, bare=True))
    assert str(caught.value) == "export --bare: only --to onnx writes the network alone, not hub; leave it out"
