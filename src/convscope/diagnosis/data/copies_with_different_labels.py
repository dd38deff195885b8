"""Copies of one image that have different labels."""

from convscope.datasets.label_conflicts import label_conflicts
from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding, some_names

SHOWN = 20


def copies_with_different_labels(view: DataView) -> Finding | None:
    """Find images with equal pixels and different targets: at least one of each pair is labelled wrongly."""
    pairs = label_conflicts(view.dataset, view.duplicates)
    if not pairs:
        return None
    first, second = pairs[0]
    tags = [" and ".join(view.dataset.kind.tags(view.dataset.targets[i], view.classes)) for i in (first, second)]
    files = tuple(dict.fromkeys(view.names[i] for pair in pairs for i in pair))
    count = f"{len(pairs):,} pairs of equal images have" if len(pairs) > 1 else "a pair of equal images has"
    return Finding(
        "copies_with_different_labels", min(0.9, 0.5 + 10 * len(pairs) / len(view)), f"{len(files):,} files",
        f"{count} different labels, such as {view.names[first]} ({tags[0]}) and {view.names[second]} ({tags[1]})",
        float(len(pairs)), 0.0,
        Change(f"remove the copy with the wrong label: {some_names(files)}", files=files), images=files[:SHOWN],
    )  # fmt: skip
