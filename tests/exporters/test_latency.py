"""Forms are timed where they are written, and the faster runtime predicts."""

import json
import shutil

import pytest

from convscope.api import open_predictor
from convscope.api import predict as predict_files
from convscope.devices import machine
from convscope.errors import ConfigError
from convscope.exported.runtimes import exported_of, typical_seconds
from convscope.exporters import latency
from convscope.exporters.latency import measure_forms, write_latency
from convscope.exporters.proof import expected_answers


def batches(seconds):
    return {"batches": {"1": {"median_seconds": seconds}, "16": {"median_seconds": 4 * seconds}}}


@pytest.fixture
def model(shipped, tmp_path):
    """A saved model with its exported file, which was the faster one on this machine."""
    folder = tmp_path / "model"
    shutil.copytree(shipped.folder, folder)
    (folder / "export").mkdir()
    (folder / "export" / "model.onnx").write_bytes(shipped.model.SerializeToString())
    timed(folder, 0.001)
    return folder


def timed(folder, file_seconds, **changes):
    facts = {"machine": machine(), "forms": {"run": batches(0.002), "onnx": batches(file_seconds)}, **changes}
    (folder / "export" / "latency.json").write_text(json.dumps(facts))


def chosen(folder, runtime="auto"):
    return exported_of(folder, folder / "model.safetensors", runtime)


def test_the_typical_time_is_the_geometric_mean_over_sizes_of_batches():
    assert typical_seconds(batches(0.5)["batches"]) == pytest.approx(1.0)


def test_auto_takes_the_file_if_it_was_faster_on_this_machine(model):
    assert chosen(model) is not None
    timed(model, 0.003)
    assert chosen(model) is None
    timed(model, 0.001, machine="another, 2 cores")
    assert chosen(model) is None
    (model / "export" / "latency.json").write_text("{")
    assert chosen(model) is None
    assert chosen(model, "torch") is None
    assert chosen(model, "onnx") is not None


def test_a_file_of_an_earlier_network_is_not_taken(model):
    (model / "model.safetensors").write_bytes(b"other weights")
    assert chosen(model) is None
    with pytest.raises(ConfigError) as caught:
        chosen(model, "onnx")
    assert str(caught.value) == (
        f"--runtime onnx: {model / 'export' / 'model.onnx'} has an earlier network of the run; write it again with: "
        f"convscope export {model}"
    )


def test_a_runtime_that_is_not_there_is_an_error(model):
    (model / "export" / "model.onnx").unlink()
    with pytest.raises(ConfigError) as caught:
        chosen(model, "onnx")
    assert str(caught.value) == (
        f"--runtime onnx: {model / 'export' / 'model.onnx'} does not exist; write it with: convscope export {model}"
    )
    with pytest.raises(ConfigError) as caught:
        open_predictor(model, 2, "onnx")
    expected = "--runtime onnx: several processes and other views need PyTorch; leave out one of both"
    assert str(caught.value) == expected


def test_both_runtimes_give_the_same_predictions(model, shipped):
    by_file, by_torch = (predict_files(model, shipped.files, runtime=runtime) for runtime in ("auto", "torch"))
    for one, other in zip(by_file, by_torch, strict=True):
        assert (one.file, one.label) == (other.file, other.label)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


def test_the_run_and_its_forms_are_measured_for_both_sizes_of_batches(shipped, monkeypatch):
    monkeypatch.setattr(latency, "SECONDS", 0)
    (example,) = expected_answers(shipped.source, [shipped.files[0].read_bytes()])
    sizes = []
    found = measure_forms(shipped.source, {"counted": lambda images: sizes.append(len(images))}, example.decoded)
    assert list(found) == ["run", "counted"]
    assert sizes == [1] * 6 + [16] * 6  # once to prepare, then five times
    for one in found.values():
        assert list(one["batches"]) == ["1", "16"]
        assert all(0 < size["median_seconds"] <= size["p95_seconds"] for size in one["batches"].values())


def test_measurements_of_the_same_network_on_the_same_machine_are_kept(shipped, tmp_path):
    path, line = write_latency(tmp_path, shipped.source, {"run": batches(0.002), "onnx": batches(0.001)})
    assert line == "run 2 ms and 8 ms, onnx 1 ms and 4 ms for 1 and 16 images; the fastest is onnx"
    write_latency(tmp_path, shipped.source, {"run": batches(0.003), "torch": batches(0.004)})
    found = json.loads(path.read_text())
    assert (found["machine"], found["weights_sha256"]) == (machine(), shipped.source.digest)
    assert {name: one["batches"]["1"]["median_seconds"] for name, one in found["forms"].items()} == {
        "run": 0.003, "onnx": 0.001, "torch": 0.004,
    }  # fmt: skip
    path.write_text(json.dumps({**found, "machine": "another"}))
    write_latency(tmp_path, shipped.source, {"run": batches(0.002)})
    assert list(json.loads(path.read_text())["forms"]) == ["run"]
