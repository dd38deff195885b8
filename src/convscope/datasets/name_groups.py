"""Groups from the names of files: a speaker, a patient or a camera stays in one split."""

import re
from dataclasses import replace

import numpy as np

from convscope.datasets.dataset import Dataset
from convscope.errors import ConfigError

_SHOWN = 3


def group_by_name(dataset: Dataset, pattern: str) -> Dataset:
    """A dataset whose groups are what a pattern finds in the names: its first part in brackets, or all of it.

    They replace the groups of the data. Names without the pattern are groups of their own.

    Args:
        dataset: N images or other examples.
        pattern: a regular expression, such as ``_(.+)_`` for 7_jackson_32.wav.

    Raises:
        ConfigError: it finds nothing, or the same in all names.
    """
    found = [re.search(pattern, name) for name in dataset.names]
    groups = ["" if match is None else match[1 if match.re.groups else 0] or "" for match in found]
    names = sorted(set(groups) - {""})
    if not names:
        raise ConfigError(
            f"data.group is {pattern!r}, which is in no name, such as {dataset.names[0]}; "
            "give a regular expression, such as _(.+)_ for the middle of 7_jackson_32.wav"
        )
    if len(names) == 1 and "" not in groups:
        raise ConfigError(f"data.group is {pattern!r}, which is {names[0]} in all names; choose another part of them")
    more = ", ..." if len(names) > _SHOWN else ""
    alone = groups.count("")
    without = f"; the {alone:,} names without it are groups of their own" if alone else ""
    shown = f"{len(names):,} group{'' if len(names) == 1 else 's'}, {', '.join(names[:_SHOWN])}{more}"
    note = f"the names give {shown}: each stays in one split{without}"
    kept = tuple(one for one in dataset.notes if "--group" not in one)
    return replace(dataset, groups=np.array(groups), notes=(*kept, note))
