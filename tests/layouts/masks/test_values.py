"""Which values of mask files are the same class, and which are noise."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convscope.datasets import build_masks
from convscope.datasets.dataset import Dataset, Skipped
from convscope.errors import DataError
from convscope.layouts import open_data
from convscope.layouts.masks.mask_folders import read_masks
from helpers.mask_folders import SIZE, block, colours, write_image, write_mask

PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * (253 * 3)
VOC_PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * (252 * 3) + [224, 224, 192]
TWO = np.maximum(block(1), np.roll(block(2), 6, 0))
TABLE = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0)}


def images(path: Path, count: int = 4) -> Path:
    for i in range(count):
        write_image(path / "images" / f"{i}.png", i)
    return path


def decoded(dataset: Dataset, row: int = 0) -> list[list[str]]:
    mask = build_masks(dataset, SIZE)[0][row]
    return [[dataset.classes[value] if value != 255 else "-" for value in line] for line in mask]


def names(values: np.ndarray, table: dict[int, str]) -> list[list[str]]:
    return [[table[value] for value in line] for line in values]


@pytest.mark.parametrize("quality", [60, 95])
def test_jpeg_masks_of_two_values_are_recovered(tmp_path: Path, quality: int) -> None:
    for i in range(4):
        write_mask(images(tmp_path) / "masks" / f"{i}.jpg", block(255), quality=quality)
    dataset = open_data(tmp_path)
    assert (dataset.classes, dataset.skipped) == (("0", "255"), ())
    assert decoded(dataset) == names(block(1), {0: "0", 1: "255"})
    assert len(dataset.notes) == 1
    assert dataset.notes[0].endswith(
        " values, as a JPEG or a smoothed resize leaves them; values near 0 and 255 are read as 0 and 255"
    )


def test_jpeg_masks_saved_again_as_png_are_recovered(tmp_path: Path) -> None:
    images(tmp_path)
    for i in range(4):
        file = write_mask(tmp_path / "lossy.jpg", block(255), quality=95)
        write_mask(tmp_path / "masks" / f"{i}.png", np.asarray(Image.open(file)))
    (tmp_path / "lossy.jpg").unlink()
    dataset = open_data(tmp_path)
    assert dataset.classes == ("0", "255")
    assert decoded(dataset) == names(block(1), {0: "0", 1: "255"})


@pytest.mark.parametrize("method", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_smoothed_masks_of_two_values_are_recovered(tmp_path: Path, method: Image.Resampling, mode: str) -> None:
    small = Image.fromarray(block(255)[::2, ::2])
    expected = np.kron(block(1)[::2, ::2], np.ones((2, 2), np.uint8))
    for i in range(4):
        write_mask(images(tmp_path) / "masks" / f"{i}.png", np.asarray(small.resize((20, 16), method).convert(mode)))
    dataset = open_data(tmp_path)
    assert dataset.classes == ("0", "255")
    assert decoded(dataset) == names(expected, {0: "0", 1: "255"})


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_lossy_masks_of_several_values_are_an_error(tmp_path: Path, ending: str) -> None:
    values = np.repeat(np.repeat(np.maximum(block(100), np.roll(block(200), 6, 0)), 2, 0), 2, 1)
    for i in range(4):
        write_image(tmp_path / "images" / f"{i}.png", i, (64, 80))
        image = Image.fromarray(values).resize((80, 64), Image.Resampling.BILINEAR)
        write_mask(tmp_path / "masks" / f"{i}.{ending}", np.asarray(image))
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: the masks hold ")
    assert str(caught.value).endswith(
        ", as a JPEG or a resize with interpolation leaves them; save them as PNG, and resize by nearest neighbour"
    )


def test_smoothed_colours_are_an_error(tmp_path: Path) -> None:
    for i in range(4):
        write_image(tmp_path / "images" / f"{i}.png", i, (32, 40))
        image = Image.fromarray(colours(TWO, TABLE)).resize((40, 32), Image.Resampling.BILINEAR)
        write_mask(tmp_path / "masks" / f"{i}.png", np.asarray(image))
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: the masks hold 16 values, such as #000000, #002000, #006000, #008000, #080000, as a JPEG or a "
        "resize with interpolation leaves them; save them as PNG, and resize by nearest neighbour"
    )


def test_a_trimap_and_thin_classes_stay_classes(tmp_path: Path) -> None:
    values = block(128)
    values[6:8, 7:11] = 255
    for i in range(4):
        write_mask(images(tmp_path) / "masks" / f"{i}.png", values)
    assert open_data(tmp_path).classes == ("0", "128", "255")
    thin = block(2)
    thin[6, 7:11] = 3
    thin[5, 6] = 1
    for i in range(4):
        write_mask(tmp_path / "masks" / f"{i}.png", thin)
    assert open_data(tmp_path).classes == ("0", "1", "2", "3")


def test_0_1_and_0_255_in_one_set_mean_background_and_object(tmp_path: Path) -> None:
    images(tmp_path)
    for i, value in enumerate((1, 255, 255)):
        write_mask(tmp_path / "masks" / f"{i}.png", block(value))
    write_mask(tmp_path / "masks" / "3.png", block(1).astype(bool))
    dataset = open_data(tmp_path)
    assert dataset.classes == ("background", "object")
    assert [decoded(dataset, i) for i in range(4)] == [names(block(1), {0: "background", 1: "object"})] * 4
    assert dataset.notes == ("2 masks hold 0 and 1 and 2 hold 0 and 255; both are read as background and object",)


@pytest.mark.parametrize("beneath", [0, 255])
def test_transparent_pixels_are_background(tmp_path: Path, beneath: int) -> None:
    images(tmp_path)
    table = {0: (beneath, beneath, beneath, 0), 1: (255, 255, 255, 255)}
    for i in range(4):
        write_mask(tmp_path / "masks" / f"{i}.png", colours(block(1), table))
    dataset = open_data(tmp_path)
    assert dataset.classes == ("0", "255")
    assert decoded(dataset) == names(block(1), {0: "0", 1: "255"})
    assert dataset.notes == (
        "transparent pixels of 4 masks are read as background, the value 0; save masks without transparency to read "
        "their colours",
    )


def test_black_objects_on_transparent_pixels_are_objects(tmp_path: Path) -> None:
    images(tmp_path)
    for i in range(4):
        write_mask(tmp_path / "masks" / f"{i}.png", colours(block(1), {0: (0, 0, 0, 0), 1: (0, 0, 0, 255)}))
    dataset = open_data(tmp_path)
    assert decoded(dataset) == names(block(1), {0: "0", 1: "255"})


def test_a_palette_and_its_colours_mean_the_same_classes(tmp_path: Path) -> None:
    images(tmp_path)
    (tmp_path / "classes.txt").write_text("ground\nroof\ntree\n")
    write_mask(tmp_path / "masks" / "0.png", TWO, PALETTE, transparency=0)
    write_mask(tmp_path / "masks" / "1.png", colours(TWO, TABLE))
    write_mask(tmp_path / "masks" / "2.png", TWO, PALETTE)
    write_mask(tmp_path / "masks" / "3.png", colours(TWO, {**TABLE, 2: (9, 9, 200)}))
    dataset = open_data(tmp_path)
    expected = names(TWO, {0: "ground", 1: "roof", 2: "tree"})
    assert [decoded(dataset, i) for i in range(3)] == [expected] * 3
    assert dataset.notes == ("2 masks in colour are read by the palette of the others",)
    assert dataset.skipped == (
        Skipped("images/3.png", "its mask 3.png has the colour #0909c8, which the palette of the other masks lacks"),
    )


def test_the_greys_of_a_palettes_colours_mean_its_indices(tmp_path: Path) -> None:
    images(tmp_path)
    for i in range(3):
        write_mask(tmp_path / "masks" / f"{i}.png", TWO, PALETTE)
    write_mask(tmp_path / "masks" / "3.png", np.asarray(Image.fromarray(colours(TWO, TABLE)).convert("L")))
    dataset = open_data(tmp_path)
    assert dataset.classes == ("0", "1", "2")
    assert decoded(dataset, 3) == decoded(dataset, 0)


def test_palettes_in_different_orders_are_read_by_their_colours(tmp_path: Path) -> None:
    images(tmp_path)
    for i in range(2):
        write_mask(tmp_path / "masks" / f"{i}.png", TWO, PALETTE)
    other = [0, 128, 0, 0, 0, 0, 128, 0, 0] + [0] * (253 * 3)
    for i in range(2, 4):
        write_mask(tmp_path / "masks" / f"{i}.png", np.array([1, 2, 0], np.uint8)[TWO], other)
    dataset = open_data(tmp_path)
    assert dataset.classes == ("000000", "008000", "800000")
    assert decoded(dataset, 3) == decoded(dataset, 0) == names(TWO, {0: "000000", 1: "800000", 2: "008000"})
    assert dataset.notes == ("the palettes of the masks differ, so their colours are the classes, not their indices",)


def test_white_in_a_file_without_colours_is_the_white_of_the_others(tmp_path: Path) -> None:
    images(tmp_path)
    table = {0: (0, 0, 0), 1: (255, 255, 255), 2: (255, 0, 0)}
    for i in range(3):
        write_mask(tmp_path / "masks" / f"{i}.png", colours(TWO, table))
    write_mask(tmp_path / "masks" / "3.png", colours(block(1), table))
    dataset = open_data(tmp_path)
    assert dataset.classes == ("000000", "ff0000", "ffffff")
    assert decoded(dataset, 3) == names(block(1), {0: "000000", 1: "ffffff"})


def test_vocs_border_is_unlabelled_whatever_the_classes(tmp_path: Path) -> None:
    images(tmp_path)
    for i in range(4):
        values = block(2)
        values[3, 5:13] = 255
        write_mask(tmp_path / "masks" / f"{i}.png", values, VOC_PALETTE)
    dataset = open_data(tmp_path)
    assert dataset.classes == ("0", "2")
    assert decoded(dataset)[3][5] == "-"
    assert dataset.notes == (
        "the mask value 255 is read as unlabelled, because the masks have the palette of Pascal VOC; set data.ignore "
        "to 256 to read it as a class",
    )


def test_255_beside_a_list_of_names_is_unlabelled(tmp_path: Path) -> None:
    images(tmp_path)
    (tmp_path / "labels.txt").write_text("ground\na\nb\nc\n")
    for i in range(4):
        values = block(3)
        values[3, 5:13] = 255
        write_mask(tmp_path / "masks" / f"{i}.png", values)
    dataset = open_data(tmp_path)
    assert dataset.classes == ("ground", "a", "b", "c")
    assert dataset.notes[0] == (
        "the mask value 255 is read as unlabelled, because labels.txt has 4 names; set data.ignore to 256 to read it "
        "as a class"
    )


def test_masks_of_16_bits_are_read(tmp_path: Path) -> None:
    images(tmp_path)
    for i in range(4):
        write_mask(tmp_path / "masks" / f"{i}.png", block(1).astype(np.uint16) * 1000)
    dataset = open_data(tmp_path)
    assert dataset.classes == ("0", "1000")
    assert decoded(dataset) == names(block(1), {0: "0", 1: "1000"})


def blobs(numbers: tuple[int, ...]) -> np.ndarray:
    """Squares of two by two pixels with these values, apart from each other."""
    values = np.zeros(SIZE, np.uint16)
    for i, number in enumerate(numbers):
        row, column = 1 + 4 * (i // 5), 4 * (i % 5)
        values[row : row + 2, column : column + 2] = number
    return values


def test_masks_that_number_their_objects_hold_background_and_object(tmp_path: Path) -> None:
    images(tmp_path)
    for i, count in enumerate((3, 0, 7, 5)):
        write_mask(tmp_path / "masks" / f"{i}.png", blobs(tuple(range(1, count + 1))))
    dataset = open_data(tmp_path)
    assert dataset.classes == ("background", "object")
    assert dataset.targets.tolist() == [[1, 1], [1, 0], [1, 1], [1, 1]]
    assert decoded(dataset, 2) == names(np.minimum(blobs((1,) * 7), 1), {0: "background", 1: "object"})
    assert dataset.notes == (
        "the masks number their objects, each from 1 to at most 7: these are read as background and object; add "
        "classes.txt with a name for each value if they are classes",
    )
    (tmp_path / "classes.txt").write_text("ground\n" + "\n".join(f"class {i}" for i in range(1, 8)))
    assert open_data(tmp_path).classes == ("ground", *(f"class {i}" for i in range(1, 8)))


def test_classes_of_which_some_are_missing_in_a_mask_stay_classes(tmp_path: Path) -> None:
    images(tmp_path)
    for i, numbers in enumerate(((3, 6), (1, 2, 3, 4), (1, 2, 3, 4, 5, 6, 7), (1, 2, 3))):
        write_mask(tmp_path / "masks" / f"{i}.png", blobs(numbers))
    assert open_data(tmp_path).classes == tuple(map(str, range(8)))


def test_numbers_of_objects_are_no_classes(tmp_path: Path) -> None:
    images(tmp_path, 5)
    for i in range(5):
        values = np.zeros(SIZE, np.uint16)
        values[:15, :4] = np.arange(60).reshape(15, 4) + 60 * i
        write_mask(tmp_path / "masks" / f"{i}.png", values)
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: the masks hold 300 values, more than 254 classes; if they number objects, replace them by class "
        "values"
    )


def test_masks_drawn_on_the_pixels_as_stored_are_turned_with_their_image(tmp_path: Path) -> None:
    for i, turned in enumerate((1, 6, 8)):
        write_image(tmp_path / "images" / f"{i}.jpg", i, orientation=turned)
        write_mask(tmp_path / "masks" / f"{i}.png", block(1))
    write_image(tmp_path / "images" / "3.jpg", 3, (16, 16), orientation=6)
    write_mask(tmp_path / "masks" / "3.png", block(1, size=(16, 16)))
    dataset = open_data(tmp_path)
    assert dataset.sizes.tolist() == [[16, 20], [20, 16], [20, 16], [16, 16]]
    masks = [build_masks(dataset.subset(np.array([i])), tuple(dataset.sizes[i]))[0][0] for i in range(4)]
    assert masks[0].tolist() == block(1).tolist()
    assert masks[1].tolist() == np.rot90(block(1), -1).tolist()
    assert masks[2].tolist() == np.rot90(block(1)).tolist()
    assert masks[3].tolist() == np.rot90(block(1, size=(16, 16)), -1).tolist()
    assert dataset.notes == (
        "3 masks were drawn on the pixels as stored of an image that EXIF turns; they are turned with it",
    )


def test_masks_drawn_upright_are_left(tmp_path: Path) -> None:
    for i, size in enumerate((SIZE, SIZE, (16, 16))):
        write_image(tmp_path / "images" / f"{i}.jpg", i, size, orientation=6)
        write_mask(tmp_path / "masks" / f"{i}.png", block(1, size=size[::-1]))
    dataset = open_data(tmp_path)
    assert (len(dataset), dataset.notes, dataset.skipped) == (3, (), ())
    square = build_masks(dataset.subset(np.array([2])), (16, 16))[0][0]
    assert square.tolist() == block(1, size=(16, 16)).tolist()


def test_a_square_image_whose_mask_may_be_turned_is_skipped(tmp_path: Path) -> None:
    for i, turned in enumerate((1, 1, 6)):
        write_image(tmp_path / "images" / f"{i}.jpg", i, (16, 16), orientation=turned)
        write_mask(tmp_path / "masks" / f"{i}.png", block(1, size=(16, 16)))
    assert open_data(tmp_path).skipped == (
        Skipped(
            "images/2.jpg",
            "is turned by EXIF, and neither its size nor the other images tell whether its mask is; save the image "
            "upright, without EXIF orientation",
        ),
    )


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("label_colors.txt", "0 0 0 Void\n128 0 0\tRoof\n0 128 0 Tree\n"),
        ("labelmap.txt", "# label:color_rgb:parts:actions\nVoid:0,0,0::\nRoof:128,0,0::\nTree:0,128,0::\n"),
        ("class_dict.csv", "name,r,g,b\nVoid,0,0,0\nRoof,128,0,0\nTree,0,128,0\n"),
        ("codes.txt", "Void\nRoof\nTree\n"),
    ],
)
@pytest.mark.parametrize("as_palette", [True, False])
def test_names_come_with_colours(tmp_path: Path, file: str, text: str, as_palette: bool) -> None:
    images(tmp_path)
    (tmp_path / file).write_text(text)
    for i in range(4):
        if as_palette:
            write_mask(tmp_path / "masks" / f"{i}.png", TWO, PALETTE)
        elif file == "codes.txt":
            write_mask(tmp_path / "masks" / f"{i}.png", TWO)
        else:
            write_mask(tmp_path / "masks" / f"{i}.png", colours(TWO, TABLE))
    dataset = read_masks(tmp_path)
    assert dataset.classes == ("Void", "Roof", "Tree")
    assert decoded(dataset) == names(TWO, {0: "Void", 1: "Roof", 2: "Tree"})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a\nb\na\n", "has a twice; remove one"),
        (b"\n", "has no names; write one class per line, or delete it"),
        (b"\xff\xfe\x00", "not a list of class names in UTF-8; write one class per line, or delete it"),
    ],
)
def test_files_of_names_with_faults_are_named(tmp_path: Path, content: bytes, why: str) -> None:
    for i in range(4):
        write_mask(images(tmp_path) / "masks" / f"{i}.png", block(1))
    (tmp_path / "classes.txt").write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'classes.txt'}: {why}"


def test_names_of_the_images_folders_are_no_classes_of_the_masks(tmp_path: Path) -> None:
    for number, bird in enumerate(("001.Albatross", "002.Laysan")):
        write_image(tmp_path / "images" / bird / f"{number}.jpg", number)
        write_mask(tmp_path / "segmentations" / bird / f"{number}.png", block(255))
    (tmp_path / "classes.txt").write_text("1 001.Albatross\n2 002.Laysan\n")
    dataset = open_data(tmp_path)
    assert (dataset.classes, dataset.palette.ignore) == (("0", "255"), None)
    assert "classes.txt names folders of the images, and so no classes of the masks" in dataset.notes


def test_255_is_the_second_of_two_names(tmp_path: Path) -> None:
    for number in range(2):
        write_image(tmp_path / "images" / f"{number}.jpg", number)
        write_mask(tmp_path / "masks" / f"{number}.png", block(255))
    (tmp_path / "classes.txt").write_text("ground\nroad\n")
    dataset = open_data(tmp_path)
    assert (dataset.classes, dataset.palette.values) == (("ground", "road"), (0, 255))
    assert "classes.txt names the mask values in ascending order: 0 is ground, 255 is road" in dataset.notes


def test_names_of_roboflow(tmp_path: Path) -> None:
    for number in range(2):
        write_image(tmp_path / "train" / f"im{number}.jpg", number)
        write_mask(tmp_path / "train" / f"im{number}_mask.png", block(1 + number))
    (tmp_path / "train" / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, crack\n2, rust\n")
    assert open_data(tmp_path).classes == ("background", "crack", "rust")


def test_class_folders_with_masks_inside_can_be_learnt_instead(tmp_path: Path) -> None:
    for number in range(6):
        place = tmp_path / ("COVID", "Normal")[number % 2]
        write_image(place / "images" / f"{number}.jpg", number)
        write_mask(place / "masks" / f"{number}.png", block(255))
    dataset = open_data(tmp_path)
    assert dataset.target_kind == "masks"
    assert dataset.notes[0] == (
        "the images have masks beside them, which are learnt, and not the folders COVID, Normal; --layout folder "
        "learns the folders from the images alone"
    )
    folders = open_data(tmp_path, layout="folder")
    assert (folders.classes, len(folders.names)) == (("COVID", "Normal"), 6)
    assert {one.why for one in folders.skipped} == {"is in a folder of masks"}
