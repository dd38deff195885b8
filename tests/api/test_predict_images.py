"""Masks that `predict` writes: one per file, never over another or over an input."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from convscope.api import FailedFile, Prediction, Predictor
from convscope.errors import ConfigError, DataError
from convscope.tasks.segment import MaskPrediction
from helpers.box_files import photo


@pytest.fixture
def predictor(monkeypatch: pytest.MonkeyPatch) -> Predictor:
    """Its mask of the i-th file has the value i everywhere; files called bad fail."""

    def stream(_model: object, _config: object, files: list[Path], _views: object, _on_batch: object):
        for i, file in enumerate(files):
            if file.stem == "bad":
                yield FailedFile(str(file), "damaged")
            else:
                yield MaskPrediction(str(file), np.full((4, 4), i, np.uint8), (1.0,), ("ground",))

    monkeypatch.setattr(sys.modules["convscope.api.predict"], "stream", stream)  # whose name is also a function
    return Predictor(nn.Identity(), None, None)  # type: ignore[arg-type]


def test_every_file_has_a_mask_of_its_own(predictor: Predictor, tmp_path: Path) -> None:
    names = ("1.jpg", "1.png", "bad.png", "cam/a_1.jpg", "cam_a/1.jpg")
    for name in names:
        photo(tmp_path / "photos" / name)
    found = list(predictor.stream(tmp_path / "photos", out=tmp_path / "masks"))
    masks = {Path(one.saved).name: Path(one.file).name for one in found if isinstance(one, Prediction)}
    assert masks == {"1_jpg.png": "1.jpg", "1_png.png": "1.png", "a_1.png": "a_1.jpg", "cam_a_1.png": "1.jpg"}
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == sorted(masks)
    for i, one in enumerate(found):
        if isinstance(one, Prediction):
            assert (np.asarray(Image.open(one.saved)) == i).all()
            assert one.to_dict()["mask"] == one.saved


def test_an_input_is_never_overwritten(predictor: Predictor, tmp_path: Path) -> None:
    path = photo(tmp_path / "a.png")
    before = path.read_bytes()
    with pytest.raises(ConfigError) as caught:
        predictor.stream(tmp_path, out=tmp_path)
    assert str(caught.value) == (
        f"{path}: is one of the images to predict and would be overwritten; choose another folder"
    )
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(predictor: Predictor, tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    (tmp_path / "file").touch()
    with pytest.raises(DataError) as caught:
        list(predictor.stream(tmp_path / "a.png", out=tmp_path / "file"))
    assert str(caught.value) == f"{tmp_path / 'file'}: cannot be written (File exists); choose another folder"


def test_without_a_folder_nothing_is_written(predictor: Predictor, tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    (found,) = predictor.stream(tmp_path / "a.png")
    assert isinstance(found, Prediction)
    assert (found.saved, "mask" in found.to_dict()) == ("", False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
