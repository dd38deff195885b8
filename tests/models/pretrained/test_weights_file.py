"""Weights files as people have them: prefixes, several state dicts in one file, and files that are no weights."""

import argparse
import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from convscope.errors import ModelError
from convscope.models import MODELS
from convscope.models.pretrained.identify import identify_network
from convscope.models.pretrained.key_mapping import KEYS
from convscope.models.pretrained.state_dicts import load_state
from convscope.models.pretrained.weights_file import read_weights

State = dict[str, Tensor]


def as_torchvision(name: str, classes: int = 5) -> State:
    """A new network's tensors by torchvision's names."""
    network = MODELS[name](classes)
    theirs: dict[str, str] = {}
    for their, ours in KEYS[network.name](network):
        theirs.setdefault(ours, their)
    found = {}
    for key, tensor in network.state_dict().items():
        parts = key.split(".")
        start = next(".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in theirs)
        found[theirs[start] + key[len(start) :]] = tensor
    return found


@pytest.fixture(scope="module")
def squeezenet() -> State:
    torch.manual_seed(0)
    return as_torchvision("squeezenet1_1")


@pytest.fixture(scope="module")
def resnet() -> State:
    torch.manual_seed(0)
    return as_torchvision("resnet18")


def under(prefix: str, state: State) -> State:
    return {prefix + key: tensor for key, tensor in state.items()}


def headless(state: State) -> State:
    return {key: tensor for key, tensor in state.items() if not key.startswith("fc.")}


def saved(folder: Path, content: Any) -> Path:
    torch.save(content, folder / "w.pth")
    return folder / "w.pth"


@pytest.mark.parametrize(
    "prefix",
    [
        "", "module.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod.", "model.", "net.", "backbone.",
        "model.backbone.", "encoder.", "student.", "teacher.", "model.net._orig_mod.", "lit.anything.",
        "_fsdp_wrapped_module.",
    ],
)  # fmt: skip
def test_prefixes_of_wrappers_are_removed(tmp_path, squeezenet, prefix) -> None:
    weights = read_weights(saved(tmp_path, under(prefix, squeezenet)))
    assert weights.state.keys() == squeezenet.keys()
    assert weights.notes == ()
    assert identify_network(weights.state) == "squeezenet1_1"


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "model.", "backbone.", "module.encoder_q.", "ema"])
def test_weights_below_a_prefix_or_averaged_ones_give_the_same_logits(tmp_path, prefix) -> None:
    torch.manual_seed(1)
    network = MODELS["squeezenet1_1"](5).eval()
    given = as_torchvision("squeezenet1_1")
    load_state(network, given)
    plain = {name: tensor + 1 for name, tensor in given.items()}
    content = {"state_dict": plain, "ema": given} if prefix == "ema" else {"state_dict": under(prefix, given)}
    loaded = MODELS["squeezenet1_1"](5).eval()
    report = load_state(loaded, read_weights(saved(tmp_path, content)).state)
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded(x), network(x))
    assert (report.not_loaded, report.unused) == ((), ())


@pytest.mark.parametrize("key", ["state_dict", "model", "net", "weights", "model_state_dict", "params", "network"])
def test_state_dicts_are_found_under_any_key(tmp_path, squeezenet, key) -> None:
    optimiser = {"state": {0: {"exp_avg": torch.zeros(10**7)}}, "param_groups": [{"lr": 0.1}]}
    content = {key: under("module.", squeezenet), "epoch": 3, "acc": np.float64(0.9), "optimizer_state_dict": optimiser}
    weights = read_weights(saved(tmp_path, {**content, "args": argparse.Namespace(lr=1)}))
    assert weights.state.keys() == squeezenet.keys()
    assert weights.notes == ()


@pytest.mark.parametrize("key", ["state_dict_ema", "model_ema", "params_ema", "ema", "teacher"])
def test_averaged_weights_beside_plain_ones_are_used_and_said(tmp_path, squeezenet, key) -> None:
    averaged = {name: tensor + 1 for name, tensor in squeezenet.items()}
    weights = read_weights(saved(tmp_path, {"state_dict": squeezenet, key: averaged}))
    assert torch.equal(weights.state["features.0.weight"], averaged["features.0.weight"])
    assert weights.notes == (f"w.pth contains {key} and state_dict: {key} is used; save the other alone to use it",)


def test_of_two_encoders_the_trained_one_is_used_and_said(tmp_path, resnet) -> None:
    body = headless(resnet)
    follower = {name: tensor + 1 for name, tensor in body.items()}
    moco = {**under("module.encoder_k.", follower), **under("module.encoder_q.", body), "module.queue": torch.zeros(9)}
    moco["module.encoder_q.fc.0.weight"] = torch.zeros(4, 512)
    weights = read_weights(saved(tmp_path, {"state_dict": moco}))
    assert torch.equal(weights.state["conv1.weight"], body["conv1.weight"])
    assert weights.notes == (
        "w.pth: it contains the network as module.encoder_q and as module.encoder_k: module.encoder_q is used",
    )
    assert identify_network(weights.state) == "resnet18"


def test_tensors_beside_the_network_are_left_out_and_said(tmp_path, resnet) -> None:
    body = headless(resnet)
    weights = read_weights(saved(tmp_path, {**under("backbone.", body), "projector.0.weight": torch.zeros(3)}))
    assert weights.state.keys() == body.keys()
    assert weights.notes == (
        "w.pth: only tensors below backbone are used; 1 others, such as projector.0.weight, are not",
    )
    assert identify_network({**body, "criterion.weight": torch.zeros(5)}) == "resnet18"
    assert identify_network({**body, "layer4.2.conv1.weight": torch.zeros(5)}) is None


def test_a_resnet_in_a_sequential_is_recognised(tmp_path, resnet) -> None:
    numbers = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}
    parts = {name: name.partition(".") for name in headless(resnet)}
    numbered = {f"encoder.{numbers[first]}.{rest}": resnet[name] for name, (first, _, rest) in parts.items()}
    weights = read_weights(saved(tmp_path, numbered))
    assert identify_network(weights.state) == "resnet18"
    network = MODELS["resnet18"](3)
    assert load_state(network, weights.state).not_loaded == ("head.fc.weight", "head.fc.bias")
    assert torch.equal(network.stem.conv.weight, resnet["conv1.weight"])


def test_names_of_unknown_networks_lose_only_the_wrappers_that_all_share(tmp_path) -> None:
    own = {"module.model.first.weight": torch.zeros(2), "module.model.last.weight": torch.zeros(2)}
    assert list(read_weights(saved(tmp_path, own)).state) == ["first.weight", "last.weight"]
    mixed = {"model.first.weight": torch.zeros(2), "loss.weight": torch.zeros(2)}
    assert list(read_weights(saved(tmp_path, mixed)).state) == list(mixed)


def test_safetensors_are_told_by_their_content(tmp_path, squeezenet) -> None:
    from safetensors.torch import save

    (tmp_path / "model.bin").write_bytes(save(squeezenet))
    assert read_weights(tmp_path / "model.bin").state.keys() == squeezenet.keys()


def zip_of(names: list[str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty, 0 bytes; download or save it again"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 46830571\n",
            "a git-lfs pointer, not weights; run git lfs pull, or download the file itself",
        ),
        (
            b"\n<!DOCTYPE html><html><body>Sign in to continue</body></html>",
            "a web page, not weights, perhaps of a login or an error; download the file itself",
        ),
        (b"Not found, caf\xc3\xa9\n" * 100, "text, not weights; give a .safetensors or .pth file"),
        (
            zip_of(["readme.txt", "model.pth"]),
            "a zip archive of 2 other files, such as readme.txt, not weights; unpack it and give the weights "
            "file in it",
        ),
        (
            zip_of(["net/code/__torch__.py", "net/data.pkl"]),
            "a TorchScript program, not weights; save the state_dict of the module that torch.jit.load gives",
        ),
        (gzip.compress(b"x" * 99, mtime=0), "a compressed archive, not weights; unpack it and give the file in it"),
        (
            b"\x89HDF\r\n\x1a\n" + bytes(99),
            "an HDF5 file, such as Keras writes, not PyTorch weights; convert it to .safetensors",
        ),
        (
            b"\x93NUMPY\x01\x00" + bytes(99),
            "a NumPy array, not weights with names; give a .safetensors or .pth file",
        ),
        (bytes(range(256)), "the file is damaged (UnpicklingError); download or save it again"),
        (b"PK\x03\x04" + bytes(99), "the file is damaged (RuntimeError); download or save it again"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_files_that_are_no_weights_are_told_by_what_they_are(tmp_path, content, message, name) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_weights(tmp_path / name)
    if name == "w.safetensors" and "damaged" in message:
        message = "the file is damaged (SafetensorError); download or save it again"
    assert str(caught.value) == f"{tmp_path / name}: {message}"
