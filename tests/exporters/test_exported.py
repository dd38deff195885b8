"""Exported files predict as the run does."""

import pytest

from convscope.bundle import FailedFile, predict
from convscope.errors import ConfigError, ModelError
from convscope.exported import Exported, open_exported
from convscope.exporters import ExportRequest, export_model
from convscope.predictions.files import predict_files


@pytest.fixture(scope="module")
def opened(shipped):
    return Exported.from_bytes(shipped.model.SerializeToString(), shipped.folder / "model.onnx", 1)


def test_predictions_of_files_are_those_of_predict(shipped, opened, tmp_path):
    (tmp_path / "damaged.png").write_bytes(b"no image")
    files = [*shipped.files, tmp_path / "damaged.png"]
    expected = list(predict(shipped.source.model, shipped.source.config, files))
    found = list(predict_files(opened, files))
    assert found[-1] == expected[-1]
    assert isinstance(found[-1], FailedFile)
    for one, other in zip(found[:-1], expected[:-1], strict=True):
        assert (one.file, one.label) == (other.file, other.label)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


def test_answers_to_bytes_are_records_and_damaged_images_have_an_error(shipped, opened):
    first, second = opened.answers([shipped.files[3].read_bytes(), b"no image"])
    assert list(first) == ["label", "confidence", "probabilities"]
    assert first["label"] in ("cat", "dog", "owl")
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    assert second == {"error": "not an image in a supported format; convert it to PNG or JPEG, or delete it"}


def test_the_file_says_what_it_is(opened):
    facts = opened.session.get_modelmeta().custom_metadata_map
    assert facts["task"] == "classify"
    assert facts["classes"] == '["cat", "dog", "owl"]'
    assert len(facts["weights_sha256"]) == 64
    assert [(one.name, one.shape) for one in opened.session.get_outputs()] == [
        ("label", ["batch"]), ("confidence", ["batch"]), ("probabilities", ["batch", 3]),
    ]  # fmt: skip


def test_a_file_that_is_missing_or_no_model_is_named(tmp_path):
    with pytest.raises(ModelError) as caught:
        open_exported(tmp_path / "gone.onnx")
    assert str(caught.value) == f"{tmp_path / 'gone.onnx'}: no such file; write it with: convscope export RUN"
    (tmp_path / "text.onnx").write_text("text")
    with pytest.raises(ModelError) as caught:
        open_exported(tmp_path / "text.onnx")
    expected = f"{tmp_path / 'text.onnx'}: not an ONNX model that ONNX Runtime opens; export the run again"
    assert str(caught.value) == expected


def test_a_saved_model_needs_images_for_its_proof(shipped, tmp_path):
    with pytest.raises(ConfigError) as caught:
        export_model("onnx", ExportRequest(shipped.folder, tmp_path))
    assert str(caught.value) == (
        f"export {shipped.folder}: a saved model has no validation images to prove the export; give some with --images"
    )
    assert not list(tmp_path.iterdir())
