"""Splits that a data set defines by its folders, the names of its files, or lists of its images."""

from collections.abc import Sequence
from pathlib import Path

from convscope.datasets.dataset import split_of
from convscope.files import read_start
from convscope.layouts.folders.set_names import words

_WORDS = ("train", "training", "val", "valid", "validation", "test", "testing")
LARGEST_LIST = 100_000_000  # bytes


def split_in_folders(folders: Sequence[str]) -> str:
    """The split that the first of the folders with such a name stands for; "" if none does.

    >>> split_in_folders(["images", "val2017"])
    'validation'
    """
    return next((split for split in map(_split, folders) if split), "")


def split_in_words(stem: str) -> str:
    """The split that a word of a file's name stands for; "" if none does.

    >>> split_in_words("instances_train2017"), split_in_words("TrainImages"), split_in_words("trainval")
    ('train', 'train', '')
    """
    return next((split_of(word) or "" for word in words(stem) if word in _WORDS), "")


def listed_names(file: Path) -> list[str]:
    """The lines of a text file; blank ones are omitted, and there are none if it cannot be read."""
    try:
        text = read_start(file, LARGEST_LIST).decode("utf-8-sig", errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


def _split(word: str) -> str:
    return split_of(word.rstrip("0123456789")) or ""
