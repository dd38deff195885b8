"""Which folders are classes, splits, or neither, in repositories as cloned and archives as unpacked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from convscope.datasets.dataset import Skipped
from convscope.errors import DataError
from convscope.layouts.folders.set_names import is_aside, is_container, set_names
from convscope.layouts.recognise import open_data, recognise

Save = Callable[..., Path]
Found = list[tuple[str, str, str]]

A_AND_B = [("a", ""), ("b", "")]
SPLIT = [("a", "train"), ("b", "train"), ("a", "test"), ("b", "test")]


@pytest.fixture
def make(tmp_path: Path, save: Save) -> Callable[[str], Path]:
    """A function that writes the files of a list separated by blanks; text files if they are no images."""

    def write(files: str) -> Path:
        for seed, name in enumerate(files.split()):
            if name.endswith((".png", ".jpg")):
                save(tmp_path / name, seed)
            else:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text("text")
        return tmp_path

    return write


def both(*folders: str) -> str:
    """Images of the classes a and b in each folder."""
    return " ".join(f"{folder}/{label}/{label}.png" for folder in folders for label in "ab")


def found_in(path: Path) -> list[tuple[str, str]]:
    dataset = open_data(path)
    assert dataset.layout == "folder"
    rows = zip(dataset.names, dataset.targets, dataset.splits.tolist(), strict=True)
    return [(dataset.classes[target], split) for _, target, split in rows]


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        (both("dataset-resized") + " README.md", "dataset-resized"),
        (both("flowers/flowers"), "flowers/flowers"),
        (both("x/y/z"), "x/y/z"),
        (both("repo/data") + " repo/setup.py repo/docs/index.md", "repo/data"),
    ],
)
def test_a_folder_that_alone_contains_the_classes_is_opened(
    make: Callable[[str], Path], files: str, folder: str
) -> None:
    path = make(files)
    assert found_in(path) == A_AND_B
    assert open_data(path).notes[0] == f"the classes are read from the folder {folder}"
    assert open_data(path).because == "its folders a and b contain images"


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (both("training_set/training_set", "test_set/test_set"), "training_set/training_set test_set/test_set"),
        (both("seg_train", "seg_test"), "seg_train seg_test"),
        (both("seg_train/seg_train", "seg_test/seg_test"), "seg_train/seg_train seg_test/seg_test"),
        (both("images/train", "images/test"), "images/train images/test"),
        (both("train2017", "test2017"), "train2017 test2017"),
        (both("train/images", "test/images"), "train/images test/images"),
        (both("TrainSet", "TestSet"), "TrainSet TestSet"),
        (both("x_train", "x_test"), "x_train x_test"),
        (both("data/data/train", "data/data/test"), "data/data/train data/data/test"),
        (both("train/train", "test"), "train/train test"),
    ],
)
def test_split_folders_may_be_nested_and_have_compound_names(
    make: Callable[[str], Path], files: str, splits: str
) -> None:
    path = make(files)
    assert sorted(found_in(path)) == sorted(SPLIT)
    train, test = splits.split()
    read = f"{train} (train), {test} (test)"
    assert open_data(path).notes == (f"the split is read from the folders {read}",)


def test_plain_split_folders_need_no_note(make: Callable[[str], Path]) -> None:
    path = make(both("Train", "TEST"))
    assert sorted(found_in(path)) == sorted(SPLIT)
    assert open_data(path).notes == ()
    assert open_data(path).because == "its folders a and b in train and test contain images"


def test_split_folders_inside_the_classes_are_the_split(make: Callable[[str], Path]) -> None:
    path = make("a/train/1.png a/test/2.png b/train/3.png b/test/4.png")
    assert found_in(path) == [("a", "test"), ("a", "train"), ("b", "test"), ("b", "train")]
    assert open_data(path).notes == ("the split is read from the folders test and train of each class",)


def test_folders_named_by_split_and_class_are_both(make: Callable[[str], Path]) -> None:
    path = make("trainA/1.png trainB/2.png testA/3.png testB/4.png")
    assert found_in(path) == [("a", "test"), ("b", "test"), ("a", "train"), ("b", "train")]
    assert open_data(path).notes == (
        "class and split are read from the names of the folders "
        "testA (a, test), testB (b, test), trainA (a, train), trainB (b, train)",
    )


@pytest.mark.parametrize(
    ("files", "classes"),
    [
        ("car/1.png plane/2.png train/3.png", ("car", "plane", "train")),
        ("Train/car/1.png Train/test/2.png Train/train/3.png", ("car", "test", "train")),
        ("train_station/1.png bus_station/2.png", ("bus_station", "train_station")),
        ("passenger_train/1.png freight_train/2.png", ("freight_train", "passenger_train")),
        ("cats/persian/1.png cats/siamese/2.png dogs/poodle/3.png", ("cats", "dogs")),
        ("class_1/images/1.png class_2/images/2.png", ("class_1", "class_2")),
        ("final_set/a/1.png final_set/b/2.png", ("a", "b")),
    ],
)
def test_names_of_splits_are_classes_where_their_siblings_are(
    make: Callable[[str], Path], files: str, classes: tuple[str, ...]
) -> None:
    assert open_data(make(files)).classes == classes


@pytest.mark.parametrize("test", ["dataset/test", "dataset/test/test", "dataset/test1"])
def test_images_of_a_split_without_class_folders_have_no_label(make: Callable[[str], Path], test: str) -> None:
    path = make(f"{both('dataset/train')} {test}/1.jpg {test}/2.jpg")
    assert found_in(path) == [("a", "train"), ("b", "train")]
    dataset = open_data(path)
    why = "has no label: its split has no class folders"
    assert dataset.skipped == (Skipped(f"{test}/1.jpg", why), Skipped(f"{test}/2.jpg", why))
    assert dataset.notes[-1] == f"{test} has no class folders, so its 2 images are skipped"


def test_images_to_predict_beside_the_splits_are_skipped(make: Callable[[str], Path]) -> None:
    dataset = open_data(make(both("seg_train", "seg_test") + " seg_pred/1.png"))
    assert dataset.classes == ("a", "b")
    assert dataset.skipped == (Skipped("seg_pred/1.png", "is outside the split folders seg_test and seg_train"),)
    assert dataset.notes == (
        "the split is read from the folders seg_train (train), seg_test (test)",
        "seg_pred is no split folder and skipped; rename a folder to train, validation or test to use it",
    )


def test_a_labelled_folder_of_unknown_role_beside_the_splits_is_noted(make: Callable[[str], Path]) -> None:
    dataset = open_data(make(both("training", "evaluation")))
    assert dataset.names == ("training/a/a.png", "training/b/b.png")
    assert dataset.notes == (
        "evaluation is no split folder and skipped; rename a folder to train, validation or test to use it",
    )


def test_examples_beside_the_data_are_no_class(make: Callable[[str], Path]) -> None:
    path = make("Dataset/0/1.png Dataset/1/2.png Examples/3.png README.md")
    dataset = open_data(path)
    assert dataset.classes == ("0", "1")
    assert dataset.skipped == (Skipped("Examples/3.png", "is outside the folder Dataset"),)
    assert dataset.notes == (
        "the classes are read from the folder Dataset, and not Examples; give one of the folders to read it alone",
        "skipped files that are not images: 1 .md",
    )


@pytest.mark.parametrize(
    ("files", "classes", "why", "nested"),
    [
        ("Dataset/0/1.png Dataset/1/2.png other/3.png", ["Dataset", "other"],
         "only Dataset, not other, contains folders with images", ["0", "1"]),
        ("plants/0/1.png plants/1/2.png docs/3.png", ["docs", "plants"],
         "only plants, not docs, contains folders with images", ["0", "1"]),
        (both("site1", "site2"), ["site1", "site2"],
         "its subfolders site1 and site2 contain folders of the same names", ["a", "b"]),
        ("car/1.png train/diesel/2.png train/steam/3.png", ["car", "train"],
         "only train, not car, contains folders with images", ["diesel", "steam"]),
    ],
)  # fmt: skip
def test_where_the_level_of_the_classes_is_unsure_both_readings_are_named(
    make: Callable[[str], Path], files: str, classes: list[str], why: str, nested: list[str]
) -> None:
    path = make(files)
    with pytest.raises(DataError) as raised:
        open_data(path)
    in_train = " in train" if "diesel" in nested else ""
    assert str(raised.value) == (
        f"{path}: can be read in the layout folder, because its folders {' and '.join(classes)} contain images; "
        f"or in the layout nested-folders, because {why}, "
        f"so the classes are the folders {' and '.join(nested)}{in_train}; "
        "choose with --layout folder or --layout nested-folders"
    )
    assert open_data(path, layout="folder").classes == tuple(classes)
    assert open_data(path, layout="nested-folders").classes == tuple(nested)


def test_folds_of_the_same_classes_are_no_classes(make: Callable[[str], Path]) -> None:
    dataset = open_data(make(both("fold1", "fold2")))
    assert (dataset.layout, dataset.classes, len(dataset)) == ("nested-folders", ("a", "b"), 4)
    assert dataset.because == (
        "its subfolders fold1 and fold2 contain folders of the same names, so the classes are the folders a and b"
    )


def test_numbered_parts_of_a_class_are_noted(make: Callable[[str], Path]) -> None:
    dataset = open_data(make("cat/1/a.png cat/2/b.png dog/1/c.png dog/2/d.png dog/3/e.png"))
    assert dataset.classes == ("cat", "dog")
    assert dataset.notes == (
        "class cat contains the images of its 2 subfolders, such as 1; "
        "if these are the classes, set --layout nested-folders",
    )


@pytest.mark.parametrize("folders", ["train_images test_images", "train test", "Train valid"])
def test_splits_without_classes_are_not_distinguished(make: Callable[[str], Path], folders: str) -> None:
    first, second = folders.split()
    path = make(f"{first}/1.png {second}/2.png labels.csv")
    with pytest.raises(DataError) as raised:
        open_data(path)
    names = " and ".join(sorted((first, second)))
    assert str(raised.value) == (
        f"{path}: the images in {names} are not in class folders; give the table instead: labels.csv"
    )


def test_classes_in_file_names_are_read_with_the_split(make: Callable[[str], Path]) -> None:
    path = make("train/cat.0.jpg train/cat.1.jpg train/dog.0.jpg test1/1.jpg")
    dataset = open_data(path)
    assert (dataset.layout, dataset.classes, dataset.targets.tolist()) == ("file-names", ("cat", "dog"), [0, 0, 1])
    assert dataset.splits.tolist() == ["train"] * 3
    assert dataset.because == "the names of 3 of 4 images are a class and a number, such as cat.0.jpg"
    assert dataset.notes == ("classes are read from the names of the files: train/cat.0.jpg is cat",)
    assert dataset.skipped == (Skipped("test1/1.jpg", "has no class in its name, as in cat.0.jpg"),)


def test_other_numbered_names_are_classes_only_on_request(make: Callable[[str], Path]) -> None:
    path = make("Maine_Coon_1.jpg Maine_Coon_2.jpg Beagle_1.jpg")
    assert [one.layout for one in recognise(path)] == ["folder"]
    with pytest.raises(DataError) as raised:
        open_data(path)
    assert str(raised.value) == (
        f"{path}: 3 images but no class folders; put them in one subfolder per class, or set --layout file-names if "
        "Beagle and Maine_Coon are classes"
    )
    assert open_data(path, layout="file-names").classes == ("Beagle", "Maine_Coon")


def test_words_of_splits_are_recognised_in_sets_of_names() -> None:
    assert set_names(["train", "test1", "validation"]) == {
        "train": "train",
        "test1": "test",
        "validation": "validation",
    }
    assert set_names(["Train_Data", "unlabeled"]) == {"Train_Data": "train", "unlabeled": "unlabelled"}
    assert set_names(["train", "cats"]) == set_names(["test_set"]) == set_names(["train_test"]) == {}
    assert [is_container(name) for name in ("Dataset", "PetImages", "cats")] == [True, True, False]
    assert [is_aside(name) for name in ("Examples", "docs", "sample_images", "cats")] == [True, True, True, False]


def test_folds_with_splits_in_each_are_no_classes(make: Callable[[str], Path]) -> None:
    path = make(both("fold_0/train", "fold_0/val", "fold_1/train", "fold_1/val"))
    with pytest.raises(DataError) as raised:
        open_data(path)
    assert str(raised.value) == (
        f"{path}: each of fold_0 and fold_1 holds train and val with the folders a and b, as folds do; give one of "
        "them, such as fold_0, or set --layout folder if fold_0 and fold_1 are the classes"
    )
    assert found_in(path / "fold_0") == [("a", "train"), ("b", "train"), ("a", "validation"), ("b", "validation")]
    assert open_data(path, layout="folder").classes == ("fold_0", "fold_1")


def test_classes_that_consist_of_several_named_folders_are_said(make: Callable[[str], Path]) -> None:
    path = make("colon/aca/1.png colon/n/1.png lung/aca2/1.png lung/n2/1.png lung/scc/1.png")
    dataset = open_data(path)
    assert dataset.classes == ("colon", "lung")
    assert dataset.notes == (
        "class colon contains the images of its 2 subfolders, such as aca; if these are the classes, set "
        "--layout nested-folders",
    )
    assert open_data(path, layout="nested-folders").classes == ("aca", "aca2", "n", "n2", "scc")


def test_classes_whose_names_differ_only_by_case_between_the_splits_are_named(make: Callable[[str], Path]) -> None:
    path = make("train/Cat/1.png train/Dog/1.png test/cat/1.png test/dog/1.png")
    with pytest.raises(DataError) as raised:
        open_data(path)
    assert str(raised.value) == (
        f"{path}: test has 2 classes that are not in train, cat, dog, which cannot be learned; cat and Cat differ only "
        "by case: give both one name"
    )
