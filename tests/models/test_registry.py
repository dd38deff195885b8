"""Names, options and sizes of the registry, and the errors for invalid ones."""

import pytest
import torch

from convscope.errors import ModelError
from convscope.models import MODELS, Architecture, build, resolve


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: resolve("resnet19", 10, 3, (64, 64)), "model: no network resnet19; did you mean resnet18?"),
        (lambda: MODELS["resnet18"](stemm="small"), "resnet: no option stemm; did you mean stem?"),
        (
            lambda: MODELS["resnet18"](stem="tiny"),
            "resnet: option stem is 'tiny'; it should be 'standard' or 'small'",
        ),
        (lambda: MODELS["resnet18"](activation="rleu"), "activation: no rleu; did you mean relu?"),
        (
            lambda: MODELS["resnet18"](activation="leaky:x"),
            "activation: leaky:x has no number after the colon; write leaky or leaky:0.1",
        ),
        (lambda: MODELS["resnet18"](activation="relu:2"), "activation: relu takes no number, got 2; write relu"),
        (
            lambda: MODELS["resnet18"](padding="none"),
            "resnet: padding none gives parallel paths different sizes; choose zeros or edge",
        ),
        (
            lambda: MODELS["resnet18"](rank=4),
            "resnet: rank is 4; choose 1 (sound, series), 2 (images) or 3 (volumes)",
        ),
        (lambda: MODELS["resnet18"](channels=0), "resnet: channels is 0; give 1 for grey, 3 for colour images"),
        (
            lambda: MODELS["resnet18"](size=(28,)),
            "resnet: size 28 does not fit rank 2; give 2 sides of at least 1",
        ),
        (
            lambda: MODELS["resnet18"](head="flatten"),
            "resnet: head flatten fits one image size and none is given; give size=(H, W) or head='gap'",
        ),
        (
            lambda: MODELS["mlp"](),
            "mlp: no image size is given, and it has a weight for every pixel; give size=(H, W)",
        ),
        (
            lambda: MODELS["lenet"](size=10),
            "lenet: an input of 10x10 is too small; the smallest that works is 16x16",
        ),
        (
            lambda: MODELS["lenet"]()(torch.zeros(1, 1, 40, 40)),
            "lenet: built for 32x32 and the input is 40x40; resize to 32x32 or build it with size=(40, 40)",
        ),
        (
            lambda: MODELS["lenet"]()(torch.zeros(1, 3, 32, 32)),
            "lenet: built for 1 channels and the input has 3; convert the images or build it with channels=3",
        ),
        (
            lambda: MODELS["lenet"]()(torch.zeros(1, 32, 32)),
            "lenet: the input has 3 dimensions; give a batch of 4 (B, C, H, W)",
        ),
    ],
)
def test_invalid_networks_and_inputs_raise_an_error(make, message) -> None:
    with pytest.raises(ModelError) as caught:
        make()
    assert str(caught.value) == message


def test_small_images_get_a_stem_without_stride_recorded_in_the_options() -> None:
    assert resolve("resnet18", 10, 1, (28, 28)).options == {"stem": "small"}
    assert resolve("resnet18", 10, 1, (64, 64)).options == {}
    assert resolve("resnet18", 10, 1, (28, 28), {"stem": "standard"}).options == {"stem": "standard"}


def test_the_encoder_of_a_u_net_is_adapted_to_small_images() -> None:
    architecture = resolve("unet", 2, 3, (32, 32), {"encoder": "resnet18", "encoder_options": {"width": 8}})
    assert architecture.options["encoder_options"] == {"stem": "small", "width": 8}
    assert build(architecture).stem.conv.stride == (1, 1)


def test_an_architecture_rejects_functions() -> None:
    with pytest.raises(ValueError, match="name it instead, as in activation = 'relu'"):
        Architecture(name="resnet18", classes=2, options={"activation": torch.nn.ReLU})
    assert Architecture(name="resnet18", classes=2, options={"depths": (1, 2)}).options == {"depths": [1, 2]}


def test_an_architecture_round_trips_through_json() -> None:
    architecture = resolve("resnet34", 7, 2, (40, 56), {"width": 8, "activation": "leaky:0.1"})
    again = Architecture.model_validate_json(architecture.model_dump_json())
    assert again == architecture
    names = [(name, tensor.shape) for name, tensor in build(architecture).state_dict().items()]
    assert names == [(name, tensor.shape) for name, tensor in build(again).state_dict().items()]


@pytest.mark.parametrize("option", ["size", "classes", "channels", "rank"])
def test_options_determined_by_the_data_are_rejected(option) -> None:
    with pytest.raises(ModelError) as caught:
        build(resolve("resnet18", 10, 3, (32, 32), {option: 5}))
    assert str(caught.value) == (f"resnet18: no option {option}; it follows from the data, remove it")
