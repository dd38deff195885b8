"""Images of validation or test that are copies of training images, or of the same group."""

from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding, per_cent, some_names

SHOWN = 20


def leaks(view: DataView) -> Finding | None:
    """Find images that the data's own splits share; splits that are cut keep copies and groups together."""
    found = view.prepared.leaks
    if not found:
        return None
    splits = dict(zip(view.names, view.split.tolist(), strict=True))
    files = tuple(dict.fromkeys(leak.second for leak in found))
    split = splits.get(files[0], "test")
    inside = [name for name in files if splits.get(name) == split]
    verb = "are" if len(files) > 1 else "is"
    share = len(inside) / max(len(view.of_split(split)), 1)
    return Finding(
        "leaks", min(0.95, 0.5 + 3 * share), f"split {split}",
        f"{len(files):,} image{'s' if len(files) > 1 else ''} ({per_cent(share)} of {split}) {verb} in another split "
        f"too, such as {found[0].second}, a {found[0].why} of {found[0].first}: scores on them are too high",
        float(len(files)), 0.0,
        Change(f"remove from {split}: {some_names(files)}", files=files), images=files[:SHOWN],
    )  # fmt: skip
