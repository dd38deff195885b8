"""Saved models: loading restores what was saved, and invalid files are rejected with one-line messages."""

import errno
import json
import os
import pickle

import pytest
import torch
from safetensors.torch import load_file
from safetensors.torch import save as safetensors_bytes

from convscope.bundle import load_bundle, save_bundle, save_config
from convscope.errors import ModelError, RunError
from convscope.files import atomic_write
from convscope.models import build
from helpers.bundles import saved


def test_loading_restores_a_saved_bundle(tmp_path):
    model, config = saved(tmp_path)
    opened, read = load_bundle(tmp_path)
    x = torch.randn(2, 3, 16, 12)
    with torch.no_grad():
        assert torch.equal(model(x), opened(x))
    assert read == config
    assert not any(module.training for module in opened.modules())


def test_a_bundle_is_two_files_of_plain_data(tmp_path):
    saved(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    content = json.loads((tmp_path / "config.json").read_text())
    assert content["classes"] == ["cat", "dog", "owl"]
    assert content["architecture"] == {
        "name": "resnet18",
        "classes": 3,
        "channels": 3,
        "size": [16, 12],
        "options": {"stem": "small", "width": 4, "depths": [1, 1]},
    }
    assert content["format"] == 2
    assert content["preprocessing"] == {
        "kind": "image",
        "size": [16, 12],
        "channels": 3,
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.25, 0.3],
        "white": [65535.0],
        "black": [0.0],
        "alpha": True,
        "background": 255,
        "fit": "crop",
        "shown_channels": [],
    }


def test_saving_over_a_bundle_replaces_it(tmp_path):
    saved(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"old")
    model, _ = saved(tmp_path)
    assert torch.equal(load_bundle(tmp_path)[0].head.fc.weight, model.head.fc.weight)


def test_auxiliary_classifiers_are_not_saved(tmp_path):
    """Only training uses them: 17.6 MB instead of 0.7 for a network of 150,000 parameters."""
    _, without = saved(tmp_path)
    options = {**without.architecture.options, "auxiliary": [0]}
    config = without.model_copy(update={"architecture": without.architecture.model_copy(update={"options": options})})
    model = build(config.architecture).eval()
    save_bundle(tmp_path, model, config)
    opened, read = load_bundle(tmp_path)
    assert not [name for name in load_file(tmp_path / "model.safetensors") if name.startswith("auxiliary")]
    assert (tmp_path / "model.safetensors").stat().st_size < 20_000
    assert read == without
    x = torch.randn(2, 3, 16, 12)
    with torch.no_grad():
        assert torch.equal(model(x), opened(x))
    assert len(model.auxiliary) == 1


class RunsWhenOpened:
    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return (os.mkdir, (str(self.proof),))


@pytest.mark.parametrize("disguise", ["pickle", "torch archive"])
def test_a_pickle_is_rejected_and_never_executed(tmp_path, disguise):
    saved(tmp_path)
    file, harm = tmp_path / "model.safetensors", RunsWhenOpened(tmp_path / "harm")
    if disguise == "pickle":
        file.write_bytes(pickle.dumps({"stem": harm}))
    else:
        torch.save({"stem": harm}, file)
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path)
    assert str(caught.value) == (
        f"{file}: this is a pickle or an archive of them, which can run code when opened, so it is not opened; "
        "save the weights as safetensors"
    )
    assert not (tmp_path / "harm").exists()


def test_weights_whose_header_starts_like_a_pickle_are_opened(tmp_path):
    """A safetensors file starts with the length of its header, whose first byte may be that of a pickle."""
    model, config = saved(tmp_path)
    file = tmp_path / "model.safetensors"
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    padded = length + (0x80 - length) % 0x100
    header = content[8 : 8 + length].ljust(padded)
    file.write_bytes(padded.to_bytes(8, "little") + header + content[8 + length :])
    assert file.read_bytes()[:1] == b"\x80"
    save_config(tmp_path, config)
    opened, _ = load_bundle(tmp_path)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), opened.parameters(), strict=True))


WHOLE = safetensors_bytes({"weight": torch.zeros(10, 10)})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (WHOLE[:-5], "Error while deserializing header: incomplete metadata, file not fully covered"),
        (WHOLE[:20], "Error while deserializing header: invalid header length"),
        (b"", "Error while deserializing header: header too small"),
        (b"these are not weights at all", "Error while deserializing header: header too large"),
    ],
    ids=["cut off", "cut off in the header", "empty", "something else"],
)
def test_damaged_weights_are_rejected(tmp_path, content, why):
    saved(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path)
    assert str(caught.value) == f"{file}: truncated or damaged ({why}); copy or train the model again"


@pytest.mark.parametrize("change", ["another width", "a tensor too many", "a tensor too few"])
def test_weights_of_another_network_are_rejected(tmp_path, change):
    model, _ = saved(tmp_path)
    state = model.state_dict()
    if change == "another width":
        state["head.fc.weight"] = torch.zeros(3, 5)
    elif change == "a tensor too many":
        state["head.fc.more"] = torch.zeros(1)
    else:
        del state["head.fc.bias"]
    file = tmp_path / "model.safetensors"
    file.write_bytes(safetensors_bytes(state))
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path)
    named = {"another width": "weight", "a tensor too many": "more", "a tensor too few": "bias"}[change]
    assert str(caught.value) == (
        f"{file}: 1 tensors do not match the resnet18 in config.json, such as head.fc.{named}; "
        "use both files of the same run"
    )


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: contains no config.json; give the folder of a run or of a model written by convscope"
    )
    saved(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'model.safetensors'}: no such file; a model's folder needs model.safetensors beside config.json"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"task": "classify"', "not JSON: Expecting ',' delimiter: line 1 column 20 (char 19)"),
        ('{"task": "classify"}', "classes: field required"),
    ],
)
def test_an_incomplete_config_is_rejected(tmp_path, text, why):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'config.json'}: does not describe a convscope model ({why}); copy the model again"
    )


def test_an_unknown_kind_of_input_is_rejected(tmp_path):
    saved(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(file.read_text().replace('"kind": "image"', '"kind": "smell"'))
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path)
    assert str(caught.value) == (
        f"{file}: does not describe a convscope model (preprocessing: no kind of input smell; "
        "choose one of image, series, sound, sound_wave, text, volume); copy the model again"
    )


def test_a_model_of_an_older_format_is_rejected(tmp_path):
    (tmp_path / "config.json").write_text('{"format": 1, "task": "classify"}')
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'config.json'}: its format is 1, and this convscope reads 2; train the model again, "
        "or open it with the convscope that wrote it"
    )


def test_a_failed_write_leaves_the_file_unchanged(tmp_path, monkeypatch):
    file = tmp_path / "config.json"
    atomic_write(file, b"first")

    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError) as caught:
        atomic_write(file, b"second")
    assert str(caught.value) == (
        f"{file}: cannot be written (No space left on device) and was left unchanged; "
        "free some space or choose another folder"
    )
    assert file.read_bytes() == b"first"
    assert [left.name for left in tmp_path.iterdir()] == ["config.json"], "nothing half written is left behind"
