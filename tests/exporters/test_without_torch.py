"""Exported files are predicted and served where PyTorch cannot be imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import convscope

SOURCE = str(Path(convscope.__file__).parent.parent)
WITHOUT_TORCH = """
import sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "onnx", "scipy", "sklearn", "matplotlib"):
            raise ModuleNotFoundError(f"{name} is refused here", name=name)

sys.meta_path.insert(0, Refused())
sys.path.insert(0, SOURCE)
"""
SERVE = """
import json
from pathlib import Path
from fastapi.testclient import TestClient
from convscope.server.app import application
from convscope.server.model_store import ModelStore
from convscope.server.settings import ServerSettings

store = ModelStore([Path(sys.argv[1])], ServerSettings())
with TestClient(application(store, "127.0.0.1", 8080), base_url="http://127.0.0.1:8080") as client:
    content = Path(sys.argv[2]).read_bytes()
    explained = client.post("/explain", content=content).status_code
    card, described = client.get("/card").json(), client.get("/v2/models/model").json()
    print(json.dumps([client.post("/predict", content=content).json(), explained, card, described]))
assert "torch" not in sys.modules
"""
PREDICT = """
from convscope.cli.main import main
main()
"""


def run(script, *arguments):
    code = WITHOUT_TORCH.replace("SOURCE", repr(SOURCE)) + script
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=60
    )


@pytest.fixture(scope="module")
def exported(shipped):
    path = shipped.folder.parent / "model.onnx"
    path.write_bytes(shipped.model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def expected(shipped):
    from convscope.bundle import predict

    return [one.to_dict() for one in predict(shipped.source.model, shipped.source.config, shipped.files)]


@pytest.mark.slow
def test_the_command_line_predicts_an_exported_file_with_the_answers_of_the_run(exported, shipped, expected):
    result = run(PREDICT, "predict", exported, *shipped.files, "--json")
    assert result.returncode == 0, result.stderr
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for one, other in zip(found, expected, strict=True):
        assert (one["file"], one["label"]) == (other["file"], other["label"])
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)


@pytest.mark.slow
def test_the_server_answers_for_an_exported_file(exported, shipped, expected):
    result = run(SERVE, exported, shipped.files[0])
    assert result.returncode == 0, result.stderr
    answer, explained, card, described = json.loads(result.stdout)
    assert answer["predictions"][0]["label"] == expected[0]["label"]
    assert explained == 404
    assert (card["classes"], card["device"]) == (["cat", "dog", "owl"], "cpu")
    assert (described["platform"], described["inputs"][0]["shape"]) == ("onnxruntime_onnx", [-1, -1, -1, 3])


@pytest.mark.slow
def test_an_exported_file_refuses_views_that_need_its_run(exported, shipped):
    refused = run(PREDICT, "predict", exported, shipped.files[0], "--views", "5")
    assert refused.returncode == 2
    assert refused.stderr == (
        f"convscope: predict --views 5: {exported} has the views that training chose; give the folder of the run\n"
    )
