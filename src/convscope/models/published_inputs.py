"""The input shape and number of classes with which each network was published.

Sources: the papers named in the families' files. SegNet's paper trains on CamVid at 360x480; its entry has 224x224, so
that it compares with the classifiers.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedInput:
    """Input shape (C, H, W) and number of classes; by default those of ImageNet."""

    shape: tuple[int, int, int] = (3, 224, 224)
    classes: int = 1000


CIFAR10 = PublishedInput((3, 32, 32), 10)
ALEXNET_2012 = PublishedInput((3, 227, 227))  # 224 does not fit an 11x11 window with stride 4 and no padding
TWO_CLASSES = PublishedInput((3, 224, 224), 2)

PUBLISHED_INPUTS: dict[str, PublishedInput] = {
    "lenet": PublishedInput((1, 32, 32), 10),
    "alexnet_2012": ALEXNET_2012,
    "alexnet_one_gpu": ALEXNET_2012,
    "inception_v3": PublishedInput((3, 299, 299)),
    **dict.fromkeys((f"resnet{depth}" for depth in (20, 32, 44, 56, 110)), CIFAR10),
    "airbench": CIFAR10,
    "efficientnet_lite1": PublishedInput((3, 240, 240)),
    "efficientnet_lite2": PublishedInput((3, 260, 260)),
    "efficientnet_lite3": PublishedInput((3, 280, 280)),
    "efficientnet_lite4": PublishedInput((3, 300, 300)),
    "unet": PublishedInput((1, 572, 572), 2),
    "segnet": TWO_CLASSES,
    "full_resolution": TWO_CLASSES,
}


def published_input(name: str) -> PublishedInput:
    """Return the input and classes of the network `name`; those of ImageNet unless it has others."""
    return PUBLISHED_INPUTS.get(name, PublishedInput())
