"""External state dicts: files, key mapping, mismatches, and published weights."""

import hashlib
import json
import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from convscope.errors import ModelError
from convscope.models import MODELS, Architecture
from convscope.models.pretrained.download import fetch, load_pretrained, sha256
from convscope.models.pretrained.published import PUBLISHED, PublishedWeights
from convscope.models.pretrained.state_dicts import load_state
from convscope.models.pretrained.weights_file import read_state

SMALL = Architecture(name="resnet18", classes=5, channels=3, size=(32, 32), options={"width": 4, "stem": "small"})


def small(classes: int = 5, channels: int = 3) -> nn.Module:
    return MODELS["resnet18"](classes, channels=channels, width=4, stem="small")


def test_weights_are_read_from_safetensors_and_pth_files(tmp_path) -> None:
    state = small().state_dict()
    save_file(state, tmp_path / "w.safetensors")
    torch.save({"state_dict": {f"module.{name}": one for name, one in state.items()}}, tmp_path / "w.pth")
    for name in ("w.safetensors", "w.pth"):
        network, loaded = load_pretrained(SMALL, tmp_path / name)
        assert all(torch.equal(state[key], one) for key, one in network.state_dict().items())
        assert (loaded.not_loaded, loaded.unused, loaded.licence) == ((), (), "not stated")
    network, loaded = load_pretrained(SMALL, state)
    assert torch.equal(network.head.fc.weight, state["head.fc.weight"])
    assert json.loads(json.dumps(loaded.to_json()))["source"] == "a state dict"


def test_other_classes_and_other_channels_are_adapted_and_reported() -> None:
    loaded = load_state(network := small(classes=7, channels=1), (state := small().state_dict()))
    assert loaded.not_loaded == ("head.fc.weight", "head.fc.bias")
    assert loaded.adapted == ("stem.conv.weight",)
    assert torch.allclose(network.stem.conv.weight, state["stem.conv.weight"].sum(1, keepdim=True))
    loaded = load_state(network := small(channels=5), state)
    assert (loaded.not_loaded, loaded.adapted) == ((), ("stem.conv.weight",))
    first = state["stem.conv.weight"]
    assert torch.allclose(network.stem.conv.weight, torch.cat([first, first[:, :2]], 1) * 3 / 5)


def test_unused_tensors_of_the_file_are_listed() -> None:
    state = {**small().state_dict(), "extra.weight": torch.zeros(3)}
    assert load_state(small(), state).unused == ("extra.weight",)


def test_the_encoder_of_a_u_net_loads_the_weights_of_its_family() -> None:
    state = MODELS["resnet18"](5, width=4).state_dict()
    model = MODELS["unet"](2, channels=3, encoder="resnet18", encoder_options={"width": 4})
    loaded = load_state(model, state)
    assert torch.equal(model.stages[3][1].body[2].conv.weight, state["stages.3.1.body.2.conv.weight"])
    assert all(name.startswith(("decoder.", "head.")) for name in loaded.not_loaded)


def test_half_precision_is_converted() -> None:
    state = {name: one.half() if one.is_floating_point() else one for name, one in small().state_dict().items()}
    load_state(network := small(), state)
    assert network.head.fc.weight.dtype == torch.float32
    assert torch.equal(network.head.fc.weight, state["head.fc.weight"].float())


class Code:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code ran')",))


def test_invalid_weights_files_are_rejected_and_no_code_runs(tmp_path) -> None:
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Code()))
    torch.save({"model": Code()}, zipped := tmp_path / "zipped.pth")
    (broken := tmp_path / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    torch.save([1, 2], numbers := tmp_path / "numbers.pth")
    messages = {
        tmp_path / "none.pth": "no such weights file; give a .safetensors or .pth file",
        path: "it contains Python objects besides tensors, which could run code; save only its state_dict",
        zipped: "it contains Python objects besides tensors, which could run code; save only its state_dict",
        broken: "the file is damaged (SafetensorError); download or save it again",
        numbers: "it contains no tensors; give a state dict",
    }
    for file, message in messages.items():
        with pytest.raises(ModelError) as caught:
            read_state(file)
        assert str(caught.value) == f"{file}: {message}"


def test_weights_of_another_network_are_rejected_with_the_first_mismatches() -> None:
    with pytest.raises(ModelError) as caught:
        load_state(small(), MODELS["resnet18"](5, width=6, stem="small").state_dict(), "other.pth")
    assert str(caught.value) == (
        "other.pth: the weights do not match this resnet: "
        "stages.0.0.body.0.conv.weight needs 4x4x3x3, the file has 6x6x3x3; "
        "stages.0.0.body.0.norm.weight needs 4, the file has 6; "
        "stages.0.0.body.0.norm.bias needs 4, the file has 6; "
        "stages.0.0.body.0.norm.running_mean needs 4, the file has 6; "
        "stages.0.0.body.0.norm.running_var needs 4, the file has 6 and 90 more; choose the network they belong to"
    )


def test_published_weights_are_downloaded_once_and_verified(tmp_path, monkeypatch) -> None:
    torch.save(small().state_dict(), home := tmp_path / "net.pth")
    digest = hashlib.sha256(home.read_bytes()).hexdigest()
    published = PublishedWeights("net.pth", digest[:8], tmp_path.as_uri() + "/", "CC0")
    monkeypatch.setitem(PUBLISHED, "resnet18", published)
    kept = tmp_path / "cache"
    network, loaded = load_pretrained(SMALL, "imagenet", kept)
    assert (loaded.source, loaded.licence, loaded.published) == (published.url, "CC0", published)
    assert torch.equal(network.head.fc.weight, torch.load(home, weights_only=True)["head.fc.weight"])
    home.unlink()
    assert sha256(fetch(published, kept)) == digest
    assert [path.name for path in kept.iterdir()] == ["net.pth"]


def test_a_failed_download_names_the_path_for_the_file(tmp_path) -> None:
    published = PublishedWeights("net.pth", "12345678", "http://127.0.0.1:9/")
    with pytest.raises(ModelError) as caught:
        fetch(published, tmp_path)
    assert str(caught.value) == (
        "weights net.pth: download of http://127.0.0.1:9/net.pth failed ([Errno 111] Connection refused); "
        f"download it elsewhere and save it as {tmp_path / 'net.pth'}, or give --from FILE"
    )
    (tmp_path / "net.pth").write_bytes(b"something else")
    begins = hashlib.sha256(b"something else").hexdigest()[:8]
    with pytest.raises(ModelError) as caught:
        fetch(published, tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'net.pth'}: its SHA-256 begins with {begins}, expected 12345678; delete it and download it again"
    )


def test_a_network_without_published_weights_lists_those_with_some() -> None:
    with pytest.raises(ModelError) as caught:
        load_pretrained(SMALL.model_copy(update={"name": "resnet20", "options": {}}), "imagenet")
    assert str(caught.value) == "weights: no published ImageNet weights for resnet20; did you mean resnet50?"


def pictures(folder, side: int):
    """Yield batches of pixels in [0, 1]: shorter side to 256, centre crop of `side` x `side`, as the weights expect."""
    from PIL import Image
    from torchvision.transforms import functional  # the oracle's own preprocessing

    files = sorted(folder.iterdir())
    for start in range(0, len(files), 10):
        batch = []
        for path in files[start : start + 10]:
            image = functional.resize(Image.open(path).convert("RGB"), 256)
            batch.append(functional.to_tensor(functional.center_crop(image, [side, side])))
        yield torch.stack(batch)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("name", "file", "top1", "top5"),
    [
        ("mobilenet_v2", "derived_mobilenet_v2_imagenet.pth", 84.2, 96.9),
        ("squeezenet1_0", "derived_squeezenet1_0_deepcompression_fp16.pth", 61.1, 83.3),
    ],
)
def test_published_imagenet_weights_classify_one_image_of_each_class(shared_data, name, file, top1, top5) -> None:
    """The figures published with the data were measured on larger copies of the same images.

    The network itself is verified on the first ten images, where torchvision's gives the same logits.
    """
    from helpers.oracles import torchvision_models

    theirs = getattr(torchvision_models(), name)().eval()
    theirs.load_state_dict({key: one.float() for key, one in read_state(shared_data("weights") / file).items()})
    folder, weights = shared_data("imagenet_sample256"), shared_data("weights") / file
    architecture = Architecture(name=name, classes=1000, channels=3, size=(224, 224))
    network, loaded = load_pretrained(architecture, weights)
    assert (loaded.not_loaded, loaded.unused) == ((), ())
    network.eval()
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in (PUBLISHED[name].mean, PUBLISHED[name].std))
    first, fifth, num_images = 0, 0, 0
    with torch.no_grad():
        for x in pictures(folder, 224):
            y = torch.arange(num_images, num_images + len(x))
            logits = network((x - mean) / std)
            if num_images == 0:
                assert torch.equal(logits, theirs((x - mean) / std))
            best = logits.topk(5).indices
            first += int((best[:, 0] == y).sum())
            fifth += int((best == y[:, None]).any(1).sum())
            num_images += len(x)
    print(f"{name}: top-1 {100 * first / num_images:.1f}, top-5 {100 * fifth / num_images:.1f} of {num_images}")
    assert num_images == 1000
    assert 100 * first / num_images == pytest.approx(top1, abs=2.5)
    assert 100 * fifth / num_images == pytest.approx(top5, abs=2.5)


@pytest.mark.slow
def test_the_published_resnet_20_reaches_the_stated_cifar_accuracy(shared_data) -> None:
    """Option-A shortcuts and the names of the common CIFAR weights; one correct image more than the stated 1,833."""
    from helpers.oracles import torchvision_models

    torchvision_models()
    from PIL import Image
    from torchvision.transforms import functional

    architecture = Architecture(name="resnet20", classes=10, channels=3, size=(32, 32))
    network, loaded = load_pretrained(architecture, shared_data("weights") / "cifar10_resnet20-12fca82f.th")
    assert (loaded.not_loaded, loaded.unused) == ((), ())
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in (PUBLISHED["resnet18"].mean, PUBLISHED["resnet18"].std))
    right = count = 0
    folders = sorted((shared_data("cifar10_subset") / "test").iterdir())
    with torch.no_grad():
        for label, folder in enumerate(folders):
            x = torch.stack(
                [functional.to_tensor(Image.open(path).convert("RGB")) for path in sorted(folder.iterdir())]
            )
            right += int((network.eval()((x - mean) / std).argmax(1) == label).sum())
            count += len(x)
    print(f"resnet20: {100 * right / count:.2f} of {count}")
    assert count == 2000
    assert 100 * right / count == pytest.approx(91.65, abs=0.1)
