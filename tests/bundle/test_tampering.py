"""Files of a saved model that were changed, damaged or mixed up are refused in one line, and no answer is nan."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from convscope.bundle import FailedFile, load_bundle, load_config, predict, save_bundle, save_config
from convscope.errors import ModelError
from helpers.bundles import drawn, saved


def edited(folder, change):
    file = folder / "config.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    return file


CHANGES = {
    "reversed classes": lambda content: content["classes"].reverse(),
    "a wrong mean": lambda content: content["preprocessing"].update(mean=[0.1, 0.4, 0.3]),
    "another fit": lambda content: content["preprocessing"].update(fit="stretch"),
    "no digest": lambda content: content.pop("digest"),
    "another task setting": lambda content: content.update(mirrored=True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_configuration_is_refused(tmp_path, change):
    saved(tmp_path)
    file = edited(tmp_path, change)
    with pytest.raises(ModelError) as caught:
        load_config(tmp_path)
    assert str(caught.value) == (
        f"{file}: was changed after the model was saved, because its digest does not match; copy the model again, "
        "or write an intended change with convscope.bundle.save_config"
    )


INVALID = {
    "std 0": (
        lambda content: content["preprocessing"].update(std=[0.0, 0.2, 0.2]),
        "preprocessing: mean is (0.5, 0.4, 0.3) and std (0.0, 0.2, 0.2); they are finite and std is above 0",
    ),
    "a mean too few": (
        lambda content: content["preprocessing"].update(mean=[0.5, 0.4]),
        "preprocessing: mean and std need one number for each of 3 channels",
    ),
    "a giant size": (
        lambda content: content["preprocessing"].update(size=[10**9, 10**9]),
        "preprocessing: size is (1000000000, 1000000000); its sides are from 1 to 32,768",
    ),
    "equal classes": (lambda content: content.update(classes=["cat"] * 3), "classes: 3 classes are called cat"),
}


@pytest.mark.parametrize(("change", "why"), INVALID.values(), ids=INVALID)
def test_an_impossible_configuration_is_refused(tmp_path, change, why):
    saved(tmp_path)
    file = edited(tmp_path, change)
    with pytest.raises(ModelError) as caught:
        load_config(tmp_path)
    assert str(caught.value) == f"{file}: does not describe a convscope model ({why}); copy the model again"


def test_an_intended_change_can_be_written(tmp_path):
    saved(tmp_path)
    save_config(tmp_path, load_config(tmp_path).model_copy(update={"classes": ("Katze", "Hund", "Eule")}))
    assert load_bundle(tmp_path)[1].classes == ("Katze", "Hund", "Eule")


def test_weights_of_another_network_of_the_same_shape_are_refused(tmp_path):
    model, config = saved(tmp_path / "one")
    with torch.no_grad():
        model.head.fc.weight.add_(1)
    save_bundle(tmp_path / "other", model, config)
    file = tmp_path / "one" / "model.safetensors"
    shutil.copy(tmp_path / "other" / "model.safetensors", file)
    with pytest.raises(ModelError) as caught:
        load_bundle(tmp_path / "one")
    assert str(caught.value) == (
        f"{file}: not the weights that were saved with config.json, because their digest differs; "
        "use both files of the same run"
    )


def test_a_configuration_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    saved(tmp_path)
    file = tmp_path / "config.json"
    with file.open("r+b") as content:
        content.truncate(3 * 10**9)  # sparse: it takes no space
    with pytest.raises(ModelError) as caught:
        load_config(tmp_path)
    assert str(caught.value) == (
        f"{file}: does not describe a convscope model (not JSON: 3,000,000,000 bytes, and at most 50,000,000 are "
        "read); copy the model again"
    )


def test_no_prediction_is_nan(tmp_path):
    model, config = saved(tmp_path)
    file = drawn(tmp_path / "images" / "a.png")
    assert not isinstance(next(predict(model, config, [file])), FailedFile)
    state = load_file(tmp_path / "model.safetensors")
    state["head.fc.weight"][0, 0] = float("nan")
    save_file(state, tmp_path / "model.safetensors")
    save_config(tmp_path, config)
    opened, read = load_bundle(tmp_path)
    with pytest.raises(ModelError) as caught:
        list(predict(opened, read, [file]))
    assert str(caught.value) == (
        f"{file}: the network's output for it is not a finite number; check the weights, or train the model again"
    )
