"""Networks that are too large are refused before memory is taken, and impossible options in one line."""

import resource

import pytest

from convscope.errors import ModelError
from convscope.models import build, resolve
from convscope.models.toml.toml_network import network_from_toml

TOO_LARGE = "too large: more than 1,000,000,000 parameters or 10,000 tensors; make its width or depth smaller"
END = "{gap = true}, {linear = 'classes'}]"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet18", {"width": 10**9}),
        ("resnet18", {"width": 10**400}),
        ("vgg16", {"width": 10**9}),
        ("unet", {"width": 10**9}),
        ("mlp", {"widths": [10**9]}),
    ],
)
def test_widths_of_any_size_are_refused_without_memory(name, options):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError) as caught:
        build(resolve(name, 10, 3, (32, 32), options))
    assert str(caught.value) == f"{name}: {TOO_LARGE}"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # KiB


@pytest.mark.slow
def test_a_depth_of_any_size_is_refused_at_ten_thousand_tensors():
    with pytest.raises(ModelError) as caught:
        build(resolve("resnet18", 10, 3, (32, 32), {"width": 4, "depths": [10**9]}))
    assert str(caught.value) == f"resnet18: {TOO_LARGE}"


BLOCKS = {
    "repeated without end": (
        "blocks = [{act = 'relu', repeat = 1000000000}, " + END,
        "network.toml: 1,000,000,002 blocks with their repetitions; the most are 10,000",
    ),
    "repeated inside repeated": (
        "blocks = [{repeat = 1000, blocks = [{act = 'relu', repeat = 1000}]}, " + END,
        "network.toml: 1,001,002 blocks with their repetitions; the most are 10,000",
    ),
    "too wide": ("blocks = [{conv = 1000000000}, " + END, f"network.toml: {TOO_LARGE}"),
    "too large a kernel": ("blocks = [{conv = 8, size = 1000000001}, " + END, f"network.toml: {TOO_LARGE}"),
    "too deep": (
        "blocks = " + "[{blocks = " * 300 + "[{conv = 1}]" + "}]" * 300,
        "network.toml: its blocks are nested 602 deep; the most are 100",
    ),
}


@pytest.mark.parametrize(("text", "message"), BLOCKS.values(), ids=BLOCKS)
def test_toml_networks_of_any_size_are_refused(text, message):
    with pytest.raises(ModelError) as caught:
        network_from_toml(10, text=text)
    assert str(caught.value).replace(", line 1", "") == message


@pytest.mark.parametrize(("name", "options"), [("resnet18", {"depths": []}), ("unet", {"encoder": 5})])
def test_impossible_options_are_refused_in_one_line(name, options):
    with pytest.raises(ModelError) as caught:
        build(resolve(name, 10, 3, (32, 32), options))
    assert str(caught.value).startswith(f"{name}: cannot be built with these options (")
    assert str(caught.value).endswith("); check their values")
    assert len(str(caught.value).splitlines()) == 1
