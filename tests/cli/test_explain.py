"""`convscope explain` on the command line."""

import json
import shutil
import subprocess
import sys

import pytest

from convscope.cli.explain import numbers
from convscope.errors import ConfigError

METHODS = (
    "activations", "filters", "stimuli", "attribution", "invert", "maximise", "class_images", "neighbours", "embedding",
    "hierarchy", "over_time", "suggestions", "sanity", "pointing",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    return shutil.copytree(finished, tmp_path_factory.mktemp("explained") / "run")


@pytest.mark.parametrize("method", METHODS)
def test_the_help_of_each_way_teaches_without_a_run(convscope, method):
    code, output, _ = convscope("explain", method, "--help")
    assert code == 0
    assert "--out" in output
    for option in ("--layers", "--channels", "--images", "--seed", "--json"):
        assert option in output
    assert "Limitations:" in output


def test_help_loads_no_torch():
    script = (
        "import sys; sys.argv = ['convscope', 'explain', 'where', '--help']\n"
        "from convscope.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)


def test_sentences_and_files_are_printed(convscope, run, tmp_path):
    code, output, _ = convscope("explain", run, "filters", "--out", tmp_path)
    assert code == 0
    sentence, picture, figures = output.strip().splitlines()
    assert sentence.startswith("stem.conv: 0 dead, ")
    assert picture == str(tmp_path / "stem.conv.png")
    assert figures == str(tmp_path / "filters.json")


def test_json_is_the_file_s_content(convscope, run):
    words = ("--layers", "stages.1", "--channels", "1,4-5", "--images", "3", "--images", "7", "--seed", "5")
    code, output, _ = convscope("explain", run, "activations", *words, "--json")
    assert code == 0
    content = json.loads(output)
    assert content == json.loads((run / "explain" / "activations" / "activations.json").read_text())
    assert content["settings"]["channels"] == [1, 4, 5]
    assert content["settings"]["seed"] == 5
    assert content["settings"]["per_class"] is None
    assert len(content["images"]) == 4, "as many of the two classes as are shown"


def test_where_accepts_a_method_and_a_target_class(convscope, run, tmp_path):
    how = ("--method", "layer_cam", "--method", "input_gradients", "--target", "8")
    code, output, _ = convscope("explain", run, "attribution", *how, "--out", tmp_path, "--json")
    assert code == 0
    assert [one["method"] for one in json.loads(output)["maps"]] == ["layer_cam", "input_gradients"]
    assert set(json.loads(output)["maps"][0]["targets"]) == {8}


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("gradcam", "attribution --method grad_cam"),
        ("Grad-CAM++", "attribution --method grad_cam"),
        ("integrated-gradients", "attribution --method integrated_gradients"),
        ("saliency", "attribution --method input_gradients"),
        ("tsne", "embedding"),
        ("maximize", "maximise"),
    ],
)
def test_the_name_of_a_technique_leads_to_its_method(convscope, run, word, meant):
    code, output, error = convscope("explain", run, word)
    assert (code, output) == (2, "")
    assert error == f"convscope: explain: no method {word}; did you mean {meant}?\n"


def test_errors_are_one_line_and_exit_code_2(convscope, run):
    code, output, error = convscope("explain", run, "maximise", "--layers", "stages.l")
    assert (code, output) == (2, "")
    assert error == "convscope: layer stages.l: the network has no such layer; did you mean stages.1?\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("activations", "--channels", "99", "--layers", "stages.1"),
         "channels: no 99 in layer stages.1, which has 8; choose from 0 to 7"),
        (("activations", "--channels", "3-"), "--channels 3-: not a list of numbers; write it like 0,3,8-11"),
        (("attribution", "--method", "gradcam"),
         "explain attribution: method is 'gradcam'; did you mean grad_cam?"),
        (("attribution", "--split", "test"), "explain attribution: split is 'test'; choose one of train, validation"),
        (("neighbours", "--projection", "umap"), "explain neighbours: projection is 'umap'; choose one of pca, tsne"),
        (("stimuli", "--images", "cat"),
         "images: no class, image or file cat; give a class, a file, or a name from data.json"),
        (("class_images", "--images", "10"), "images: no class 10; did you mean 1?"),
        (("maximise", "--parameterisation", "wavelet"),
         "explain maximise: parameterisation is 'wavelet'; choose one of fourier, pixel"),
        (("pointing",),
         "images: run has no boxes or masks, so no object is known; "
         "train on data with boxes or masks, or pass object_masks to wrap_module"),
    ],
)  # fmt: skip
def test_invalid_input_is_an_error_of_one_line(convscope, run, words, message):
    method, *rest = words
    code, output, error = convscope("explain", run, method, *rest)
    assert (code, output) == (2, "")
    assert error == f"convscope: {message}\n"


def test_a_folder_that_is_not_a_run_is_an_error(convscope, tmp_path):
    code, output, error = convscope("explain", tmp_path, "attribution")
    assert (code, output) == (2, "")
    assert error == (
        f"convscope: {tmp_path}: not a run, because it has no recipe.toml; give a folder that convscope train wrote\n"
    )


def test_a_list_of_channels_has_ranges():
    assert numbers("0, 3,8-11") == (0, 3, 8, 9, 10, 11)
    with pytest.raises(ConfigError) as caught:
        numbers("a-b")
    assert str(caught.value) == "--channels a-b: not a list of numbers; write it like 0,3,8-11"
