"""The data table: the same rows for ``convscope data``, the start of a training, and the report.

Everything shown is in the fields of `runs.events.data_fields`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convscope.datasets import INPUT_KINDS, SPLITS, TARGET_KINDS
from convscope.printable import printable

NAMED = 3  # files per reason; --json and data.json list all
REASONS = 8  # groups of skipped files
CLASSES = 20  # rows of the table of classes; of more, those with the most and the fewest images
NOT_DECODED = "not decoded: damaged files and copies are found with --pixels, and when training starts"
FIGURES = {
    "objects": lambda value: f"{value:,.0f}",
    "pixel_share": lambda value: f"{100 * value:.1f} %",
}

Fields = Mapping[str, Any]


def data_rows(fields: Fields) -> list[tuple[str, str]]:
    """Return the names and values of the data table, printable, without skipped files and notes."""
    why = f", because {fields['because']}" if fields["because"] else ""
    rows = [
        ("source", fields["source"]),
        ("layout", f"{fields['layout']}{why}"),
        ("task", fields["task"]),
        (nouns(fields)[1], _images(fields)),
        ("split", _split(fields["splits"])),
        (f"sizes ({' x '.join(fields['size'])})", " x ".join(map(_spread, fields["size"].values()))),
        (f"{nouns(fields)[0]} modes", ", ".join(f"{count:,} {mode}" for mode, count in fields["modes"].items())),
        _classes(fields),
    ]
    rows = [row for row in rows if row[1]]
    if TARGET_KINDS[fields["target_kind"]].counted and fields["imbalance"] >= 1.05:
        times = f"{fields['imbalance']:.1f} times as many {nouns(fields)[1]} in the largest class as in the smallest"
        rows.append(("imbalance", times))
    size, channels = fields["input"]["size"], fields["input"]["channels"]
    rows.append(("network input", f"{' x '.join(map(str, size))}, {counted(channels, 'channel')}"))
    rows.append(("values" if len(size) == 1 else "pixels", fields["pixels"] or NOT_DECODED))
    return [(name, printable(value)) for name, value in rows]


def nouns(fields: Fields) -> tuple[str, str]:
    """Return what one example and several are called."""
    return INPUT_KINDS[fields["input_kind"]].nouns


def remark_rows(fields: Fields) -> list[tuple[str, str]]:
    """Return one row per reason for skipped files and one per note, printable."""
    rows = [("skipped", sentence) for sentence in skipped_sentences(fields["skipped"])]
    rows += [("note", note) for note in fields["notes"]]
    return [(name, printable(value)) for name, value in rows]


def class_table(fields: Fields) -> list[tuple[str, ...]]:
    """Return the headings and one row per class, label or number: images in all and by split, and its figures.

    Of more than `CLASSES`, only those with the most and the fewest images; () stands for the others.
    """
    kind, classes = TARGET_KINDS[fields["target_kind"]], fields["classes"]
    counted_in = ("images", *(split for split in SPLITS if fields["splits"][split]))
    figures = [name for name in classes[0] if name not in ("name", "images", *SPLITS)]
    rows = [
        (
            printable(entry["name"]),
            *(f"{entry[split]:,}" for split in counted_in),
            *(_figure(name, entry[name]) for name in figures),
        )
        for entry in classes
    ]
    if len(rows) > CLASSES:
        order = sorted(range(len(rows)), key=lambda index: -classes[index]["images"])
        half = CLASSES // 2
        rows = [*(rows[i] for i in order[:half]), (), *(rows[i] for i in order[-half:])]
    return [(kind.nouns[0], *counted_in, *(name.replace("_", " ") for name in figures)), *rows]


def skipped_sentences(skipped: Iterable[Mapping[str, str]]) -> list[str]:
    """Return one sentence per reason: the number of files, the first names, and why; numbers in a reason may differ."""
    groups: dict[str, list[Mapping[str, str]]] = {}
    for one in skipped:
        groups.setdefault(_without_numbers(one["why"]), []).append(one)
    largest = sorted(groups.values(), key=len, reverse=True)
    sentences = [_skipped_sentence(files) for files in largest[:REASONS]]
    if rest := largest[REASONS:]:
        files = counted(sum(map(len, rest)), "file")
        sentences.append(f"{files} for {counted(len(rest), 'other reason')}; --json lists all")
    return sentences


def counted(number: int, what: str) -> str:
    """Format a count with its noun, in the plural where needed.

    >>> counted(1, "epoch"), counted(2000, "file")
    ('1 epoch', '2,000 files')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def count_classes(fields: Fields) -> str:
    """Return the number of classes, labels or numbers with its noun."""
    one, several = TARGET_KINDS[fields["target_kind"]].nouns
    count = len(fields["classes"])
    return f"{count:,} {one if count == 1 else several}"


def _images(fields: Fields) -> str:
    parts = ", ".join(f"{fields['splits'][name]:,} {name}" for name in SPLITS)
    return f"{fields['images']:,}: {parts}"


def _split(splits: Mapping[str, Any]) -> str:
    cut = " and ".join(splits["cut"])
    settings = ", ".join(["seed", *(f"data.{name}" for name in splits["cut"])])
    sentence = f"{cut} cut from train with seed {splits['seed']}; change it with --set {settings}"
    if splits["from"] == "cut":
        return sentence
    return f"as the data define it{f'; {sentence}' if cut else ''}"


def _spread(values: Mapping[str, int]) -> str:
    least, median, most = (values[name] for name in ("min", "median", "max"))
    return str(least) if least == most else f"{least} to {most} (median {median})"


def _classes(fields: Fields) -> tuple[str, str]:
    kind, counts = TARGET_KINDS[fields["target_kind"]], [entry["images"] for entry in fields["classes"]]
    least, most = min(counts), max(counts)
    each = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    known = f"{nouns(fields)[1]} each" if kind.counted else nouns(fields)[1]
    return count_classes(fields).split()[1], f"{len(counts):,}, {each} {known}"


def _figure(name: str, value: float | None) -> str:
    if value is None or value != value:
        return "unknown"
    return FIGURES[name](value) if name in FIGURES else f"{value:,.4g}"


def _without_numbers(why: str) -> str:
    return re.sub(r"\d[\d.,]*", "0", why)


def _skipped_sentence(files: Sequence[Mapping[str, str]]) -> str:
    names = ", ".join(one["name"] for one in files[:NAMED])
    more = f" and {len(files) - NAMED:,} more" if len(files) > NAMED else ""
    alike = "" if len({one["why"] for one in files}) == 1 else " (the first; the others differ in the numbers)"
    return f"{counted(len(files), 'file')}, {names}{more}: {files[0]['why']}{alike}"
