"""Names of classes that are numbers or WordNet's identifiers, and classes of loose images from a list."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from convscope.datasets.dataset import Skipped
from convscope.layouts.recognise import open_data

Save = Callable[..., Path]
TENCH, GOLDFISH = "n01440764", "n01443537"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("words.txt", f"{TENCH}\ttench, Tinca tinca\n{GOLDFISH}\tgoldfish\nn00001740\tentity\n"),
        ("LOC_synset_mapping.txt", f"{TENCH} tench, Tinca tinca\n{GOLDFISH} goldfish, Carassius auratus\n"),
        ("imagenet_class_index.json", json.dumps({"0": [TENCH, "tench"], "1": [GOLDFISH, "goldfish"]})),
        ("Labels.json", json.dumps({TENCH: "tench, Tinca tinca", GOLDFISH: "goldfish"})),
        ("../words.txt", f"{TENCH}\ttench\n{GOLDFISH}\tgoldfish\n"),
    ],
)
def test_word_net_s_identifiers_are_named(tmp_path: Path, save: Save, file: str, content: str) -> None:
    for i in range(6):
        save(tmp_path / "data" / (TENCH, GOLDFISH)[i % 2] / f"{i}.JPEG", i)
    (tmp_path / "data" / file).write_text(content)
    dataset = open_data(tmp_path / "data")
    assert dataset.classes == ("goldfish", "tench")
    assert [dataset.classes[target] for target in dataset.targets] == ["tench"] * 3 + ["goldfish"] * 3
    assert dataset.notes[-1] == f"the names of the classes are from {Path(file).name}: {TENCH} is tench"


def test_a_file_that_lacks_a_class_names_none(tmp_path: Path, save: Save) -> None:
    for i in range(6):
        save(tmp_path / (TENCH, GOLDFISH)[i % 2] / f"{i}.JPEG", i)
    (tmp_path / "words.txt").write_text(f"{TENCH}\ttench\n")
    assert open_data(tmp_path).classes == (TENCH, GOLDFISH)


@pytest.mark.parametrize(
    ("file", "content", "classes"),
    [
        ("labels.csv", "ClassId,Name\n0,Stop\n1,Yield\n", ("Stop", "Yield")),
        ("cat_to_name.json", '{"0": "fire lily", "1": "canna"}', ("canna", "fire lily")),
        ("labels.csv", "id,label\n0,1\n1,0\n", ("0", "1")),
        ("labels.csv", "ClassId,Name\n" + "".join(f"{i},name {i}\n" for i in range(9)), ("0", "1")),
    ],
)
def test_numbers_are_named(tmp_path: Path, save: Save, file: str, content: str, classes: tuple[str, ...]) -> None:
    for i in range(6):
        save(tmp_path / "train" / str(i % 2) / f"p{i}.jpg", i)
    (tmp_path / file).write_text(content)
    assert open_data(tmp_path).classes == classes


def test_numbers_in_tables_are_named(tmp_path: Path, save: Save) -> None:
    rows = ["image_id,label"]
    for i in range(6):
        save(tmp_path / "train_images" / f"p{i}.jpg", i)
        rows.append(f"p{i}.jpg,{i % 2}")
    (tmp_path / "train.csv").write_text("\n".join(rows))
    (tmp_path / "label_num_to_disease_map.json").write_text('{"0": "Blight", "1": "Healthy"}')
    assert open_data(tmp_path).classes == ("Blight", "Healthy")


@pytest.mark.parametrize(
    ("file", "line"),
    [("val/val_annotations.txt", "val_{}.JPEG\t{}\t0\t0\t20\t20"), ("LOC_val_solution.csv", "val_{},{} 3 4 20 30")],
)
def test_a_list_gives_the_classes_of_loose_images(tmp_path: Path, save: Save, file: str, line: str) -> None:
    for i in range(6):
        save(tmp_path / "train" / (TENCH, GOLDFISH)[i % 2] / "images" / f"{i}.JPEG", i)
        save(tmp_path / "val" / "images" / f"val_{i}.JPEG", 10 + i)
        save(tmp_path / "test" / "images" / f"test_{i}.JPEG", 20 + i)
    (tmp_path / file).write_text("\n".join(line.format(i, (TENCH, GOLDFISH)[i % 2]) for i in range(6)))
    dataset = open_data(tmp_path)
    found = dict(zip(dataset.names, [dataset.classes[target] for target in dataset.targets], strict=True))
    assert [found[f"val/images/val_{i}.JPEG"] for i in range(6)] == [TENCH, GOLDFISH] * 3
    assert dataset.splits.tolist() == ["train"] * 6 + ["validation"] * 6
    assert dataset.skipped[0] == Skipped("test/images/test_0.JPEG", "has no label: its split has no class folders")
    assert f"the classes of 6 images without class folders are read from {file}" in dataset.notes
