"""The sheet of examples: which images are on it, how they are drawn, and both ways of writing it."""

import re

import numpy as np
import pytest
from PIL import Image

import convscope as cs
from convscope.errors import ConfigError
from convscope.layouts import open_data
from convscope.predictions.masks import COLORS
from convscope.reports.data_sheet import DataSheet, SheetSection, SheetSettings, Tile, build_sheet
from convscope.reports.sheet_page import sheet_page
from convscope.reports.sheet_picture import sheet_picture
from convscope.runs.recipe import AugmentSettings, DataSettings
from convscope.tasks import TASKS
from helpers.small_runs import photos


def sheet_of(source, task="classify", size=(16, 16), seed=0, policy="none"):
    settings = SheetSettings(TASKS[task], DataSettings(size=size), AugmentSettings(policy=policy), seed)
    return build_sheet(open_data(source), settings)


def grey(path, size, level=120):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size[::-1], (level, level, level)).save(path)


def names(sheet):
    return [[tile.name for row in section.rows for tile in row] for section in sheet.sections]


def test_each_class_has_a_row_with_the_number_of_its_images(tmp_path):
    sheet = sheet_of(photos(tmp_path / "photos", each=20))
    assert sheet.title == "photos"
    assert sheet.note == (
        "classify, 40 images; each as the network gets it: 16 x 16 pixels, 3 channels; chosen with seed 0"
    )
    assert [(section.title, section.note) for section in sheet.sections] == [("a", "20 images"), ("b", "20 images")]
    assert [len(row) for row in names(sheet)] == [8, 8]
    assert all(name.startswith("b/") for name in names(sheet)[1])


def test_the_splits_of_the_data_are_named(tmp_path):
    photos(tmp_path / "photos" / "train", each=5)
    photos(tmp_path / "photos" / "test", each=3, seed=1)
    assert sheet_of(tmp_path / "photos").sections[0].note == "8 images: 5 train, 3 test"


def test_the_seed_chooses_the_examples(tmp_path):
    folder = photos(tmp_path / "photos", each=20)
    assert names(sheet_of(folder)) == names(sheet_of(folder))
    assert names(sheet_of(folder)) != names(sheet_of(folder, seed=1))


def test_of_many_classes_the_largest_and_the_smallest_have_rows(tmp_path):
    for number in range(30):
        for image in range(1 + number):
            grey(tmp_path / "photos" / f"{number:02}" / f"{image}.png", (4, 4), 8 * number)
    titles = [section.title for section in sheet_of(tmp_path / "photos").sections]
    assert titles == [f"{number:02}" for number in [*range(12), *range(18, 30)]]


def test_several_labels_are_tags_and_every_label_occurs(tmp_path):
    rows = ["image,labels", *(f"{i}.png,{'sun|sea' if i == 39 else 'sea'}" for i in range(40))]
    for i in range(40):
        grey(tmp_path / f"{i}.png", (16, 16), i)
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    (examples,) = sheet_of(tmp_path / "labels.csv", "multilabel").sections
    tags = {tile.name: tile.tags for row in examples.rows for tile in row}
    assert (examples.title, len(tags), tags["39.png"]) == ("Examples", 24, ("sea", "sun"))


def test_numbers_are_figures_in_their_order(tmp_path):
    for i in range(20):
        grey(tmp_path / f"{i}.png", (16, 16), i)
    (tmp_path / "ages.csv").write_text("\n".join(["image,age", *(f"{i}.png,{i + 0.25}" for i in range(20))]))
    (examples,) = sheet_of(tmp_path / "ages.csv", "regress").sections
    assert [tile.tags for row in examples.rows for tile in row][:2] == [("0.25",), ("1.25",)]


def test_a_box_is_drawn_where_the_network_gets_it(tmp_path):
    """The picture is 40 x 80 and the input 20 x 40, so that all is halved; drawn pictures are enlarged 5 times."""
    for i in range(4):
        grey(tmp_path / f"{i}.png", (40, 80), 100)
    lines = ["image,label,xmin,ymin,xmax,ymax", *(f"{i}.png,{'ab'[i % 2]},20,8,60,32" for i in range(4))]
    (tmp_path / "boxes.csv").write_text("\n".join(lines))
    tile = sheet_of(tmp_path / "boxes.csv", "localise", (20, 40)).sections[0].rows[0][0]
    assert tile.picture.shape == (100, 200, 3)
    white = np.argwhere((tile.picture == 255).all(-1))
    assert white.min(0).tolist() == [20, 50]
    assert white.max(0).tolist() == [80, 150]


def test_a_mask_tints_what_the_network_gets_and_its_colours_are_named(tmp_path):
    for i in range(4):
        grey(tmp_path / "images" / f"{i}.png", (32, 64), 100)
        mask = np.zeros((32, 64), np.uint8)
        mask[:, 32:] = 1
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(tmp_path / "masks" / f"{i}.png")
    sheet = sheet_of(tmp_path, "segment", (32, 32))
    assert sheet.legend == [("0 (not tinted)", (255, 255, 255)), ("1", tuple(COLORS[1].tolist()))]
    tile = sheet.sections[0].rows[0][0]
    assert tile.tags == ("1: 50 %", "0: 50 %")
    assert (tile.picture[:, :96] == 100).all()
    assert (tile.picture[:, 96:] != 100).all()


def test_augmented_images_follow_the_originals(tmp_path):
    section = sheet_of(photos(tmp_path / "photos"), policy="light").sections[-1]
    assert section.title == "Augmented for training"
    assert section.note == "Policy light, without left-right flips. First row: the images themselves"
    original, *variants = section.rows
    assert [tile.name[0] for tile in original] == list("abababab")
    assert [len(row) for row in variants] == [8, 8]
    assert not np.array_equal(original[0].picture, variants[0][0].picture)


def test_what_is_cut_off_is_shown_on_the_whole_pictures(tmp_path):
    for i in range(4):
        grey(tmp_path / "photos" / "ab"[i % 2] / f"{i}.png", (32, 32 * (i + 1)), 200)
    section = sheet_of(tmp_path / "photos").sections[-1]
    assert (section.title, section.note) == (
        "Cut off by cropping",
        "The network sees 42 % of the median image and 25 % of the one that loses most; 3 of 4 images lose more than "
        "20 %. Dark: cut off; --set data.fit=pad or stretch keeps all",
    )
    assert [tile.tags[0] for tile in section.rows[0]] == [
        "25 % visible",
        "33 % visible",
        "50 % visible",
        "100 % visible",
    ]
    worst = section.rows[0][0].picture
    assert worst.shape == (32, 128, 3)
    assert (worst[:, :48] == 80).all()
    assert (worst[1:31, 49:79] == 200).all()
    assert (worst[:, 48] == 255).all()


def test_nothing_is_said_where_nothing_is_cut_off(tmp_path):
    assert [section.title for section in sheet_of(photos(tmp_path / "photos")).sections] == ["a", "b"]


def test_a_damaged_file_is_left_out(tmp_path):
    folder = photos(tmp_path / "photos", each=4)
    whole = (folder / "a" / "1.png").read_bytes()
    (folder / "a" / "1.png").write_bytes(whole[:60])
    assert sorted(names(sheet_of(folder))[0]) == ["a/0.png", "a/2.png", "a/3.png"]


def test_the_page_escapes_what_files_are_called():
    tile = Tile(np.zeros((4, 4, 3), np.uint8), ("<b>&",), '"><script>.png')
    page = sheet_page(DataSheet("<i>", "<u>", [("<s>", (1, 2, 3))], [SheetSection("<h1>", "&", [[tile]])]))
    assert not re.search(r"<(script|b|i|u|s|h1)>(?!&lt;)", page.replace("<h1>&lt;i&gt;</h1>", ""))
    assert 'alt="&quot;&gt;&lt;script&gt;.png"' in page
    assert page.count("<img ") == 1


def test_the_picture_holds_all_tiles():
    tiles = [Tile(np.full((200, 100, 3), level, np.uint8), (f"tag {level}" * 3, "b"), "n" * 99) for level in (7, 9)]
    sheet = DataSheet("title", "note " * 100, [("sky", (9, 9, 200))], [SheetSection("s", "", [tiles, [], tiles[:1]])])
    pixels = np.asarray(sheet_picture(sheet))
    assert ((pixels == 7).all(-1).sum(), (pixels == 9).all(-1).sum()) == (2 * 192 * 96, 192 * 96)
    assert pixels.shape[1] == 720 + 2 * 28


@pytest.mark.parametrize("ending", [".png", ".html"])
def test_a_sheet_is_written_the_same_twice(tmp_path, ending):
    data = cs.data(photos(tmp_path / "photos"))
    first, second = (data.sheet(tmp_path / f"{name}{ending}").read_bytes() for name in "12")
    assert first == second
    assert len(first) > 1000


def test_another_kind_of_file_is_refused(tmp_path):
    data = cs.data(photos(tmp_path / "photos"))
    with pytest.raises(ConfigError) as caught:
        data.sheet(tmp_path / "sheet.pdf")
    assert str(caught.value) == f"{tmp_path / 'sheet.pdf'}: a sheet is written as .png or .html; choose another name"
