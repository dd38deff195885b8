"""The checks of the data find what is planted in folders of images, and nothing in a healthy one."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import convscope as cs
from convscope.diagnosis.data.likely_wrong_labels import doubtful
from convscope.diagnosis.data.similar_class_names import _alike, similar_class_names
from convscope.errors import ConfigError


@pytest.fixture
def folder(tmp_path):
    """Two classes of 110 images that differ in a shape: a horizontal or a vertical bar on noise."""
    generator = np.random.default_rng(0)
    for name in ("flat", "upright"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(110):
            pixels = generator.integers(0, 200, (16, 16, 3), dtype=np.uint8)
            at = int(generator.integers(2, 12))
            if name == "flat":
                pixels[at : at + 3] = 255
            else:
                pixels[:, at : at + 3] = 255
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{i:03}.bmp")
    return tmp_path / "data"


def found(folder):
    return {finding.kind: finding for finding in cs.diagnose(folder).findings}


def test_healthy_data_have_no_findings(folder):
    diagnosis = cs.diagnose(folder)
    assert diagnosis.findings == ()
    assert diagnosis.lines() == [f"{folder}: the checks of data found nothing wrong"]


def test_a_copy_with_another_label_is_found(folder):
    shutil.copy(folder / "flat" / "003.bmp", folder / "upright" / "copy.bmp")
    finding = found(folder)["copies_with_different_labels"]
    assert finding.message == (
        "a pair of equal images has different labels, such as flat/003.bmp (flat) and upright/copy.bmp (upright)"
    )
    assert finding.change.files == ("flat/003.bmp", "upright/copy.bmp")


def test_copies_across_given_splits_are_leaks(folder, tmp_path):
    for split, rows in (("train", range(90)), ("test", range(90, 110))):
        for name in ("flat", "upright"):
            (tmp_path / "split" / split / name).mkdir(parents=True)
            for i in rows:
                shutil.copy(folder / name / f"{i:03}.bmp", tmp_path / "split" / split / name)
    for i in range(4):
        shutil.copy(folder / "flat" / f"{i:03}.bmp", tmp_path / "split" / "test" / "flat" / f"again{i}.bmp")
    finding = found(tmp_path / "split")["leaks"]
    assert finding.where == "split test"
    assert set(finding.change.files) == {f"test/flat/again{i}.bmp" for i in range(4)}
    assert "4 images (9.1 % of test) are in another split too" in finding.message


def test_a_rare_class_is_found(folder):
    for i in range(8, 110):
        (folder / "upright" / f"{i:03}.bmp").unlink()
    findings = found(folder)
    assert findings["imbalance"].where == "class upright"
    assert findings["imbalance"].change.settings == {"loss.class_weights": "balanced"}
    assert findings["few_images_to_evaluate"].where == "class upright"


def test_names_that_differ_by_a_hair_are_found(folder):
    shutil.copytree(folder / "flat", folder / "flats")
    shutil.rmtree(folder / "flat")
    (folder / "flat").mkdir()
    for i in range(50):
        shutil.move(folder / "flats" / f"{i:03}.bmp", folder / "flat")
    assert found(folder)["similar_class_names"].where == "classes flat and flats"


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("cat", "Cat ", True),
        ("t-shirt", "tshirt", True),
        ("cat", "cats", True),
        ("automobile", "automoblie", True),
        ("scratches", "scratchse", True),
        ("cat", "car", False),
        ("ant", "aunt", False),
        ("class1", "class2", False),
        ("rolled", "rolling", False),
    ],
)
def test_names_are_alike(first, second, alike):
    assert _alike(first, second) is alike


def test_blank_and_cut_off_images_are_found(folder):
    Image.new("RGB", (16, 16), (7, 7, 7)).save(folder / "flat" / "blank.bmp")
    with Image.open(folder / "upright" / "001.bmp") as image:
        pixels = np.array(image)
    pixels[8:] = 128
    Image.fromarray(pixels).save(folder / "upright" / "cut.bmp")
    finding = found(folder)["blank_images"]
    assert finding.change.files == ("flat/blank.bmp", "upright/cut.bmp")
    assert finding.message == "1 blank and 1 with a lower part of one grey images of 222"


def test_checks_that_data_do_not_have_are_refused(folder):
    with pytest.raises(ConfigError) as caught:
        cs.diagnose(folder, checks=["learning"])
    assert str(caught.value) == (
        f"--checks learning: {folder} is data, not a run; give the folder of a run, or --checks data"
    )
    with pytest.raises(ConfigError) as caught:
        cs.diagnose(folder, checks=["dta"])
    assert str(caught.value) == "--checks dta: unknown; did you mean data?"


def test_a_class_that_is_darker_is_a_shortcut_with_the_cue_and_the_class(folder):
    """Each planted change is found as the cue that it is, and the same images without it have no finding."""
    for file in (folder / "upright").iterdir():
        with Image.open(file) as image:
            pixels = np.array(image)
        Image.fromarray((pixels * 0.5).astype(np.uint8)).save(file)
    finding = found(folder)["shortcuts"]
    assert finding.where in ("class flat", "class upright")
    assert finding.message.startswith("brightness alone tells ")
    assert finding.figure > 0.95
    assert 0.4 < finding.threshold < 0.65


def test_files_of_another_format_are_a_shortcut(folder):
    for file in (folder / "upright").iterdir():
        with Image.open(file) as image:
            image.save(file.with_suffix(".png"))
        file.unlink()
    assert found(folder)["shortcuts"].figure > 0.95


def test_labels_that_contradict_the_images_are_found(folder):
    """Twelve of 110 images of each class are in the folder of the other."""
    for number in range(12):
        for name, other in (("flat", "upright"), ("upright", "flat")):
            shutil.move(folder / name / f"{number:03}.bmp", folder / other / f"wrong{number}.bmp")
    files = found(folder)["likely_wrong_labels"].change.files
    assert len(files) >= 15
    assert sum("wrong" in name for name in files) >= 0.9 * len(files)


def test_the_most_doubtful_label_comes_first_worked_by_hand():
    probabilities = np.array([[0.98, 0.02], [0.95, 0.05], [0.9, 0.1], [0.05, 0.95]])
    rows, expected = doubtful(probabilities, np.array([1, 1, 0, 1]))
    assert rows.tolist() == [0, 1]
    assert expected == pytest.approx(0.02 + 0.05 + 0.1 + 0.05)


def test_names_that_follow_a_scheme_are_not_alike():
    names = tuple(f"sample_{letter}" for letter in "abcd")
    view = SimpleNamespace(classes=names, labels=np.zeros(4, np.int64), has_labels=True)
    assert similar_class_names(view) is None
    view.classes = ("sample_a", "sample_b", "moth", "wasp", "hornet")
    assert similar_class_names(view).where == "classes sample_a and sample_b"


def test_an_image_unlike_all_others_is_found(folder):
    generator = np.random.default_rng(5)
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[::2] = (255, 0, 255)
    stripes[:, :3] = generator.integers(0, 255, (16, 3, 3))
    Image.fromarray(stripes).save(folder / "flat" / "placeholder.bmp")
    finding = found(folder)["outliers"]
    assert finding.change.files == ("flat/placeholder.bmp",)
    assert finding.message.startswith("1 image is unlike all others: flat/placeholder.bmp is ")
