"""What the other files of a folder are, for errors that say why its images have no labels, and what to do."""

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from convscope.datasets.file_kinds import ENDINGS
from convscope.datasets.listing import ending
from convscope.layouts.layout import Source
from convscope.layouts.split_lists import listed_names

_TABLES = (".csv", ".tsv", ".parquet")
_SHEETS = (".xlsx", ".xls", ".ods", ".numbers")
_WHOLE = (".npz",)
"""A file of one of these is a source by itself."""
_ANNOTATIONS = (".txt", ".json", ".xml", ".mat", ".yaml", ".yml")
_OF_OTHER_THINGS = ("readme", "license", "licence", "requirements", "info", "package", "dataset_info")
_LINES = 20  # of a list that are compared with the names of images
_FEW_FILES = 3

_CONVERT: Mapping[str, str] = {
    ".mha": "convert the volumes to NIfTI",
    ".nrrd": "convert the volumes to NIfTI",
    ".gz": "unpack them",
    ".heic": "convert the HEIC photographs to JPEG",
    ".heif": "convert the HEIF photographs to JPEG",
    ".mp4": "save frames of the videos as JPEG",
    ".avi": "save frames of the videos as JPEG",
    ".mov": "save frames of the videos as JPEG",
    ".mkv": "save frames of the videos as JPEG",
    ".svg": "draw the SVG files to PNG",
    ".pdf": "save the pages of the PDF files as PNG",
    ".mat": "save the arrays of the MATLAB file as .npz with x_train, y_train, x_test and y_test",
    ".h5": "save the arrays of the HDF5 file as .npz with x_train, y_train, x_test and y_test",
    ".hdf5": "save the arrays of the HDF5 file as .npz with x_train, y_train, x_test and y_test",
    ".tfrecord": "save the images of the TFRecord files as JPEG",
    ".pkl": "save the arrays as .npz: pickled files could run code, and are not opened",
    ".pt": "save the tensors as .npz with x_train, y_train, x_test and y_test",
    ".mdb": "save the images of the LMDB database as files",
    ".cr2": "develop the raw photographs to JPEG",
    ".nef": "develop the raw photographs to JPEG",
    ".dng": "develop the raw photographs to JPEG",
    ".psd": "export the PSD files as PNG",
    ".exr": "convert the EXR files to TIFF or .npy",
}


def remedy_for_formats(found: Counter[str]) -> str:
    """What to do with files of other formats, by the most frequent ending; empty if nothing is known of it.

    >>> remedy_for_formats(Counter({".svg": 8}))
    'draw the SVG files to PNG'
    """
    return next((_CONVERT.get(name, "") for name, _ in found.most_common(1)), "")


def unread_labels(source: Source) -> str:
    """Which files of a folder seem to hold the labels of its images but are not read, and what to do; or empty."""
    tables = [file.name for file in sorted(source.path.iterdir()) if file.suffix.lower() in _TABLES]
    if tables:
        return f"give the table instead: {' or '.join(tables)}"
    sheets = [_place(file, source) for file in source.files(*_SHEETS)]
    if sheets:
        return f"{sheets[0]} is a spreadsheet, which is not read; save it as CSV"
    whole = [_place(file, source) for file in source.files(*_WHOLE)]
    if whole and not source.images:
        return f"give the file instead: {' or '.join(whole[:_FEW_FILES])}"
    return _annotations(source) if source.images else ""


def _annotations(source: Source) -> str:
    files = source.files(*_ANNOTATIONS)
    stems = {name.rpartition(".")[0] for _, names in source.folders for name in names if ending(name) in ENDINGS}
    of_images = [file for file in files if file.stem in stems or Path(file.stem).stem in stems]
    if 2 * len(of_images) >= len(stems):
        first = _place(of_images[0], source)
        return (
            f"{len(of_images):,} files such as {first} have the names of images, but are no annotations in a format "
            "that is read; convert them to COCO, VOC or YOLO"
        )
    lists = [file for file in files if file.suffix.lower() == ".txt" and _names_images(file, stems)]
    if lists:
        return (
            f"{_place(lists[0], source)} names images, but is no table; save it as CSV with the columns image and label"
        )
    matlab = [file for file in files if file.suffix.lower() == ".mat"]
    if matlab:
        return f"{_place(matlab[0], source)} is a MATLAB file, which is not read; save the labels as CSV"
    others = [
        file for file in files if file.suffix.lower() == ".json" and not file.stem.lower().startswith(_OF_OTHER_THINGS)
    ]
    if others:
        return f"{_place(others[0], source)} is in no annotation format that is read; convert it to COCO, VOC or YOLO"
    return ""


def _names_images(file: Path, stems: set[str]) -> bool:
    """Whether most of the first lines of a text name images."""
    words = [
        word.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or word
        for line in islice(listed_names(file), _LINES)
        for word in line.replace(",", " ").split()[:1]
    ]
    return len(words) > 1 and 2 * sum(word in stems for word in words) > len(words)


def _place(file: Path, source: Source) -> str:
    return file.relative_to(source.path).as_posix()
