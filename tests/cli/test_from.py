"""``convscope train --from``: what is refused, in one line each; and identification of the published weights."""

import pytest
import torch

from convscope.models.pretrained.identify import identify_network
from convscope.models.pretrained.published import PUBLISHED
from convscope.models.pretrained.weights_file import read_state
from helpers.small_runs import photos

KNOWN = ", ".join(sorted(PUBLISHED))

pytestmark = pytest.mark.usefixtures("no_report")


@pytest.fixture
def refused(convscope, tmp_path):
    """Return a function from flags to the one line that a training of photos is refused with."""
    source = photos(tmp_path / "photos")

    def run(*words):
        code, out, error = convscope("train", source, "--out", tmp_path / "run", *words)
        assert (code, out) == (2, "")
        assert not (tmp_path / "run").exists()
        return error.removeprefix("convscope: ").removesuffix("\n")

    return run


def test_a_source_that_is_neither_file_nor_run_nor_network_is_an_error(refused, tmp_path):
    assert refused("--from", "imagnet") == "--from imagnet: no such file, run or network; did you mean imagenet?"
    assert refused("--from", tmp_path / "w.pth") == (
        f"--from {tmp_path / 'w.pth'}: no such file, run or network; give imagenet, a weights file, a run's folder or "
        "a network's name, such as mobilenet_v2"
    )
    assert refused("--from", "lenet") == f"--from lenet: no published weights are known for it; choose one of {KNOWN}"
    assert refused("--from", "imagenet", "--model", "lenet") == (
        f"--from imagenet: no published ImageNet weights are known for lenet; choose one of {KNOWN}, or give a file"
    )
    assert refused("--from", "resnet18", "--model", "resnet34") == (
        "--from resnet18: these weights are not for resnet34; remove --from or --model"
    )


def test_without_a_network_connection_the_message_says_where_to_place_the_file(refused, tmp_path, monkeypatch):
    def unreachable(*_given, **_named):
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    monkeypatch.setattr("convscope.runs.pretrained.installed", lambda _published: None)
    monkeypatch.setattr("convscope.models.pretrained.download.download_folder", lambda: tmp_path / "weights")
    known = PUBLISHED["mobilenet_v2"]
    assert refused("--from", "imagenet") == (
        f"weights {known.file}: download of {known.url} failed (no route to host); "
        "download it elsewhere and save it as "
        f"{tmp_path / 'weights' / known.file}, or give --from FILE"
    )


def test_weights_of_another_network(refused, tmp_path):
    torch.save({"features.3.squeeze.weight": torch.zeros(3)}, tmp_path / "odd.pth")
    assert refused("--from", tmp_path / "odd.pth") == (
        f"{tmp_path / 'odd.pth'}: its tensor names, such as features.3.squeeze.weight, match no known network; "
        "give its name with --set model.name=NAME"
    )
    assert refused("--from", tmp_path / "odd.pth", "--model", "resnet20") == (
        f"{tmp_path / 'odd.pth'}: the weights do not match this resnet: "
        "stages.0.0.body.0.conv.weight needs 16x16x3x3, the file has nothing; "
        "stages.0.0.body.0.norm.weight needs 16, the file has nothing; "
        "stages.0.0.body.0.norm.bias needs 16, the file has nothing; "
        "stages.0.0.body.0.norm.running_mean needs 16, the file has nothing; "
        "stages.0.0.body.0.norm.running_var needs 16, the file has nothing and 85 more; "
        "its own names are features.3.squeeze.weight ...; "
        "choose the network they belong to"
    )
    (tmp_path / "empty").mkdir()
    assert refused("--from", tmp_path / "empty") == (
        f"{tmp_path / 'empty'}: not a run, because it has no recipe.toml; give a folder that convscope train wrote"
    )


def test_plans_that_do_not_fit(refused, finished):
    assert refused("--from", finished, "--replace-fc", "3") == (
        "transfer.replace_fc is 3, but the head has 1 layer with weights; give 0 to 1"
    )
    assert refused("--from", finished, "--epochs", "4", "--unfreeze-at", "5") == (
        "transfer.unfreeze_at is 5, but training has 4 epochs; give 1 to 4, or 0 for never"
    )
    assert refused("--from", finished, "--unfreeze-at", "-1") == (
        "--unfreeze-at: transfer.unfreeze_at is -1; it should be greater than or equal to 0"
    )
    assert refused("--from", finished, "--encoder-lr", "0.1y") == (
        "--encoder-lr: transfer.encoder_lr is '0.1y'; "
        "write a factor of the head's learning rate like 0.1x, or a rate like 1e-3"
    )
    assert refused("--from", finished, "--model", "lenet") == (
        f"{finished}: its network is a resnet18, not a lenet; remove --model"
    )
    assert refused("--from", finished, "--replace-fc", "0") == (
        f"transfer.replace_fc is 0, but {finished / 'model'} has no weights that fit head.fc; set it to 1 or more"
    )


def test_a_plan_without_weights_is_refused(refused):
    assert refused("--unfreeze-at", "3") == (
        "transfer.unfreeze_at is set, but the network is trained from scratch; give pretrained weights with --from"
    )


@pytest.mark.parametrize(
    ("file", "network"),
    [
        ("derived_mobilenet_v2_imagenet.pth", "mobilenet_v2"),
        ("derived_squeezenet1_0_deepcompression_fp16.pth", "squeezenet1_0"),
        ("cifar10_resnet20-12fca82f.th", "resnet20"),
        ("derived_mobilenetv1_025_statedict.pth", None),
    ],
)
def test_real_weights_tell_which_network_they_are_of(shared_data, file, network):
    assert identify_network(read_state(shared_data("weights") / file)) == network
