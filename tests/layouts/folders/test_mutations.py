"""Mutated texts beside images: names of classes, splits, and labels of images without class folders."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from convscope.layouts import open_data
from helpers.box_files import photo
from helpers.mutations import failures

COUNT = int(os.environ.get("CONVSCOPE_MUTATIONS", "500"))
IDS = ("n01440764", "n01443537")
FOLDERS = [f"{label}/{number}.jpg" for label in IDS for number in range(3)]
TOGETHER = [f"images/{number}.jpg" for number in range(6)]
TINY = [*(f"train/{name}" for name in FOLDERS), *(f"val/images/v{number}.jpg" for number in range(4))]


def listed(form: str, names: Sequence[str], *head: str) -> bytes:
    """A line of a text for each name, with its number as {0}."""
    return "\n".join([*head, *(form.format(number, name) for number, name in enumerate(names)), ""]).encode()


CASES = {
    "words": ("words.txt", FOLDERS, [b"n01440764\ttench, Tinca tinca\nn01443537\tgoldfish\nn00001740\tentity\n"]),
    "synsets": ("LOC_synset_mapping.txt", FOLDERS, [b"n01440764 tench, Tinca tinca\nn01443537 goldfish\n"]),
    "index": ("imagenet_class_index.json", FOLDERS, [b'{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}']),
    "classes": ("classes.txt", FOLDERS, [b"1 n01440764\n2 n01443537\n", b"tench\ngoldfish\n"]),
    "labels": ("labels.csv", FOLDERS, [b"id,name\nn01440764,tench\nn01443537,goldfish\n", b"0,tench\n1,goldfish\n"]),
    "split": ("train.txt", FOLDERS, [listed("{1}", FOLDERS[:5]), listed("{1} {0}", FOLDERS[:4])]),
    "flags": ("train_test_split.txt", FOLDERS, [listed("{0} 1", FOLDERS)]),
    "annotations": ("val/val_annotations.txt", TINY, [listed(f"v{{0}}.jpg\t{IDS[0]}\t0\t0\t9\t9", TINY[-4:])]),
    "caffe": ("train.txt", TOGETHER, [listed("{1} {0}", TOGETHER)]),
    "attributes": ("list_attr.txt", TOGETHER, [listed("{0}.jpg  1 -1", TOGETHER, "6", "Young Male ")]),
    "partition": ("list_eval_partition.txt", TOGETHER, [listed("{0}.jpg 0", TOGETHER)]),
}
BESIDE = {
    "split": {"test.txt": listed("{1}", FOLDERS[5:])},
    "flags": {"images.txt": listed("{0} {1}", FOLDERS)},
    "partition": {"list_attr.txt": listed("{0}.jpg  1 -1", TOGETHER, "6", "Young Male ")},
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_mutated_texts_beside_images_are_read_or_refused_in_one_line(tmp_path: Path, case: str) -> None:
    name, images, samples = CASES[case]
    for number, image in enumerate(images):
        photo(tmp_path / image, number)
    for other, content in BESIDE.get(case, {}).items():
        (tmp_path / other).write_bytes(content)

    def read(content: bytes) -> object:
        (tmp_path / name).write_bytes(content)
        return open_data(tmp_path)

    assert list(failures(samples, COUNT // 5, read)) == []
