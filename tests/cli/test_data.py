"""The look at data on the command line; the fields of its JSON are a contract."""

import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

import convscope as cs
from helpers.small_runs import photos

NUMBER, TEXT, MAYBE_TEXT = int | float, str, str | None
SPREAD = {"min": int, "median": int, "max": int}
CONTRACT = {
    "source": TEXT,
    "layout": TEXT,
    "because": TEXT,
    "task": TEXT,
    "target_kind": TEXT,
    "input_kind": TEXT,
    "images": int,
    "classes": [{"name": TEXT, "images": int, "train": int, "validation": int, "test": int}],
    "imbalance": NUMBER,
    "splits": {"train": int, "validation": int, "test": int, "from": TEXT, "cut": [TEXT], "seed": int | None},
    "size": {"height": SPREAD, "width": SPREAD},
    "channels": int,
    "modes": dict,
    "input": {"size": [int], "channels": int},
    "pixels": MAYBE_TEXT,
    "skipped": [{"name": TEXT, "why": TEXT}],
    "notes": [TEXT],
}


def check(value, shape, place="$", more=()):
    """Fail where a JSON value has another shape; `more` are keys that each class has, too."""
    if isinstance(shape, dict):
        assert set(value) == set(shape) | ({*more} if place.startswith("$.classes[") else set()), place
        for name, inner in shape.items():
            check(value[name], inner, f"{place}.{name}", more)
    elif isinstance(shape, list):
        assert isinstance(value, list), place
        for index, one in enumerate(value):
            check(one, shape[0], f"{place}[{index}]", more)
    else:
        assert isinstance(value, shape), (place, value)


@pytest.fixture
def damaged(tmp_path):
    """Class folders with three files that cannot be read and one that is a copy."""
    folder = photos(tmp_path / "photos", each=20)
    (folder / "a" / "text.png").write_bytes(b"no image")
    (folder / "a" / "empty.png").write_bytes(b"")
    (folder / "b" / "copy.png").write_bytes((folder / "b" / "3.png").read_bytes())
    whole = (folder / "b" / "5.png").read_bytes()
    (folder / "b" / "5.png").write_bytes(whole[: len(whole) // 2])
    return folder


def test_the_fields_are_the_contract(convscope, damaged):
    code, out, err = convscope("data", damaged, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    check(found, CONTRACT)
    assert (found["source"], found["layout"], found["task"], found["images"]) == (
        str(damaged), "folder", "classify", 40,
    )  # fmt: skip
    assert [(entry["name"], entry["images"]) for entry in found["classes"]] == [("a", 20), ("b", 20)]
    assert found["splits"] == {
        "train": 32, "validation": 4, "test": 4, "from": "cut", "cut": ["validation", "test"], "seed": 0,
    }  # fmt: skip
    assert found["size"] == {side: {"min": 16, "median": 16, "max": 16} for side in ("height", "width")}
    assert found["skipped"] == [
        {"name": "a/empty.png", "why": "the file is empty, 0 bytes; copy it again or delete it"},
        {"name": "a/text.png", "why": "not an image in a supported format; convert it to PNG or JPEG, or delete it"},
        {"name": "b/5.png", "why": "damaged or truncated; copy it again or delete it"},
    ]
    assert found["notes"] == ["1 image is a copy or near copy of another; they stay in the same split"]


def test_without_pixels_copies_and_damaged_pixels_are_not_found_and_this_is_said(convscope, damaged):
    found = json.loads(convscope("data", damaged, "--json", "--no-pixels")[1])
    check(found, CONTRACT)
    assert (found["images"], found["pixels"], len(found["skipped"]), found["notes"]) == (41, None, 2, [])
    lines = convscope("data", damaged, "--no-pixels")[1].splitlines()
    assert "pixels: not decoded: damaged files and copies are found with --pixels, and when training starts" in lines


@pytest.mark.slow
def test_events_of_a_training_and_data_json_have_the_same_fields(convscope, damaged, tmp_path):
    looked = json.loads(convscope("data", damaged, "--json")[1])
    settings = ["--set", "model.options.width=4", "--set", "model.options.depths=[1,1]", "--epochs", "1"]
    out = convscope("train", damaged, "--out", tmp_path / "run", "--json", *settings)[1]
    event = json.loads(out.splitlines()[0])
    assert event.pop("event") == "data_loaded"
    assert event == looked
    assert json.loads((tmp_path / "run" / "data.json").read_text())["summary"] == looked


def test_numbers_have_their_range(convscope, tmp_path):
    for i in range(20):
        Image.new("L", (8, 8), i).save(tmp_path / f"{i}.png")
    (tmp_path / "ages.csv").write_text("\n".join(["image,age", *(f"{i}.png,{i + 0.5}" for i in range(20))]))
    found = json.loads(convscope("data", tmp_path / "ages.csv", "--json")[1])
    check(found, CONTRACT, more=("min", "mean", "max"))
    (age,) = found["classes"]
    assert (age["name"], age["images"], age["min"], age["mean"], age["max"]) == ("age", 20, 0.5, 10, 19.5)


def test_boxes_count_all_objects(convscope, tmp_path):
    lines = ["image,label,xmin,ymin,xmax,ymax"]
    for i in range(20):
        Image.new("L", (8, 8), i).save(tmp_path / f"{i}.png")
        lines += [f"{i}.png,{'ab'[i % 2]},0,0,6,6", f"{i}.png,a,5,5,8,8"]
    (tmp_path / "boxes.csv").write_text("\n".join(lines))
    found = json.loads(convscope("data", tmp_path / "boxes.csv", "--json")[1])
    check(found, CONTRACT, more=("objects",))
    assert [(entry["images"], entry["objects"]) for entry in found["classes"]] == [(10, 30), (10, 10)]


def test_masks_have_the_share_of_pixels(convscope, tmp_path):
    for i in range(20):
        for name in ("images", "masks"):
            (tmp_path / name).mkdir(exist_ok=True)
        Image.new("L", (8, 8), 10 * i).save(tmp_path / "images" / f"{i}.png")
        mask = np.zeros((8, 8), np.uint8)
        mask[:2] = 255
        Image.fromarray(mask).save(tmp_path / "masks" / f"{i}.png")
    found = json.loads(convscope("data", tmp_path, "--json")[1])
    check(found, CONTRACT, more=("pixel_share",))
    assert [entry["pixel_share"] for entry in found["classes"]] == [0.75, 0.25]


def test_a_sheet_is_written_and_its_path_printed(convscope, tmp_path):
    code, out, err = convscope("data", photos(tmp_path / "photos"), "--sheet", tmp_path / "sheet.png")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == f"sheet: {tmp_path / 'sheet.png'}"
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_with_control_characters_and_names_that_are_not_utf8_are_printed_safely(convscope, tmp_path):
    folder = photos(tmp_path / "photos", each=12)
    (folder / "a" / "0.png").rename(folder / "a" / "0\x1b[31m\n.png")
    (folder / "b" / "no\nimage\x1b]0;x\x07.png").write_bytes(b"no image")
    (folder / "b").rename(folder / os.fsdecode(b"caf\xe9"))
    code, out, err = convscope("data", folder, "--sheet", tmp_path / "sheet.html")
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert "  caf\\xe9      12     10           1     1" in out.splitlines()
    assert out.splitlines()[-2] == (
        "skipped: 1 file, caf\\xe9/no\\nimage\\x1b]0;x\\x07.png: not an image in a supported format; convert it to "
        "PNG or JPEG, or delete it"
    )
    assert "caf\\xe9" in (tmp_path / "sheet.html").read_text()
    small = ["--set", "model.options.width=4", "--set", "model.options.depths=[1,1]"]
    train = ["train", folder, "--out", tmp_path / "run", "--epochs", "1", *small]
    code, out, err = convscope(*train)
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    code, out, err = convscope("predict", tmp_path / "run", folder, "--json")
    assert (code, len(out.splitlines())) == (1, 24)
    assert err.count("\n") == 1
    assert "\x1b" not in err
    found = cs.predict(tmp_path / "run", folder / os.fsdecode(b"caf\xe9") / "3.png")
    assert b"caf\xe9/3.png," in found.to_csv(tmp_path / "found.csv").read_bytes()


@pytest.mark.slow
def test_cells_that_a_spreadsheet_would_run_become_text(convscope, tmp_path, monkeypatch):
    folder = photos(tmp_path / "photos", each=12)
    (folder / "a").rename(folder / "=SUM(1)")
    (folder / "b").rename(folder / "-")
    settings = ["--epochs", "1", "--set", "model.options.width=4", "--set", "model.options.depths=[1,1]"]
    assert convscope("train", folder, "--out", tmp_path / "run", *settings)[0] == 0
    (tmp_path / "@new.png").write_bytes((folder / "-" / "0.png").read_bytes())
    monkeypatch.chdir(tmp_path)
    heading, line = convscope("predict", "run", "@new.png", "--csv")[1].splitlines()
    assert heading == "file,label,confidence,-,'=SUM(1)"
    assert line.startswith("'@new.png,")
    assert line.split(",")[1] in ("-", "'=SUM(1)")
