"""One exported network for all tests: converting takes seconds."""

from types import SimpleNamespace

import onnx
import pytest
from PIL import Image

from convscope.exporters.network import trace
from convscope.exporters.onnx_file import picture_model
from convscope.exporters.source import open_source_model
from helpers.bundles import drawn, saved


@pytest.fixture(scope="session")
def shipped(tmp_path_factory):
    """A saved model with its ONNX model, and files of several sizes: PNG and JPEG, some larger than twice the input."""
    folder = tmp_path_factory.mktemp("shipped")
    saved(folder / "model")
    source = open_source_model(folder / "model")
    traced = trace(source.network, source.config, source.task)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convscope.exporters.onnx_file.trace", lambda *_given: traced)
        model = picture_model(source)
    sizes = [(16, 12), (16, 12), (20, 31), (70, 50), (9, 40)]
    files = [drawn(folder / f"{number}.png", number, size) for number, size in enumerate(sizes)]
    Image.open(files[3]).save(folder / "5.jpg")
    files.append(folder / "5.jpg")
    return SimpleNamespace(source=source, model=model, files=files, folder=folder / "model", traced=traced)


@pytest.fixture
def copied(shipped):
    """The ONNX model, to be changed."""
    model = onnx.ModelProto()
    model.CopyFrom(shipped.model)
    return model
