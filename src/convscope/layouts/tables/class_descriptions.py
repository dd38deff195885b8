"""Names of the classes of Open Images, whose tables have identifiers such as /m/01yrx."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from convscope.datasets.csv_file import read_records
from convscope.errors import DataError
from convscope.files import read_start

_IDENTIFIER = re.compile(r"/[mgt]/[0-9a-z_]+", re.ASCII)
_LARGEST = 10_000_000  # bytes; the names of all 20,000 classes have 500,000
_FILES = "*class-descriptions*.csv"


def described(folder: Path, labels: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Identifier -> name by the file `class-descriptions*.csv` of a folder, and a note on where names are from.

    Nothing is renamed if a label is no identifier. Identifiers of the same name keep the identifier.
    """
    wanted = set(labels)
    if not wanted or not all(_IDENTIFIER.fullmatch(label) for label in wanted):
        return {}, []
    for file in sorted(folder.glob(_FILES)):
        names = {key: name for key, name in _rows(file).items() if key in wanted and name}
        count = Counter(names.values())
        names = {key: name for key, name in names.items() if count[name] == 1}
        if names:
            return names, [f"names of {len(names):,} of {len(wanted):,} classes are from {file.name}"]
    first = min(wanted)
    return {}, [f"classes are identifiers such as {first}; put class-descriptions.csv of Open Images beside the table"]


def _rows(file: Path) -> dict[str, str]:
    """The first two cells of each row; empty if the file cannot be read."""
    try:
        records = read_records(read_start(file, _LARGEST), str(file)).records
    except (DataError, OSError):
        return {}
    return {cells[0].strip(): cells[1].strip() for _, cells in records if len(cells) > 1}
