"""Contract suite for every layout, on small examples."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.errors import DataError
from convscope.layouts import LAYOUTS, open_data, recognise
from convscope.layouts.layout import NEAR, ReadSettings, Source
from helpers.recordings import spoken

TEXTS = ("a good film of many ideas", "a bad film of no ideas", "see it with all your friends", "leave it to others")
BOX = "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"


def image(file: Path, seed: int, mask: bool = False) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 2 if mask else 256, (12, 16, 1 if mask else 3), dtype=np.uint8)
    Image.fromarray(values[..., 0] if mask else values).save(file)
    return file


def folder(path: Path) -> Path:
    for i in range(4):
        image(path / "ab"[i % 2] / f"{i}.png", i)
    return path


def nested_folders(path: Path) -> Path:
    for i in range(4):
        image(path / f"fold{i // 2}" / "ab"[i % 2] / f"{i}.png", i)
    return path


def file_names(path: Path) -> Path:
    for i in range(4):
        image(path / f"{'ab'[i % 2]}.{i}.png", i)
    return path


def table(path: Path) -> Path:
    for i in range(4):
        image(path / f"{i}.png", i)
    (path / "t.csv").write_text("image,label\n" + "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(4)))
    return path / "t.csv"


def table_folder(path: Path) -> Path:
    for i in range(4):
        image(path / "images" / f"{i}.png", i)
    (path / "train.csv").write_text("image,label\n" + "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(4)))
    return path


def masks(path: Path) -> Path:
    for i in range(4):
        image(path / "images" / f"{i}.png", i)
        image(path / "masks" / f"{i}.png", i, mask=True)
    return path


def voc(path: Path) -> Path:
    for i in range(4):
        image(path / f"{i}.png", i)
        text = f"<annotation><object><name>{'ab'[i % 2]}</name>{BOX}</object></annotation>"
        (path / f"{i}.xml").write_text(text)
    return path


def coco(path: Path) -> Path:
    files = [image(path / f"{i}.png", i).name for i in range(4)]
    content = {
        "images": [{"id": i, "file_name": name} for i, name in enumerate(files)],
        "categories": [{"id": k, "name": name} for k, name in enumerate("ab")],
        "annotations": [{"image_id": i, "category_id": i % 2, "bbox": [2, 2, 7, 7]} for i in range(4)],
    }
    (path / "a.json").write_text(json.dumps(content))
    return path


def yolo(path: Path) -> Path:
    (path / "labels").mkdir(parents=True)
    for i in range(4):
        image(path / "images" / f"{i}.png", i)
        (path / "labels" / f"{i}.txt").write_text(f"{i % 2} 0.5 0.5 0.4 0.4\n")
    return path


def arrays(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    np.savez(path / "four.npz", images=np.arange(4 * 36, dtype=np.uint8).reshape(4, 6, 6), labels=[0, 1, 0, 1])
    return path / "four.npz"


def name_parts(path: Path) -> Path:
    pytest.importorskip("soundfile", reason="the extra sound is not installed")
    return spoken(path, 4)


def series(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    rows = [",".join(["ab"[i % 2], *map(str, np.sin(np.arange(12) + i))]) for i in range(4)]
    (path / "four.csv").write_text("\n".join(rows))
    return path / "four.csv"


def idx(path: Path) -> Path:
    for kind, values in (("images-idx3", np.arange(4 * 36).reshape(4, 6, 6)), ("labels-idx1", np.array([0, 1, 0, 1]))):
        header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
        (path / f"train-{kind}-ubyte").write_bytes(header + values.astype(np.uint8).tobytes())
    return path


def cifar(path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
    rows = np.concatenate([np.array([[0], [1], [0], [1]], np.uint8), pixels], 1)
    (path / "data_batch_1.bin").write_bytes(rows.tobytes())
    return path


def via(path: Path) -> Path:
    shape = {"name": "rect", "x": 2, "y": 2, "width": 7, "height": 7}
    files = [image(path / f"{i}.png", i).name for i in range(4)]
    regions = [[{"shape_attributes": shape, "region_attributes": {"kind": "ab"[i % 2]}}] for i in range(4)]
    content = {name: {"filename": name, "regions": found} for name, found in zip(files, regions, strict=True)}
    (path / "via.json").write_text(json.dumps(content))
    return path


def label_studio(path: Path) -> Path:
    tasks = []
    for i in range(4):
        value = {"x": 10, "y": 10, "width": 40, "height": 40, "rectanglelabels": ["ab"[i % 2]]}
        result = [{"type": "rectanglelabels", "original_width": 16, "original_height": 12, "value": value}]
        name = f"/data/upload/1/{image(path / f'{i}.png', i).name}"
        tasks.append({"id": i, "annotations": [{"result": result}], "data": {"image": name}})
    (path / "export.json").write_text(json.dumps(tasks))
    return path


def labelme(path: Path) -> Path:
    for i in range(4):
        shape = {"label": "ab"[i % 2], "shape_type": "rectangle", "points": [[2, 2], [9, 9]]}
        name = image(path / f"{i}.png", i).name
        content = {"shapes": [shape], "imagePath": name, "imageWidth": 16, "imageHeight": 12}
        (path / f"{i}.json").write_text(json.dumps(content))
    return path


def cvat(path: Path) -> Path:
    box = '<box label="{}" xtl="2" ytl="2" xbr="9" ybr="9"/>'
    entries = [
        f'<image name="{image(path / f"{i}.png", i).name}" width="16" height="12">{box.format("ab"[i % 2])}</image>'
        for i in range(4)
    ]
    (path / "annotations.xml").write_text(f"<annotations>{''.join(entries)}</annotations>")
    return path


def text_table(path: Path) -> Path:
    rows = [f"{TEXTS[i]},{'ab'[i % 2]}\n" for i in range(4)]
    (path / "four.csv").write_text("text,label\n" + "".join(rows))
    return path / "four.csv"


def text_folders(path: Path) -> Path:
    for i in range(4):
        (path / "ab"[i % 2]).mkdir(exist_ok=True)
        (path / "ab"[i % 2] / f"{i}.txt").write_text(TEXTS[i])
    return path


def text_lines(path: Path) -> Path:
    for place, name in enumerate("ab"):
        (path / f"set.{name}").write_text("\n".join(TEXTS[place::2]))
    return path


PLACES = {
    "builtin": lambda _: "digits", "table": table, "table-folder": table_folder, "masks": masks, "voc": voc,
    "coco": coco, "yolo": yolo, "folder": folder, "nested-folders": nested_folders, "file-names": file_names,
    "name-parts": name_parts,
    "arrays": arrays, "series": series, "idx": idx, "cifar": cifar, "via": via, "label-studio": label_studio,
    "labelme": labelme, "cvat": cvat, "text-table": text_table, "text-folders": text_folders, "text-lines": text_lines,
}  # fmt: skip


@pytest.fixture(params=LAYOUTS, ids=str)
def layout(request):
    return LAYOUTS[request.param]


@pytest.fixture
def place(layout, tmp_path):
    return PLACES[layout.name](tmp_path)


def test_it_is_recognised_with_a_reason_and_clearly_before_all_others(layout, place):
    found, *others = recognise(place)
    assert found.layout == layout.name
    assert 0 < found.confidence <= 1
    assert found.because
    assert not found.because.startswith("because")
    assert all(found.confidence - other.confidence >= NEAR for other in others)


def test_it_can_be_requested(layout, place):
    found = open_data(place, layout=layout.name)
    assert found.layout == layout.name
    assert found.names == open_data(place).names


def test_it_is_read(layout, place):
    found = open_data(place)
    assert found.layout == layout.name
    assert found.because == recognise(place)[0].because
    assert len(found) == (1797 if layout.name == "builtin" else 4)
    assert len(found.classes) == (10 if layout.name == "builtin" else 2)
    assert len(set(found.names)) == len(found)


def test_requested_for_other_data_it_says_what_it_needs(layout, tmp_path):
    file = tmp_path / "x.bin"
    file.write_bytes(b"x")
    with pytest.raises(DataError) as caught:
        open_data(file, layout=layout.name)
    assert str(caught.value) == (
        f"{file}: is not in the layout {layout.name}, which needs {layout.needs}; choose another layout"
    )


def test_it_does_not_take_a_file_of_another_kind(layout, tmp_path):
    file = tmp_path / "x.bin"
    file.write_bytes(b"x")
    assert layout.recognise(Source(file), ReadSettings()) is None
    with pytest.raises(DataError) as caught:
        open_data(file)
    assert str(caught.value) == (
        f"{file}: not a kind of file that lists images; give a folder with one subfolder per class, a CSV or Parquet "
        "file, or one of digits, shapes, waves, digits3d"
    )
