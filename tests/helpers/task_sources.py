"""Small networks of every task, as exporters take them."""

import torch

from convscope.bundle import BundleConfig
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.exporters.source import Source
from convscope.models import resolve

SIZES = [(32, 32), (41, 77), (130, 50), (20, 300), (64, 65)]
SMALL = {"width": 4, "depths": [1, 1]}
CASES = [
    ("multilabel", "resnet18", SMALL, {"thresholds": (0.4, 0.5, 0.6)}, "crop"),
    ("regress", "resnet18", SMALL, {"mean": (5.0, -1.0, 0.0), "std": (2.0, 1.0, 30.0)}, "stretch"),
    ("localise", "resnet18", SMALL, {"size": (32, 32)}, "crop"),
    ("localise", "resnet18", SMALL, {"size": (32, 32)}, "pad"),
    ("segment", "unet", {"width": 4, "depth": 2}, {}, "crop"),
    ("segment", "segnet", {"width": 2, "depths": [1, 1]}, {}, "pad"),
]


def source_of(task, name, options, settings, fit):
    torch.manual_seed(0)
    config = BundleConfig(
        task=task,
        classes=("a", "b", "c"),
        architecture=resolve(name, 3, 3, (32, 32), options),
        preprocessing=ImagePreprocessing(
            size=(32, 32), channels=3, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3), fit=fit
        ),
        num_parameters=1,
        task_settings=settings,
    )
    model = config.build_network()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, 3, 32, 32))
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return Source(model.eval(), config, "", {})
