"""Invalid input: an error of one line that names the source and the remedy, or a warning. Compared whole."""

import errno
import os
import pickle
import shutil

import pytest
import torch

from helpers import bad_data
from helpers.small_runs import train

WHAT_FITS = "a folder with one subfolder per class, a CSV or Parquet file, or one of digits, shapes, waves, digits3d"
UNSEEN = "which cannot be learned; add such images to train or remove them from test"
SMALL = ["--epochs", "1", "--set", "model.options.width=4", "--set", "model.options.depths=[1, 1]"]

pytestmark = pytest.mark.usefixtures("no_report")


def spoilt(how):
    return lambda home: bad_data.spoilt(home, how)


def table(**how):
    return lambda home: bad_data.table(home, **how)


REFUSED = {
    "no such path": (bad_data.nothing, "no such file or folder; give " + WHAT_FITS),
    "a misspelt path": (bad_data.misspelt, "no such file or folder; did you mean {home}/photos?"),
    "an empty folder": (bad_data.empty, "the folder is empty; put images in it, in one subfolder per class"),
    "no images": (
        bad_data.no_images, "no images, only other files (2 .txt, 1 .pdf); put them in one subfolder per class",
    ),
    "no classes": (
        bad_data.no_classes, "10 images but no class folders; put them in one subfolder per class",
    ),
    "one class only": (bad_data.one_class, "one class only, a; add images of at least one other"),
    "every class with one image": (
        bad_data.classes_of_one,
        "2 images in 2 classes leave none for validation, because each class has one image or all images belong "
        "to one group; add images",
    ),
    "no file that can be read": (bad_data.all_spoilt, "none of its 20 image files can be read; copy them again"),
    "a class never seen in training": (bad_data.unseen_class, "test has a class that is not in train, c, " + UNSEEN),
    "an archive": (
        bad_data.an_archive, "an archive of a kind that is not read in place; unpack it and give the folder",
    ),
    "a file that lists nothing": (bad_data.no_list, "not a kind of file that lists images; give " + WHAT_FITS),
    "a table without labels": (
        table(header="file,colour,shape", rows="{file},{label},{label}2"),
        "no column for the label among file, colour, shape; set the label column",
    ),
    "a table without files": (
        table(header="kind,age", rows="{label},3"),
        "no column names image files, of kind, age; set the image column",
    ),
    "a table that contradicts itself": (
        table(change="many contradictions"),
        "rows disagree about 5 of 20 files, such as a/0.png (row 2: a, row 22: b); "
        "each image needs one target and one split",
    ),
    "a table with another word for a set": (
        table(header="file,label,split", rows="{file},{label},banana"),
        "row 2 has 'banana' in column split; use train, validation or test, or leave it blank; "
        "--set data.split_column=none if the column is no split",
    ),
    "a table with a label never seen in training": (
        table(header="file,label,split", change="unseen class"),
        "test has a class that is not in train, b, " + UNSEEN,
    ),
    "a table without rows": (table(change="no rows"), "no rows; list at least one image per class"),
    "an empty table": (bad_data.empty_table, "the file is empty; list at least one image per class"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_data_that_cannot_be_trained_on_are_refused_in_one_line(convscope, tmp_path, make, message):
    source = make(tmp_path)
    output = convscope("train", source, "--out", tmp_path / "run", *SMALL)
    assert output == (2, "", f"convscope: {source}: {message.format(home=tmp_path)}\n")
    assert not (tmp_path / "run").exists()


MESSAGES = {
    "a class with one image": (
        bad_data.class_of_one, "note: class b has one image: it is used for training and is not evaluated",
    ),
    "a file that is not an image": (
        spoilt("no image"),
        "skipped: 1 file, a/0.png: not an image in a supported format; convert it to PNG or JPEG, or delete it",
    ),
    "a file that is cut off": (
        spoilt("cut off"), "skipped: 1 file, a/0.png: damaged or truncated; copy it again or delete it",
    ),
    "a file of zero bytes": (
        spoilt("zero bytes"), "skipped: 1 file, a/0.png: the file is empty, 0 bytes; copy it again or delete it",
    ),
    "an image of one pixel": (spoilt("one pixel"), "sizes (height x width): 1 to 16 (median 16) x 1 to 16 (median 16)"),
    "an image 20,000 pixels wide": (
        spoilt("wide"), "sizes (height x width): 16 to 20 (median 16) x 16 to 20000 (median 16)",
    ),
    "a decompression bomb": (
        spoilt("bomb"),
        "skipped: 1 file, a/0.png: too large: it has more pixels than the limit of 178,956,970; make it smaller",
    ),
    "a table that lists missing files": (
        table(change="missing files"), "skipped: 2 files, a/98.png, b/99.png: no such file",
    ),
    "a table with repeated rows": (
        table(change="repeated rows"), "note: rows that repeat an earlier one are merged: 3",
    ),
    "a table with one contradiction": (
        table(change="one contradiction"), "skipped: 1 file, a/0.png: rows disagree, row 2: a, row 22: b",
    ),
    "a table with a label left out": (table(change="no label"), "skipped: 1 file, a/0.png: has no label"),
    "a table whose columns were found": (table(), "note: columns used: file for image, label for label"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "line"), MESSAGES.values(), ids=MESSAGES)
def test_irregular_data_are_reported_and_trained_on(convscope, tmp_path, make, line):
    code, out, err = convscope("train", make(tmp_path), "--out", tmp_path / "run", *SMALL)
    assert (code, err) == (0, "")
    assert line in out.splitlines()
    assert (tmp_path / "run" / "model" / "model.safetensors").exists()


def test_columns_can_be_named(convscope, tmp_path):
    source = bad_data.table(tmp_path, header="file,colour,age", rows="{file},{label},3")
    words = ["train", source, "--out", tmp_path / "run", *SMALL, "--image-column", "file", "--label-column"]
    assert convscope(*words, "color") == (2, "", f"convscope: {source}: no column color; did you mean colour?\n")
    code, out, _ = convscope(*words, "colour")
    assert code == 0
    assert "note: columns used: file for image, colour for label" in out.splitlines()


@pytest.fixture(scope="module")
def run(few, tmp_path_factory):
    path = tmp_path_factory.mktemp("bad") / "run"
    train(path, few)
    return path


def cut_off(run):
    file = run / "model" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def pickled(run):
    (run / "model" / "model.safetensors").write_bytes(pickle.dumps({"stem": 1}))


def another_setting(run):
    file = run / "recipe.toml"
    file.write_text(file.read_text().replace("epochs = 2", "epoch = 2"))


def without_data(run):
    (run / "data.json").write_text('{"classes": ["a"')


def without_network(run):
    shutil.rmtree(run / "model")


def half_begun(run):
    (run / ".lock").touch()
    for file in run.iterdir():
        if file.is_dir():
            shutil.rmtree(file)
        elif file.name not in (".lock", "data.json"):
            file.unlink()


def gone(run):
    shutil.rmtree(run)


DAMAGED = "truncated or damaged (Error while deserializing header: incomplete metadata, file not fully covered)"
SPOILT_RUNS = {
    "a model file that is cut off": (
        cut_off, "evaluate predict", "{run}/model/model.safetensors: " + DAMAGED + "; copy or train the model again",
    ),
    "a model file that is a pickle": (
        pickled,
        "evaluate predict",
        "{run}/model/model.safetensors: this is a pickle or an archive of them, which can run code when opened, so it "
        "is not opened; save the weights as safetensors",
    ),
    "a recipe with an unknown setting": (
        another_setting,
        "resume evaluate report",
        "{run}/recipe.toml line {line}: no setting train.epoch; did you mean train.epochs?",
    ),
    "a run without its data.json": (
        without_data,
        "resume evaluate report",
        "{run}/data.json: missing or damaged, so the run cannot be used; train again with another --out",
    ),
    "a run without a network": (
        without_network,
        "evaluate predict",
        "{run}: no network saved yet; continue training with: convscope train --resume {run}",
    ),
    "a run stopped before it began": (
        half_begun,
        "resume evaluate predict report",
        "{run}: stopped before training started, so nothing is lost; start it again: convscope train DATA --out {run}",
    ),
    "a run that is not there": (
        gone, "resume evaluate predict report", "{run}: no such run; create it with: convscope train DATA --out {run}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "verbs", "message"), SPOILT_RUNS.values(), ids=SPOILT_RUNS)
def test_a_run_that_is_not_whole_is_refused_in_one_line_by_every_command(
    convscope, run, few, tmp_path, spoil, verbs, message
):
    path = shutil.copytree(run, tmp_path / "run")
    spoil(path)
    words = {
        "resume": ["train", "--resume", path],
        "evaluate": ["evaluate", path],
        "predict": ["predict", path, f"{few}/a/0.png"],
        "report": ["report", path],
    }
    lines = (path / "recipe.toml").read_text().splitlines() if (path / "recipe.toml").exists() else []
    wrong = next((number for number, line in enumerate(lines, 1) if line.startswith("epoch = ")), None)
    for verb in verbs.split():
        assert convscope(*words[verb]) == (2, "", f"convscope: {message.format(run=path, line=wrong)}\n"), verb


def test_a_run_stopped_before_it_began_can_be_started_again_in_its_place(convscope, run, few, tmp_path):
    path = shutil.copytree(run, tmp_path / "run")
    half_begun(path)
    assert convscope("train", few, "--out", path, *SMALL)[0] == 0


def test_a_recipe_with_an_unknown_setting_is_refused(convscope, few, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[optimiser]\nlearning_rte = 0.1\n")
    assert convscope("train", few, "--recipe", file, "--out", tmp_path / "run") == (
        2, "", f"convscope: {file} line 2: no setting optimiser.learning_rte; did you mean optimiser.learning_rate?\n",
    )  # fmt: skip


def test_a_place_where_nothing_can_be_written_is_refused(convscope, few, tmp_path):
    """A folder cannot be created below a file, not even by root."""
    (tmp_path / "notes").write_text("mine")
    path = tmp_path / "notes" / "run"
    assert convscope("train", few, "--out", path) == (
        2, "", f"convscope: {path}: cannot be written (Not a directory); choose another folder with --out\n",
    )  # fmt: skip


def test_a_run_is_never_written_over(convscope, run, few):
    assert convscope("train", few, "--out", run) == (
        2, "", f"convscope: {run}: a run already exists; choose another folder with --out, "
        f"or continue it: convscope train --resume {run}\n",
    )  # fmt: skip


def test_a_full_disk_is_reported_in_one_line_and_the_run_can_continue_later(convscope, few, tmp_path, monkeypatch):
    path, write = tmp_path / "run", torch.save

    def filling(content, file):
        if content["epoch"] == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(content, file)

    monkeypatch.setattr(torch, "save", filling)
    code, _, err = convscope("train", few, "--out", path, *SMALL[2:], "--epochs", 3)
    assert (code, err) == (
        2,
        f"convscope: {path / 'checkpoint'}: the state could not be saved (No space left on device), and the last saved "
        "one is unchanged; free disk space or choose another folder, then resume\n",
    )
    monkeypatch.setattr(torch, "save", write)
    code, out, err = convscope("train", "--resume", path)
    assert (code, err) == (0, "")
    assert "resumed: after epoch 1" in out.splitlines()
