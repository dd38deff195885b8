"""Explain methods on runs, saved models and custom modules: results, selection and errors."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from convscope.analysis.result import AnalysisResult
from convscope.analysis.selection import attribution_layer, chosen_images, round_robin, stages
from convscope.analysis.target import open_target
from convscope.api import Run, RunFolder, write_report
from convscope.api.explain import METHODS, InputInfo, explain, wrap_module
from convscope.errors import ConfigError, ConvscopeError, DataError, ModelError, RunError
from convscope.tasks import TASKS
from helpers.analysis_fixtures import Spectral

QUICK = {
    "invert": {"steps": 2, "max_images": 1},
    "maximise": {"steps": 2, "channels": [0, 3]},
    "class_images": {"steps": 2, "images": ["0", "7"]},
    "hierarchy": {"steps": 2, "count": 2},
    "sanity": {"draws": 1, "max_images": 4},
    "attribution": {"max_images": 3},
    "stimuli": {"count": 3},
    "pointing": {"max_images": 4, "method": ["grad_cam", "occlusion"]},
}
PICTURES = {
    "activations": 6, "filters": 1, "stimuli": 3, "attribution": 1, "invert": 1, "maximise": 3, "class_images": 1,
    "neighbours": 3, "embedding": 1, "hierarchy": 13, "over_time": 24, "suggestions": 1, "sanity": 1, "pointing": 1,
}  # fmt: skip


@pytest.mark.parametrize("method", [name for name in METHODS if METHODS[name].rank == 2 and name != "gates"])
def test_every_method_writes_pictures_and_equal_numbers_for_equal_seeds(run, finding, method, tmp_path):
    run = finding if method == "pointing" else run
    result = explain(run, method, QUICK.get(method, {}), out=tmp_path / "first")
    again = explain(run, method, QUICK.get(method, {}), out=tmp_path / "second")
    assert result.numbers_file.read_bytes() == again.numbers_file.read_bytes()
    assert json.loads(result.numbers_file.read_text()) == result.numbers
    assert len(result.pictures) >= PICTURES[method]
    assert result.summary
    for path in result.pictures:
        if path.suffix in (".png", ".gif"):
            with Image.open(path) as picture:
                assert min(picture.size) >= 20
                picture.verify()


SETTINGS = {"class_images": {"steps": 2}, "maximise": {"steps": 2}, "invert": {"steps": 2, "max_images": 1},
        "sanity": {"draws": 1}, "hierarchy": {"steps": 2, "count": 2}}  # fmt: skip


@pytest.mark.parametrize(
    "method",
    [name for name in METHODS if METHODS[name].rank == 2 and name not in ("gates", "over_time", "pointing")],
)
def test_every_method_works_on_a_custom_module_with_five_channels(spectral, method):
    before = {name: value.clone() for name, value in spectral.model.state_dict().items()}
    result = explain(spectral, method, SETTINGS.get(method, {}))
    assert result.numbers_file.parent == spectral.home / method
    assert spectral.model.training
    assert all(torch.equal(value, before[name]) for name, value in spectral.model.state_dict().items())


def test_activations_equal_the_output_recorded_by_a_hook(spectral):
    outputs = []
    handle = spectral.model.late.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    x = spectral.input(spectral.read("validation").select([0]))
    spectral.model(x)
    handle.remove()
    result = explain(spectral, "activations", {"images": ["a"], "layers": ["late"]})
    np.testing.assert_allclose(
        result.numbers["layers"][0]["mean"][0], outputs[0].mean((2, 3))[0].tolist(), rtol=1e-5, atol=1e-6
    )


def test_a_saved_model_alone_explains_files(run, tmp_path):
    for name, level in (("dark", 20), ("bright", 230)):
        Image.new("L", (8, 8), level).save(tmp_path / f"{name}.png")
    model = shutil.copytree(run / "model", tmp_path / "model")
    result = explain(model, "attribution", {"images": [str(tmp_path / "dark.png"), str(tmp_path / "bright.png")]})
    assert result.pictures == (model / "explain" / "attribution" / "attribution.png",)
    assert len(result.numbers["predictions"]) == 2


def test_images_are_chosen_by_class_by_name_and_by_mistake(run):
    subject = open_target(run)
    every = subject.read("validation")
    assert set(chosen_images(subject, ["3"], "validation", 2, 99).targets) == {3}
    assert len(chosen_images(subject, ["3"], "validation", 2, 99)) == 2
    assert chosen_images(subject, [every.names[5]], "validation", 1, 99).names == (every.names[5],)
    wrong = chosen_images(subject, ["mistakes"], "validation", 3, 99)
    assert len(wrong) == 3
    some = chosen_images(subject, [], "validation", 1, 99)
    assert sorted(some.targets) == list(range(10))


def test_round_robin_alternates_between_classes():
    assert round_robin(np.array([0, 0, 0, 1, 2, 2]), 5) == [0, 3, 4, 1, 5]
    assert round_robin(np.array([0, 0, 0, 1]), 9, each=1) == [0, 3]
    assert round_robin(np.array([-1, -1, -1]), 2, each=1) == [0, 1]


def test_the_stages_of_a_custom_module_end_each_resolution(spectral):
    x = spectral.input(spectral.read("train").select([0]))
    assert stages(spectral.model, x) == ("early", "late")


def test_attribution_uses_the_deepest_stage_with_large_enough_maps(run):
    subject = open_target(run)
    assert attribution_layer(subject.model, subject.input(subject.read("train").select([0]))) == "stages.1"


def test_the_run_itself_explains(run):
    result = Run(run).explain("filters")
    assert result.pictures == (run / "explain" / "filters" / "stem.conv.png",)
    assert repr(result) == f"AnalysisResult('filters', pictures=1, folder={str(run / 'explain' / 'filters')!r})"
    assert "data:image/png;base64," in result._repr_html_()


def test_settings_are_a_mapping_a_settings_model_or_keywords(spectral, tmp_path):
    given = METHODS["activations"].settings(layers=("late",), channels=(1,))
    by_model = explain(spectral, "activations", given, out=tmp_path / "model")
    by_mapping = explain(spectral, "activations", {"layers": ["late"], "channels": [1]}, out=tmp_path / "mapping")
    by_keyword = explain(spectral, "activations", {"layers": ["early"]}, layers=["late"], channels=[1], out=tmp_path)
    assert by_model.numbers == by_mapping.numbers == by_keyword.numbers
    with pytest.raises(ConfigError) as caught:
        explain(spectral, "activations", chanels=[1])
    assert str(caught.value) == "explain activations: no setting chanels; did you mean channels?"


def test_the_html_of_a_result_escapes_its_summary_and_shows_only_pictures(tmp_path):
    Image.new("L", (2, 2)).save(tmp_path / "a.png")
    (tmp_path / "page.html").write_text("<p>page</p>")
    pictures = (tmp_path / "a.png", tmp_path / "page.html")
    result = AnalysisResult("filters", pictures, tmp_path / "filters.json", {}, ("class <b> & <i>",))
    html = result._repr_html_()
    assert html.startswith('<p>class &lt;b&gt; &amp; &lt;i&gt;</p><p><img src="data:image/png;base64,')
    assert html.count("<img") == 1


@pytest.mark.slow
def test_the_report_includes_the_hierarchy_until_the_network_changes(run):
    explain(run, "hierarchy", QUICK["hierarchy"])
    report = write_report(RunFolder.open(run)).read_text()
    assert "stages.1: feature visualisations" in report
    page = (run / "explain" / "hierarchy" / "hierarchy.html").read_text()
    assert "Learned features of run" in page
    assert 'src="data:image/png;base64,' in page
    assert "http" not in page.replace("http-equiv", "")
    (run / "model" / "config.json").touch()
    for file in (run / "explain" / "hierarchy" / "section.json", run / "explain" / "first_insights.json"):
        os.utime(file, (1, 1))
    write_report(RunFolder.open(run))
    assert "Learned features" not in (run / "report.html").read_text()


def error_message(error: type[ConvscopeError], *given: object) -> str:
    with pytest.raises(error) as caught:
        explain(*given)  # type: ignore[arg-type]
    return str(caught.value)


def test_invalid_requests_are_errors_with_a_remedy(run, spectral, tmp_path):
    assert error_message(ModelError, run, "activations", {"layers": ["stages.7"]}) == (
        "layer stages.7: the network has no such layer; did you mean stages.1?"
    )
    assert error_message(ConfigError, run, "activations", {"layers": ["stages.1"], "channels": [99]}) == (
        "channels: no 99 in layer stages.1, which has 8; choose from 0 to 7"
    )
    assert (
        error_message(ConfigError, run, "atribution", {}) == "explain: no method atribution; did you mean attribution?"
    )
    assert error_message(ConfigError, run, "attribution", {"layer": ["stages.1"]}) == (
        "explain attribution: no setting layer; did you mean layers?"
    )
    assert error_message(ConfigError, run, "stimuli", {"count": 0}) == (
        "explain stimuli: count is 0; it should be greater than or equal to 1"
    )
    assert error_message(ConfigError, run, "attribution", {"split": "test"}) == (
        "explain attribution: split is 'test'; choose one of train, validation"
    )
    assert error_message(ConfigError, run, "attribution", {"target": "cat"}) == (
        "target: no answer cat; choose one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    )
    assert error_message(ConfigError, spectral, "attribution", {"images": ["watr"]}) == (
        "images: no class, image or file watr; did you mean water?"
    )
    assert error_message(ConfigError, spectral, "attribution", {"images": ["zzzzzz"]}) == (
        "images: no class, image or file zzzzzz; give a class, a file, or a name from data.json"
    )
    assert error_message(ConfigError, spectral, "class_images", {"images": ["watr"]}) == (
        "images: no class watr; did you mean water?"
    )
    assert error_message(RunError, spectral, "over_time", {}) == (
        f"{tmp_path / 'probes'}: no probes were recorded; train again with train.probes of at least 1 "
        "(a convolutional network, not an mlp)"
    )
    assert error_message(RunError, run, "over_time", {"probe": 9}) == (
        "probe: no 9 of 4 probe images; choose from 0 to 3"
    )


@pytest.mark.parametrize("method", ["class_images", "sanity"])
def test_for_a_task_without_classes_the_error_lists_other_methods(spectral, method):
    numbers = replace(spectral, task=TASKS["regress"](()))
    assert error_message(ConfigError, numbers, method) == (
        "Spectral: task 'regress' has no class scores; "
        "use activations, filters, stimuli, invert, maximise or neighbours instead"
    )


def test_a_file_that_is_not_an_image_is_an_error_with_its_path(run, tmp_path):
    file = tmp_path / "notes.png"
    file.write_text("no image")
    assert error_message(DataError, run, "attribution", {"images": [str(file)]}) == (
        f"{file}: not an image in a supported format; convert it to PNG or JPEG, or delete it"
    )
    assert error_message(ConfigError, run, "attribution", {"images": [str(file), "3"]}) == (
        f"images: {file} is a file, the others are not; name either files, or classes and images"
    )


def test_a_run_without_a_network_is_an_error_that_names_how_to_resume(run):
    shutil.rmtree(run / "model")
    assert error_message(RunError, run, "filters") == (
        f"{run}: no network saved yet; continue training with: convscope train --resume {run}"
    )


def test_a_saved_model_without_images_requires_files(run):
    assert error_message(ConfigError, run / "model", "attribution") == (
        "images: model has no images; name files or folders"
    )
    assert error_message(ConfigError, run / "model", "suggestions") == (
        "images: model has no images; suggestions need a run, or images in Python"
    )


def test_pixels_that_contradict_their_description_are_rejected():
    def message(*given: object) -> str:
        with pytest.raises(ConfigError) as caught:
            wrap_module(*given)  # type: ignore[arg-type]
        return str(caught.value)

    pixels = torch.rand(2, 5, 8, 8)
    assert message(Spectral(), pixels[0]) == "pixels: shape (5, 8, 8); give at least one image as (N, C, H, W)"
    assert message(Spectral(), pixels, [1]) == "targets: 1 for 2 images of 5 channels; give 2"
    assert message(Spectral(), pixels, None, InputInfo(mean=(0.5,))) == "mean: 1 for 2 images of 5 channels; give 5"
    assert message(Spectral(), pixels, None, InputInfo(names=("a",))) == "names: 1 for 2 images of 5 channels; give 2"


def test_a_report_takes_nothing_but_data_from_the_run_folder(run, tmp_path):
    secret = tmp_path / "secret.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(secret)
    first = run / "explain" / "first_insights.json"
    first.write_text('{"full": false, "blocks": [{"title": "<script>1</script>", "description": "", "picture": "x:"}]}')
    filters = run / "explain" / "filters"
    filters.mkdir(parents=True, exist_ok=True)
    (filters / "link.png").unlink(missing_ok=True)
    (filters / "link.png").symlink_to(secret)
    numbers = {"summary": ["<script>2</script>"], "pictures": ["../../../secret.png", str(secret), "link.png"]}
    (filters / "filters.json").write_text(json.dumps(numbers))
    page = write_report(RunFolder.open(run)).read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;2" in page
    explained = page[page.index("&lt;script&gt;2") :]
    assert "data:image" not in explained[: explained.index("</")], "no file outside the folder is shown"
