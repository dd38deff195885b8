"""Options and circumstances of a run that are combined, and which of them exclude each other."""

from collections.abc import Mapping
from itertools import combinations, product
from typing import Any

from convscope.layouts import LAYOUTS
from helpers.narrow_networks import NARROW

DENSE = ("unet", "segnet", "full_resolution")
LABELLED = ("classify", "multilabel")
SPATIAL = ("segment", "localise")
COUNTED = (*LABELLED, "regress")
UNDIVIDED = (*COUNTED, "localise")
TASKS_OF = {
    **dict.fromkeys(("folder", "nested-folders", "file-names", "name-parts", "series"), LABELLED),
    **dict.fromkeys(("idx", "cifar"), COUNTED),
    **dict.fromkeys(("voc", "coco", "yolo", "via", "labelme", "cvat"), ("localise",)),
    **dict.fromkeys(("builtin", "table", "table-folder"), (*COUNTED, "segment", "localise")),
    "arrays": (*COUNTED, "segment"),
    "masks": ("segment",),
    "label-studio": ("classify", "localise"),
}
"""The tasks for which a layout holds targets."""
TASKS_OF_MODEL = {**dict.fromkeys(DENSE, ("segment",)), "mlp": COUNTED, "lenet": UNDIVIDED, "assembled": UNDIVIDED}
"""The tasks of networks that are not for all: an mlp has no maps, a lenet encodes images of one size, and the text
of the assembled one ends in a linear layer."""

MODELS_OF = {
    "no maps": ("mlp",),
    "one size": ("lenet",),
    "plain": ("plain",),
    "residual": ("resnet20", "se_resnet18", "mobilenet_v2", "resnet18", "efficientnet_lite0"),
    "large images": ("squeezenet1_1", "vgg11_bn", "googlenet"),
    "own steps": ("airbench",),
    "from text": ("assembled",),
    "encoder and decoder": ("unet", "segnet"),
    "full resolution": ("full_resolution",),
}
"""Networks by what may matter of them in combinations; cases with the same kind take one after the other."""

CHANNELS = {"colour": (3, 0), "grey": (1, 0), "colour as grey": (3, 1), "grey as colour": (1, 3), "five": (5, 0)}
"""Channels of the files, and of the network's input (0: as chosen from the data)."""
SIZES: dict[str, Any] = {"chosen": None, "8": 8, "16": 16, "12 x 20": [12, 20], "32": 32}
TOO_SMALL = {"large images": ("chosen", "8", "16", "12 x 20")}
"""Sides at which networks are refused."""

ONE_SIDED = ("series", "name-parts")  # layouts whose inputs are no images
NOT_IMAGES = {
    "channels": ("grey",), "size": ("chosen",), "transfer": ("scratch",), "views": ("chosen", "1"),
    "mix": ("none",), "question": ("predict", "features"), "form": ("report", "compare", "inspect"),
}  # fmt: skip
"""Values that series and sounds accept, where images accept others."""
OF_TEXTS = ("text-table", "text-folders", "text-lines")
"""Layouts whose networks and settings are their own, so that nothing of the factors can be combined with them."""
FILES_OF = {
    "idx": ("grey", "grey as colour"), "cifar": ("colour", "colour as grey"), "builtin": ("colour", "colour as grey"),
    "arrays": ("colour", "grey", "colour as grey", "grey as colour"),
}  # fmt: skip
"""The channels that a layout can hold, where not all."""

EXPORTED = {
    "layout": ("builtin", "table-folder", "arrays"),
    "model": ("no maps", "one size", "plain", "full resolution"),
}
"""Enough for ONNX, which takes seconds and knows nothing of files; the tests of the exporters have all networks."""

TASKS_OF_VERB = {"compare": ("classify",), "features": ("classify",), "robustness": LABELLED}

FACTORS = {
    "layout": tuple(layout for layout in LAYOUTS if layout not in OF_TEXTS),
    "model": tuple(MODELS_OF),
    "task": ("classify", "multilabel", "regress", "segment", "localise"),
    "question": ("predict", "attribution", "stimuli", "features", "robustness", "diagnose"),
    "form": ("report", "onnx", "hub", "compare", "inspect", "explore"),
    "size": tuple(SIZES),
    "views": ("chosen", "1", "5", "10", "multi-scale", "shifts"),
    "channels": tuple(CHANNELS),
    "transfer": ("scratch", "run", "run, frozen", "run, unfrozen", "weights file"),
    "resume": ("never stopped", "stopped in an epoch", "stopped after an epoch", "finished"),
    "augmentation": ("none", "light", "standard", "strong"),
    "budget": ("none", "used up", "a fifth of a second"),
    "precision": ("auto", "float32", "bfloat16"),
    "mix": ("none", "mixup", "cutmix"),
}

TRIPLES = (
    ("task", "budget", "resume"), ("task", "transfer", "resume"), ("task", "precision", "mix"),
    ("transfer", "budget", "resume"),
)  # fmt: skip
"""Options that act on the same steps of a training."""


def allowed(first: tuple[str, str], second: tuple[str, str]) -> bool:
    """Whether two (factor, value) make sense together; convscope refuses the others in one line."""
    pair = dict((first, second))
    return is_tried(pair) and _data_fit(pair) and _network_fits(pair) and _task_allows(pair)


def is_tried(case: Mapping[str, str]) -> bool:
    """Whether the files of the layout can hold images of these channels, and ONNX is not too slow for these tests."""
    files = FILES_OF.get(case.get("layout", ""), tuple(CHANNELS))
    small = all(case.get(factor, values[0]) in values for factor, values in EXPORTED.items())
    return case.get("channels", files[0]) in files and (small or case.get("form") != "onnx")


def refused_pairs() -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Two (factor, value) each that do not make sense together: of each value with each other factor the first."""
    found = {}
    for one, two in combinations(FACTORS, 2):
        for pair in product(((one, value) for value in FACTORS[one]), ((two, value) for value in FACTORS[two])):
            if is_tried(dict(pair)) and not allowed(*pair):
                found.setdefault((pair[0], two), pair)
    return list(found.values())


def _data_fit(pair: dict[str, str]) -> bool:
    layout, task = pair.get("layout", ""), pair.get("task", "")
    if layout and task and task not in TASKS_OF[layout]:
        return False
    return layout not in ONE_SIDED or all(
        pair.get(factor, values[0]) in values for factor, values in NOT_IMAGES.items()
    )


def _network_fits(pair: dict[str, str]) -> bool:
    kind, task = pair.get("model", ""), pair.get("task", "")
    names = MODELS_OF.get(kind, ())
    if task and any(task not in TASKS_OF_MODEL.get(name, (task,)) for name in names):
        return False
    return pair.get("size", "32") not in TOO_SMALL.get(kind, ())


def _task_allows(pair: dict[str, str]) -> bool:
    task = pair.get("task", "")
    if not task:
        return True
    mixes = pair.get("mix", "none") == "none" or task in LABELLED
    averages = pair.get("views", "1") in ("chosen", "1") or task not in SPATIAL
    verbs = (pair.get("question", ""), pair.get("form", ""))
    return mixes and averages and all(task in TASKS_OF_VERB.get(verb, (task,)) for verb in verbs)


def model_options(model: str) -> dict[str, Any]:
    """Options of a narrow network that the user sets."""
    found = {name: value for name, value in NARROW[model][0].items() if name != "size"}
    shallow = {"depths": (1, 1)} if model in ("resnet18", "se_resnet18", "resnet20") else {}
    return found | shallow
