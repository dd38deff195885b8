"""State-dict key mapping: for each family, pairs of (name in other libraries, name here).

The other names are torchvision's, which timm shares for ResNet and Inception v3, then timm's where they differ.
"""

from collections.abc import Callable, Iterator
from typing import cast

from torch import Tensor, nn

from convscope.models.network import Network

Pairs = Iterator[tuple[str, str]]


def leaves(network: Network) -> Iterator[tuple[str, nn.Module]]:
    """Yield the leaf layers of stem and stages in order, without identities."""
    for part in ("stem", "stages"):
        for name, module in network.get_submodule(part).named_modules(prefix=part):
            if not list(module.children()) and not isinstance(module, nn.Identity):
                yield name, module


def numbered(network: Network) -> Pairs:
    """Yield the pairs of AlexNet and VGG, which number every layer including pools and activations."""
    for number, (name, _) in enumerate(leaves(network)):
        yield f"features.{number}", name


def alexnet(network: Network) -> Pairs:
    """Yield the pairs of the 2014 version."""
    yield from numbered(network)
    yield from (("classifier.1", "head.fc1"), ("classifier.4", "head.fc2"), ("classifier.6", "head.fc"))


def vgg(network: Network) -> Pairs:
    """Yield the pairs with and without batch norm; timm names the fully connected layers differently."""
    yield from numbered(network)
    yield from (("classifier.0", "head.fc1"), ("classifier.3", "head.fc2"), ("classifier.6", "head.fc"))
    yield from (("pre_logits.fc1", "head.fc1"), ("pre_logits.fc2", "head.fc2"), ("head.fc", "head.fc"))


def resnet(network: Network) -> Pairs:
    """Yield the pairs of all ResNets; ``linear`` is the last layer of common CIFAR weights, ``se`` timm's gate."""
    yield from (("conv1", "stem.conv"), ("bn1", "stem.norm"), ("fc", "head.fc"), ("linear", "head.fc"))
    for number, stage in enumerate(network.stages):
        for index in (name for name, _ in stage.named_children() if name != "pool"):
            theirs, ours = f"layer{number + 1}.{index}", f"stages.{number}.{index}"
            for unit in (1, 2, 3):
                yield f"{theirs}.conv{unit}", f"{ours}.body.{2 * unit - 2}.conv"
                yield f"{theirs}.bn{unit}", f"{ours}.body.{2 * unit - 2}.norm"
            yield f"{theirs}.se", f"{ours}.body.gate"
            yield f"{theirs}.downsample.0", f"{ours}.shortcut.conv"
            yield f"{theirs}.downsample.1", f"{ours}.shortcut.norm"


def unit(theirs: str, ours: str) -> Pairs:
    """Yield the pairs of a convolution and its norm in both Inception networks."""
    yield f"{theirs}.conv", f"{ours}.conv"
    yield f"{theirs}.bn", f"{ours}.norm"


def googlenet(network: Network) -> Pairs:
    """Yield the pairs with or without the auxiliary classifiers."""
    yield from unit("conv1", "stem")
    yield from unit("conv2", "stages.0.conv2")
    yield from unit("conv3", "stages.0.conv3")
    paths = {
        "branch1": "one", "branch2.0": "three.reduce", "branch2.1": "three.conv",
        "branch3.0": "five.reduce", "branch3.1": "five.conv", "branch4.1": "pool.project",
    }  # fmt: skip
    for number, stage in enumerate(network.stages):
        for block in (name for name, _ in stage.named_children() if name.startswith("inception")):
            for theirs, ours in paths.items():
                yield from unit(f"{block.replace('_', '')}.{theirs}", f"stages.{number}.{block}.{ours}")
    for theirs, stage_number in (("aux1", 2), ("aux2", 3)):
        yield from unit(f"{theirs}.conv", f"auxiliary.{stage_number}.conv")
        yield f"{theirs}.fc1", f"auxiliary.{stage_number}.fc1"
        yield f"{theirs}.fc2", f"auxiliary.{stage_number}.fc"
    yield "fc", "head.fc"


MIXED = {
    "a": {"branch1x1": "one.0", "branch5x5_1": "five.0", "branch5x5_2": "five.1"},
    "b": {"branch3x3": "three.0"},
    "c": {f"branch7x7_{index}": f"seven.{index - 1}" for index in (1, 2, 3)}
    | {f"branch7x7dbl_{index}": f"twice.{index - 1}" for index in (1, 2, 3, 4, 5)}
    | {"branch1x1": "one.0"},
    "d": {f"branch3x3_{index}": f"three.{index - 1}" for index in (1, 2)}
    | {f"branch7x7x3_{index}": f"seven.{index - 1}" for index in (1, 2, 3, 4)},
    "e": {
        "branch1x1": "one.0", "branch3x3_1": "three.reduce.0", "branch3x3_2a": "three.sides.wide.0",
        "branch3x3_2b": "three.sides.tall.0", "branch3x3dbl_1": "twice.reduce.0", "branch3x3dbl_2": "twice.reduce.1",
        "branch3x3dbl_3a": "twice.sides.wide.0", "branch3x3dbl_3b": "twice.sides.tall.0",
    },
}  # fmt: skip
KINDS = {
    "5b": "a", "5c": "a", "5d": "a", "6a": "b", "6b": "c", "6c": "c", "6d": "c", "6e": "c",
    "7a": "d", "7b": "e", "7c": "e",
}  # fmt: skip


def inception_v3(network: Network) -> Pairs:  # noqa: ARG001
    """Yield the pairs with or without the auxiliary classifier."""
    stems = {
        "Conv2d_1a_3x3": "stem.conv1", "Conv2d_2a_3x3": "stem.conv2", "Conv2d_2b_3x3": "stem.conv3",
        "Conv2d_3b_1x1": "stages.0.conv4", "Conv2d_4a_3x3": "stages.0.conv5",
    }  # fmt: skip
    for theirs, ours in stems.items():
        yield from unit(theirs, ours)
    for block, kind in KINDS.items():
        twice = {f"branch3x3dbl_{index}": f"twice.{index - 1}" for index in (1, 2, 3)} if kind in "ab" else {}
        for theirs, ours in (MIXED[kind] | twice | {"branch_pool": "pool.project"}).items():
            yield from unit(f"Mixed_{block}.{theirs}", f"stages.{int(block[0]) - 4}.mixed_{block}.{ours}")
    yield from unit("AuxLogits.conv0", "auxiliary.2.conv1")
    yield from unit("AuxLogits.conv1", "auxiliary.2.conv2")
    yield from (("AuxLogits.fc", "auxiliary.2.fc"), ("fc", "head.fc"))


def squeezenet(network: Network) -> Pairs:
    """Yield the pairs of both versions."""
    yield "features.0", "stem.conv"
    number = 2
    for index, stage in enumerate(network.stages):
        for name, _ in stage.named_children():
            for theirs, ours in (("squeeze", "squeeze"), ("expand1x1", "expand.one"), ("expand3x3", "expand.three")):
                yield f"features.{number}.{theirs}", f"stages.{index}.{name}.{ours}.conv"
            number += 1
    yield "classifier.1", "head.conv"


def mobilenet_v2(network: Network) -> Pairs:
    """Yield torchvision's names, then timm's."""
    yield from (("features.0.0", "stem.conv"), ("features.0.1", "stem.norm"), ("classifier.1", "head.fc"))
    yield from (("conv_stem", "stem.conv"), ("bn1", "stem.norm"), ("classifier", "head.fc"))
    last = f"stages.{len(network.stages) - 1}.last"
    yield from (("features.18.0", f"{last}.conv"), ("features.18.1", f"{last}.norm"))
    yield from (("conv_head", f"{last}.conv"), ("bn2", f"{last}.norm"))
    # timm numbers the rows of table 2; here the rows of one resolution form one stage.
    rows = [(0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 0, 4), (3, 4, 3), (4, 0, 3), (4, 3, 1)]
    number = 1
    for row, (stage, first, count) in enumerate(rows):
        for index in range(count):
            ours = f"stages.{stage}.{first + index}.body"
            units = ["depthwise"] if row == 0 else ["expand", "depthwise"]
            for step, name in enumerate(units):
                yield f"features.{number}.conv.{step}.0", f"{ours}.{name}.conv"
                yield f"features.{number}.conv.{step}.1", f"{ours}.{name}.norm"
            yield f"features.{number}.conv.{len(units)}", f"{ours}.project.conv"
            yield f"features.{number}.conv.{len(units) + 1}", f"{ours}.project.norm"
            names = ["conv_dw", "conv_pw"] if row == 0 else ["conv_pw", "conv_dw", "conv_pwl"]
            for step, (theirs, name) in enumerate(zip(names, [*units, "project"], strict=True), start=1):
                yield f"blocks.{row}.{index}.{theirs}", f"{ours}.{name}.conv"
                yield f"blocks.{row}.{index}.bn{step}", f"{ours}.{name}.norm"
            number += 1


def efficientnet_lite(network: Network) -> Pairs:
    """Yield timm's names, then those of the PyTorch port of the authors' code, which numbers the blocks throughout."""
    last = f"stages.{len(network.stages) - 1}.last"
    for stem, conv, first, second, logits in (
        ("conv_stem", "conv_head", "bn1", "bn2", "classifier"),
        ("_conv_stem", "_conv_head", "_bn0", "_bn1", "_fc"),
    ):
        yield from ((stem, convolution(network, "stem")), (first, "stem.norm"), (logits, "head.fc"))
        yield from ((conv, f"{last}.conv"), (second, f"{last}.norm"))
    row, place, number = -1, 0, 0
    for stage_number, stage in enumerate(network.stages):
        before = 0  # channels; a row of the table starts where they change
        for index in (name for name, _ in stage.named_children() if name != "last"):
            ours = f"stages.{stage_number}.{index}.body"
            channels = len(cast(Tensor, network.get_submodule(f"{ours}.project.conv").weight))
            row, place = (row, place + 1) if channels == before else (row + 1, 0)
            before = channels
            units = ["depthwise", "project"] if number == 0 else ["expand", "depthwise", "project"]
            names = ["conv_dw", "conv_pw"] if number == 0 else ["conv_pw", "conv_dw", "conv_pwl"]
            for step, (theirs, name) in enumerate(zip(names, units, strict=True), start=1):
                conv = convolution(network, f"{ours}.{name}")
                yield f"blocks.{row}.{place}.{theirs}", conv
                yield f"blocks.{row}.{place}.bn{step}", f"{ours}.{name}.norm"
                norm = {"expand": 0, "depthwise": 1, "project": 2}[name]
                yield f"_blocks.{number}._{name}_conv", conv
                yield f"_blocks.{number}._bn{norm}", f"{ours}.{name}.norm"
            number += 1


def convolution(network: Network, unit: str) -> str:
    """Return the name of the convolution in a unit, which is nested if a padding layer precedes it."""
    return f"{unit}.conv.conv" if hasattr(network.get_submodule(f"{unit}.conv"), "pad") else f"{unit}.conv"


KEYS: dict[str, Callable[[Network], Pairs]] = {
    "alexnet": alexnet,
    "vgg": vgg,
    "resnet": resnet,
    "googlenet": googlenet,
    "inception_v3": inception_v3,
    "squeezenet": squeezenet,
    "mobilenet_v2": mobilenet_v2,
    "efficientnet_lite": efficientnet_lite,
}
