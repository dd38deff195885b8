"""Common options of the methods, results in the report, and object masks."""

import os
import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from convscope.analysis.architecture_suggestions import object_sides
from convscope.analysis.images import ImageSet
from convscope.analysis.target import open_target
from convscope.api import RunFolder, write_report
from convscope.api.explain import METHODS, InputInfo, explain, wrap_module
from convscope.bundle import load_bundle, load_config, save_bundle, save_config
from convscope.errors import ConfigError, ConvscopeError, RunError


@pytest.mark.parametrize("method", METHODS)
def test_every_method_accepts_layers_channels_images_a_seed_and_a_folder(method):
    assert {"layers", "channels", "images", "seed"} <= set(METHODS[method].settings.model_fields)


def quick(method: str) -> dict[str, object]:
    return {"steps": 2} if "steps" in METHODS[method].settings.model_fields else {}


@pytest.mark.parametrize(
    ("method", "picture"),
    [
        ("filters", "activations"),
        ("attribution", ""),
        ("invert", ""),
        ("neighbours", ""),
        ("class_images", ""),
        ("maximise", ""),
    ],
)
def test_channels_and_images_change_the_result(spectral, method, picture):
    layer = "early.0" if method == "filters" else "late"
    settings = {"layers": [layer], "channels": [1, 3], "images": ["water"], **quick(method)}
    plain = explain(spectral, method, {"layers": [layer], "images": ["water"], **quick(method)})
    before = [Image.open(path).tobytes() for path in plain.pictures]
    narrow = explain(spectral, method, settings)
    assert [Image.open(path).tobytes() for path in narrow.pictures] != before
    assert narrow.numbers["settings"]["channels"] == [1, 3]
    if picture:
        assert len(narrow.pictures) == 3, "the kernels, and the activation maps of two images"


@pytest.mark.parametrize("of", ["neuron", "layer", "direction"])
def test_neurons_whole_layers_and_directions_can_be_maximised(spectral, of):
    result = explain(spectral, "maximise", {"objective": of, "layers": ["late"], "steps": 3, "copies": 2})
    (layer,) = result.numbers["layers"]
    assert layer["kind"] == of
    expected = {"neuron": [f"neuron {i}" for i in range(8)], "layer": ["whole layer"],
                "direction": ["towards soil", "towards water", "towards wood"]}  # fmt: skip
    assert layer["names"] == expected[of]
    assert len(layer["final"]) == 2 * len(layer["names"])
    assert (layer["data_maximum"] is not None) == (of == "neuron")


@pytest.mark.slow
def test_the_report_includes_the_results_of_every_method_until_the_network_changes(run, finding):
    explain(run, "over_time", {"probe": 0})
    explain(run, "neighbours", {"layers": ["stages.1"]})
    explain(run, "filters", out=run.parent / "elsewhere")
    report = write_report(RunFolder.open(run)).read_text()
    results = report[report.index("Explain results") :]
    assert re.findall(r"<h3>(\w+)</h3>", results) == ["neighbours", "over_time"]
    assert "purity@5: " in results
    assert "data:image/gif;base64," in results
    assert re.search(r'<p class="note">\d more in <code>explain/over_time</code>', results)
    (run / "model" / "config.json").touch()
    write_report(RunFolder.open(run))
    assert "Explain results" in report
    later = (run / "explain" / "neighbours" / "neighbours.json").stat().st_mtime + 5
    os.utime(run / "model" / "config.json", (later, later))
    write_report(RunFolder.open(run))
    assert "purity@5: " not in (run / "report.html").read_text()
    assert finding.exists()


def test_a_planted_dead_filter_and_its_copy_become_suggestions_of_the_run(run):
    model, config = load_bundle(run / "model", torch.device("cpu"))
    with torch.no_grad():
        model.stem.conv.weight[2] = 0
        model.stem.conv.weight[3] = model.stem.conv.weight[1]
    save_bundle(run / "model", model, config)
    result = explain(run, "suggestions", {"layers": ["stem", "stages.0"]})
    found = [(one["kind"], one["layer"], one["finding"]) for one in result.numbers["suggestions"]]
    assert ("dead", "stem.conv", "1 of 4 filters have near-zero weights: 2") in found
    assert ("duplicate", "stem.conv", "1 of 4 filters duplicate another: 3") in found
    message = "stem.conv (dead): 1 of 4 filters have near-zero weights: 2. Try: train it with 3 filters, "
    assert any(sentence.startswith(message) for sentence in result.summary)
    narrow = explain(run, "suggestions", {"layers": ["stem"], "channels": [3]})
    assert "dead" not in {one["kind"] for one in narrow.numbers["suggestions"]}


class Bright(nn.Module):
    """Class 1 if the image has a bright patch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 1, bias=False)
        self.weight = nn.Parameter(torch.tensor([[-1.0], [1.0]]))
        nn.init.ones_(self.layer.weight)

    def forward(self, x):
        return self.layer(x).relu().square().mean((2, 3)) @ self.weight.T


def planted():
    """Twelve dim images with a bright square each, and the masks of the squares."""
    masks = torch.zeros(12, 16, 16, dtype=torch.bool)
    for i in range(12):
        masks[i, i : i + 4, 3:7] = True
    return torch.where(masks, 0.9, 0.1)[:, None], masks


@pytest.mark.parametrize("as_classes", [False, True])
def test_maps_localise_the_bright_patch_that_determines_the_class(tmp_path, as_classes):
    pixels, masks = planted()
    object_masks = torch.where(masks, 1, 255) if as_classes else masks
    subject = wrap_module(
        Bright(), pixels, [1] * 12, InputInfo(classes=("dark", "bright"), home=tmp_path), object_masks
    )
    result = explain(subject, "pointing", {"layers": ["layer"]})
    assert [one["method"] for one in result.numbers["maps"]] == [
        "grad_cam", "layer_cam", "integrated_gradients", "occlusion",
    ]  # fmt: skip
    for one in result.numbers["maps"]:
        assert one["hits"] > 0.8
        assert one["energy"] > 4 * one["area"]
    assert result.summary[0].startswith("Grad-CAM layer: its peak lies on the object in 100 % of the images, and ")


def test_attribution_maps_are_scored_against_the_boxes_of_a_localise_run(finding):
    result = explain(finding, "pointing", {"method": ["grad_cam"], "max_images": 8})
    (one,) = result.numbers["maps"]
    assert 0 < one["area"] < 1
    assert 0 <= one["hits"] <= 1
    subject = open_target(finding)
    images = subject.read("validation")
    assert images.masks_of(images.targets).any((1, 2)).all()
    sides = object_sides(images, ground_first=False)
    assert len(sides) == len(images)
    assert sides.min() > 2
    with subject.class_scores_only():
        assert subject.model(subject.input(images, slice(0, 2))).shape == (2, 5)
    assert subject.model(subject.input(images, slice(0, 2))).shape == (2, 9)
    assert not subject.model._forward_hooks


def test_objects_of_masks_are_measured_by_region_without_background_and_ignored_pixels():
    mask = np.zeros((1, 20, 20), np.uint8)
    mask[0, 2:6, 3:13] = 1
    mask[0, 12:18, 4:8] = 2
    mask[0, 0, 0] = 1  # smaller than an object
    mask[0, 19] = 255
    images = ImageSet(("a",), np.array([1]), np.zeros((1, 1, 20, 20), np.uint8), np.array([0]), mask)
    assert object_sides(images, ground_first=True).tolist() == [[4, 10], [6, 4]]


def error_message(error: type[ConvscopeError], *given: object) -> str:
    with pytest.raises(error) as caught:
        explain(*given)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(
    "method",
    [method for method in METHODS if METHODS[method].rank == 2 and method not in ("gates", "over_time", "pointing")],
)
def test_every_method_suggests_the_nearest_name_of_an_unknown_layer(spectral, method):
    assert error_message(ConvscopeError, spectral, method, {"layers": ["latte"], **quick(method)}) == (
        "layer latte: the network has no such layer; did you mean late?"
    )


OUT_OF_RANGE = {
    "activations": "channels: no 99 in layer late, which has 8; choose from 0 to 7",
    "filters": "channels: no 99 in layer late.1, which has 8; choose from 0 to 7",
    "stimuli": "channels: no 99 in layer late, which has 8; choose from 0 to 7",
    "attribution": "layer late: no channel 99; choose from 0 to 7",
    "invert": "layer late: no channel 99; choose from 0 to 7",
    "maximise": "channels: no 99 in layer late, which has 8; choose from 0 to 7",
    "class_images": "layer late: no channel 99; choose from 0 to 7",
    "neighbours": "layer late: no channel 99; choose from 0 to 7",
    "embedding": "layer late: no channel 99; choose from 0 to 7",
    "hierarchy": "channels: no 99 in layer late, which has 8; choose from 0 to 7",
    "sanity": "layer late: no channel 99; choose from 0 to 7",
}


@pytest.mark.parametrize("method", OUT_OF_RANGE)
def test_every_method_rejects_a_channel_out_of_range(spectral, method):
    layer = "late.1" if method == "filters" else "late"
    settings = {"layers": [layer], "channels": [99], **quick(method)}
    assert error_message(ConvscopeError, spectral, method, settings) == OUT_OF_RANGE[method]


def test_layers_without_channels_runs_without_masks_and_without_probes_are_errors(run, spectral):
    assert error_message(ConfigError, spectral, "attribution", {"method": ["occlusion"], "channels": [1]}) == (
        "channels: occlusion attribute to pixels and have no channels; "
        "choose grad_cam, grad_cam_plus_plus, hires_cam, layer_cam"
    )
    assert error_message(ConfigError, spectral, "pointing") == (
        "images: Spectral has no boxes or masks, so no object is known; "
        "train on data with boxes or masks, or pass object_masks to wrap_module"
    )
    assert error_message(RunError, run, "over_time", {"layers": ["stages.9"]}) == (
        "layer stages.9: its maps were not recorded during training; choose one of stem, stages.0, stages.1"
    )
    assert error_message(ConfigError, run, "over_time", {"channels": [99]}) == (
        "channels: 99 of layer stem was not recorded during training; choose from 0, 1, 2, 3"
    )
    assert error_message(ConfigError, run, "over_time", {"images": ["cat"]}).startswith(
        "images: no probe image or class cat; choose one of digits/"
    )
    assert error_message(ConfigError, spectral, "maximise", {"objective": "direction", "images": ["soli"]}) == (
        "images: no class soli; did you mean soil?"
    )
    assert error_message(ConfigError, spectral, "maximise", {"objective": "class"}) == (
        "explain maximise: objective is 'class'; choose one of channel, direction, layer, neuron"
    )


WITHOUT_IMAGES = "images: model has no images; name files or folders"
ALONE = {
    "activations": WITHOUT_IMAGES, "stimuli": WITHOUT_IMAGES, "attribution": WITHOUT_IMAGES, "invert": WITHOUT_IMAGES,
    "gates": WITHOUT_IMAGES,
    "neighbours": WITHOUT_IMAGES, "embedding": WITHOUT_IMAGES, "sanity": WITHOUT_IMAGES, "pointing": WITHOUT_IMAGES,
    "suggestions": "images: model has no images; suggestions need a run, or images in Python",
}  # fmt: skip


@pytest.mark.parametrize(
    "method", [method for method in METHODS if METHODS[method].rank == 2 and method != "over_time"]
)
def test_a_saved_model_without_images_supports_methods_that_need_none_and_requires_files_otherwise(run, method):
    settings = {**quick(method), **({"layers": ["stages.1"], "channels": [1]} if method == "maximise" else {})}
    if method in ALONE:
        assert error_message(ConfigError, run / "model", method, settings) == ALONE[method]
        return
    assert explain(run / "model", method, settings).pictures


def test_a_network_without_maps_is_explained_by_pixel_attribution(tmp_path):
    flat = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 2))
    subject = wrap_module(flat, torch.rand(6, 1, 8, 8), [0, 1] * 3, InputInfo(classes=("a", "b"), home=tmp_path))
    result = explain(subject, "attribution")
    assert [one["method"] for one in result.numbers["maps"]] == ["integrated_gradients", "occlusion"]
    assert error_message(ConfigError, subject, "attribution", {"method": ["grad_cam"]}) == (
        "Sequential: no layer has maps; choose --method integrated_gradients, input_gradients, smooth_grad or occlusion"
    )


def test_masks_of_another_shape_are_rejected():
    pixels, masks = planted()
    with pytest.raises(ConfigError) as caught:
        wrap_module(Bright(), pixels, [1] * 12, None, masks[:, :8])
    assert str(caught.value) == (
        "object_masks: shape (12, 8, 16) for images (12, 1, 16, 16); give one mask (H, W) per image"
    )


def test_for_a_regression_run_methods_that_need_classes_list_other_methods(run):
    numbers = shutil.copytree(run, run.parent / "numbers")
    changes = {"task": "regress", "task_settings": {}}
    save_config(numbers / "model", load_config(numbers / "model").model_copy(update=changes))
    for method in ("class_images", "sanity"):
        assert error_message(ConfigError, numbers, method) == (
            "numbers: task 'regress' has no class scores; "
            "use activations, filters, stimuli, invert, maximise or neighbours instead"
        )
