"""Files of labelled series: the UCR and UEA archives' .tsv, .ts and .arff, and CSV files with a series per row."""

from dataclasses import replace
from pathlib import Path

from convscope.datasets.dataset import SPLITS, Dataset, Skipped, split_of
from convscope.datasets.inputs.series_files import ENDINGS, OWN, has_series, read_series
from convscope.datasets.series_arrays import SeriesPart, series_dataset
from convscope.errors import DataError
from convscope.layouts.layout import Layout, ReadSettings, Recognised, Source
from convscope.layouts.written_labels import targets_of_labels
from convscope.printable import encodable


def series_files(source: Source, settings: ReadSettings) -> list[Path]:
    """The files of series of a source: itself, or those in the folder, not below it."""
    or_pixels = settings.layout == SERIES_FILES.name
    path = source.path
    if path.is_file():
        return [path] if path.suffix.lower() in ENDINGS and has_series(path, or_pixels) else []
    if not path.is_dir():
        return []
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in ENDINGS and file.is_file())
    found = [file for file in files if has_series(file, or_pixels)]
    endings = [file.suffix.lower() for file in found]
    kept = next((ending for ending in ENDINGS if ending in endings), "")  # an archive's copies in other formats
    return [file for file in found if file.suffix.lower() == kept]


def file_split(path: Path) -> str:
    """The split in the name of a file, such as GunPoint_TRAIN.ts; "" if it has none."""
    words = path.stem.replace("-", "_").split("_")
    return next((split for split in map(split_of, (*reversed(words), path.stem)) if split), "")


def _recognise(source: Source, settings: ReadSettings) -> Recognised | None:
    files = series_files(source, settings)
    if not files or (source.path.is_dir() and source.images):
        return None
    named = "it" if source.path.is_file() else files[0].name
    own = files[0].suffix.lower() in OWN
    because = f"{named} is a {files[0].suffix} file" if own else f"the rows of {named} are a label and numbers"
    return Recognised(SERIES_FILES.name, 1.0 if source.path.is_file() else 0.9, because)


def _read(source: Source, settings: ReadSettings) -> Dataset:
    files = series_files(source, settings)
    by_split: dict[str, Path] = {}
    for file in files:
        split = file_split(file) if len(files) > 1 else ""
        if split in by_split:
            raise DataError(
                f"{source}: {by_split[split].name} and {file.name} are series of the same split; give one of them"
            )
        by_split[split] = file
    order = [split for split in (*SPLITS, "") if split in by_split]
    read = [(split, by_split[split], read_series(by_split[split])) for split in order]
    for _, file, found in read:
        if not any(found.labels):
            raise DataError(f"{file}: its series have no labels; add a label to each")
    labels = [label for _, _, found in read for label in found.labels]
    targets = targets_of_labels(str(source), labels, settings.target_kind)
    parts = [SeriesPart(split, found.values) for split, _, found in read]
    dataset = series_dataset((str(source.path.absolute()), SERIES_FILES.name), parts, targets)
    unread = [
        Skipped(encodable(f"{file.name}:{number}"), why) for _, file, found in read for number, why in found.skipped
    ]
    return replace(dataset, skipped=(*dataset.skipped, *unread))


SERIES_FILES = Layout(
    "series", "files .ts, .tsv or .arff, or CSV files with a label and a series per row", _recognise, _read
)
