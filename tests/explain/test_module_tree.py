"""The module hierarchy of a network as executed."""

import torch

from convscope.explain import module_tree, record
from convscope.models import MODELS
from convscope.models.summary.descriptions import describe, group


def test_lists_of_stages_are_replaced_by_their_stages_and_joins_list_their_inputs():
    model = MODELS["unet"](3, channels=1, size=(16, 16), width=4, depth=2)
    tree = module_tree(model, torch.zeros(1, 1, 16, 16))
    assert [part.name for part in tree.parts] == [
        "stem", "stages.0", "stages.1", "decoder.0", "decoder.1", "head",
    ]  # fmt: skip
    level = next(part for part in tree.parts if part.name == "decoder.0")
    assert level.inputs == ("stages.1", "stages.0"), "the coarse map and the skip connection"
    assert tree.output == "head"


def test_every_module_of_the_tree_can_be_recorded():
    model = MODELS["se_resnet18"](3, channels=2, size=(32, 32), width=16)
    x = torch.randn(1, 2, 32, 32)
    tree = module_tree(model, x)
    with record(model, *tree.names()) as kept:
        model(x)

    def check(parts):
        for part in parts:
            assert tuple(kept[part.name].shape[1:]) == part.output_shape
            check(part.parts)

    check(tree.parts)


def test_every_single_layer_has_a_group_and_a_description():
    for name in ("googlenet", "mobilenet_v2", "segnet", "alexnet_2012"):
        with torch.device("meta"):  # no weights are needed
            model = MODELS[name](3, channels=3, size=(96, 96))
        for module in model.modules():
            if next(module.children(), None) is None and type(module).__name__ not in ("Identity", "ModuleDict"):
                assert group(module) not in ("", "other"), module
                assert describe(module), module
