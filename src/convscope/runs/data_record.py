"""``data.json`` of a run: how the data were read, the normalisation, and the splits file by file."""

import json

from convscope.files import atomic_write, to_plain
from convscope.runs.content_digests import content_digests
from convscope.runs.events import data_fields
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import SPLITS, PreparedData


def write_data(folder: RunFolder, prepared: PreparedData, task: str) -> None:
    """Write ``data.json``: the data summary, the normalisation, and the files of each split."""
    dataset = prepared.dataset
    content = {
        "summary": to_plain(data_fields(prepared.loaded_event(task))),
        "source": dataset.source,
        "layout": dataset.layout,
        "target_kind": dataset.target_kind,
        "fingerprint": dataset.fingerprint(),
        "content": content_digests(dataset),
        "classes": dataset.classes,
        "preprocessing": prepared.preprocessing.model_dump(),
        "splits": {split: [dataset.names[i] for i in prepared.rows(split)] for split in SPLITS},
        "leaks": [{"first": k.first, "second": k.second, "splits": k.splits, "why": k.why} for k in prepared.leaks],
        "duplicates": prepared.duplicates,
        "notes": dataset.notes,
    }
    atomic_write(folder.data_file, json.dumps(content, indent=1).encode())


def write_changes(folder: RunFolder, sentences: list[str]) -> None:
    """Add to the notes of ``data.json``, which the report shows, what has changed since the run started."""
    content = folder.data()
    notes = content["summary"]["notes"]
    added = [sentence for sentence in sentences if sentence not in notes]
    if added:
        notes += added
        atomic_write(folder.data_file, json.dumps(content, indent=1).encode())
