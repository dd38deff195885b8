"""Find out which folders below a source are classes, which are splits, and which only contain the others."""

from dataclasses import dataclass, field, replace

from convscope.datasets.class_checks import in_order
from convscope.datasets.dataset import SPLITS, split_of
from convscope.datasets.listing import comparable
from convscope.layouts.folders.folder_tree import Folder
from convscope.layouts.folders.set_names import UNLABELLED, is_aside, is_container, joined, set_name, set_names

Parts = tuple[str, ...]
"""The names of the folders from the source down to a folder."""


@dataclass(frozen=True)
class Branch:
    """A folder whose subfolders are classes, or the folder of one class."""

    split: str = ""
    label: str = ""
    """The class, if the branch is the folder of one."""


@dataclass(frozen=True)
class ClassReading:
    """Which folders are classes."""

    branches: dict[Parts, Branch]
    inside: dict[str, str] = field(default_factory=dict)
    """Name of a subfolder of every class -> split."""
    outside: str = ""
    """Why an image in none of the branches is skipped."""
    notes: tuple[str, ...] = ()

    def branch_of(self, folders: Parts) -> tuple[Branch | None, Parts]:
        """The branch that contains a folder, and the folder's path inside it."""
        for depth in range(len(folders) + 1):
            branch = self.branches.get(folders[:depth])
            if branch is not None:
                return branch, folders[depth:]
        return None, folders


def read_classes(folder: Folder, parts: Parts = ()) -> ClassReading:
    """The most plausible reading of a folder; its classes may be one level or several below it.

    Args:
        folder: with images in it or below.
        parts: its path below the source.
    """
    sets = split_folders(folder)
    if sets:
        return _of_sets(folder, parts, sets)
    labelled = _labelled_sets(folder)
    if labelled:
        return _of_labelled_sets(parts, labelled)
    inner = data_folder(folder)
    if inner is not None:
        return _inside_of(folder, parts, inner)
    inside = _sets_in_classes(folder)
    note = f"the split is read from the folders {joined(inside)} of each class"
    return ClassReading({parts: Branch()}, inside, notes=(note,) if inside else _mixed_note(folder))


def split_folders(folder: Folder) -> dict[str, str]:
    """Name of a subfolder -> split or `UNLABELLED`, if the subfolders are splits; else empty.

    A class may be called train (the vehicle): then it contains its images directly.
    """
    filled = folder.filled
    compound = set_names(one.name for one in filled)
    exact = {one.name: split for one in filled if (split := split_of(one.name))}
    others = [one for one in filled if one.name not in exact]
    holding = {one.name for one in filled if one.filled and 2 * one.images <= one.total}
    if compound and holding & compound.keys():
        return compound
    if not exact or not holding & exact.keys():
        return {}
    if not others:
        return exact
    trains = [one for one in filled if exact.get(one.name) == "train" and one.filled and not one.images]
    return exact if trains and (len(exact) > 1 or all(_beside(one, trains[0]) for one in others)) else {}


def data_folder(folder: Folder) -> Folder | None:
    """The one subfolder that contains the classes, if all others are clearly none; None if there is no such folder."""
    filled = folder.filled
    if folder.images * 10 > folder.total:
        return None
    if len(filled) == 1:
        return filled[0] if holds_classes(filled[0]) else None
    containers = [one for one in filled if is_container(one.name) and holds_classes(one)]
    others = [one for one in filled if one not in containers]
    if len(containers) == 1 and all(is_aside(one.name) for one in others):
        return containers[0]
    return None


def holds_classes(folder: Folder) -> bool:
    """Whether there are at least two classes in a folder or, where each level has a single folder, below it."""
    if not folder.has_classes:
        return False
    return len(folder.filled) > 1 or bool(split_folders(folder)) or holds_classes(folder.filled[0])


def class_names(folder: Folder, reading: ClassReading) -> list[str]:
    """Names of the folders that are read as classes, in the order of the classes."""
    found = {branch.label for branch in reading.branches.values() if branch.label}
    for parts, one in folder.walk():
        branch = reading.branches.get(parts)
        if branch is not None and not branch.label:
            found |= one.names()
    return list(in_order(map(comparable, found)))


def _of_sets(folder: Folder, parts: Parts, sets: dict[str, str]) -> ClassReading:
    trained = {name for key in sets if sets[key] == "train" for name in folder.subfolders[key].names()}
    branches = {
        _down(folder.subfolders[name], (*parts, name), trained): Branch(split)
        for name, split in sorted(sets.items(), key=_of_split)
        if split != UNLABELLED
    }
    plain = all(len(path) == len(parts) + 1 and split_of(path[-1]) for path in branches)
    read = ", ".join(f"{'/'.join(path)} ({branch.split})" for path, branch in branches.items())
    notes = [] if plain and not parts else [f"the split is read from the folders {read}"]
    others = sorted(one.name for one in folder.filled if sets.get(one.name, UNLABELLED) == UNLABELLED)
    if others:
        notes.append(
            f"{joined(others)} {'is no split folder' if len(others) == 1 else 'are no split folders'} and skipped; "
            "rename a folder to train, validation or test to use it"
        )
    train = next((path for path, branch in branches.items() if branch.split == SPLITS[0]), None)
    notes += _mixed_note(_at(folder, train[len(parts) :])) if train else ()
    return ClassReading(
        branches, outside=f"is outside the split folders {joined(path[-1] for path in branches)}", notes=tuple(notes)
    )


def _at(folder: Folder, path: Parts) -> Folder:
    for part in path:
        folder = folder.subfolders[part]
    return folder


def _of_split(named: tuple[str, str]) -> tuple[int, str]:
    """The order of a folder in messages: by its split, then by its name."""
    name, split = named
    return (*SPLITS, UNLABELLED).index(split), name


def _down(folder: Folder, path: Parts, trained: set[str]) -> Parts:
    """The path from a split's folder down to the one that contains the classes: training_set/training_set."""
    while len(folder.filled) == 1 and folder.images * 10 <= folder.total:
        inner = folder.filled[0]
        again = set_name(inner.name) or is_container(inner.name) or inner.name == folder.name
        alone = inner.name in trained and len(trained) > 1  # a class that is the only one of this split
        if alone or not (again or (holds_classes(inner) and len(inner.filled) > 1)):
            break
        folder, path = inner, (*path, inner.name)
    return path


def _labelled_sets(folder: Folder) -> dict[str, Branch]:
    """Name of a subfolder -> split and class, if each name is both, as in train_cats, train_dogs, test_cats."""
    found = {one.name: set_name(one.name) for one in folder.filled}
    known = {name: one for name, one in found.items() if one is not None and one.rest and one.split != UNLABELLED}
    trained = {one.rest for one in known.values() if one.split == "train"}
    if len(known) < len(found) or len(trained) < 2 or len({one.split for one in known.values()}) < 2:
        return {}
    if any(one.rest not in trained for one in known.values()):
        return {}
    return {name: Branch(one.split, " ".join(one.rest)) for name, one in known.items()}


def _of_labelled_sets(parts: Parts, labelled: dict[str, Branch]) -> ClassReading:
    read = ", ".join(f"{name} ({branch.label}, {branch.split})" for name, branch in sorted(labelled.items()))
    note = f"class and split are read from the names of the folders {read}"
    return ClassReading(
        {(*parts, name): branch for name, branch in labelled.items()},
        outside="is not in a folder of a class",
        notes=(note,),
    )


def _inside_of(folder: Folder, parts: Parts, inner: Folder) -> ClassReading:
    reading = read_classes(inner, (*parts, inner.name))
    path = "/".join((*parts, inner.name))
    others = sorted(folder.names() - {inner.name})
    notes = reading.notes
    if others or not any(path in note for note in notes):
        skipped = f", and not {joined(others)}; give one of the folders to read it alone" if others else ""
        notes = (f"the classes are read from the folder {path}{skipped}", *notes)
    return replace(reading, outside=reading.outside or f"is outside the folder {path}", notes=notes)


def _beside(folder: Folder, train: Folder) -> bool:
    """Whether a folder beside the splits is none of the classes: its name says so, or it contains the same classes."""
    return is_aside(folder.name) or bool(folder.names() & train.names())


def _sets_in_classes(folder: Folder) -> dict[str, str]:
    """Name -> split, if each class has its images in folders named like splits, as in cats/train and dogs/train."""
    filled = folder.filled
    if len(filled) < 2 or not all(one.filled and one.images * 10 <= one.total for one in filled):
        return {}
    sets = set_names(set().union(*(one.names() for one in filled)))
    trains = {name for name, split in sets.items() if split == "train"}
    if len(sets) < 2 or UNLABELLED in sets.values() or not all(trains & one.names() for one in filled):
        return {}
    return sets


def folds_of_sets(folder: Folder, reading: ClassReading) -> str:
    """Why folders are folds with splits in each, as fold_0/train/cat and fold_1/train/cat, and no classes; or empty."""
    if list(reading.branches) != [()] or not reading.inside:
        return ""
    train = next(name for name, split in reading.inside.items() if split == "train")
    names = [one.subfolders[train].names() for one in folder.filled if train in one.subfolders]
    shared = set.intersection(*names) if len(names) == len(folder.filled) else set()
    if len(shared) < 2:
        return ""
    first, *_ = sorted(folder.names())
    return (
        f"each of {joined(folder.names())} holds {joined(reading.inside)} with the folders {joined(shared)}, as folds "
        f"do; give one of them, such as {first}, or set --layout folder if {joined(folder.names())} are the classes"
    )


def _mixed_note(folder: Folder) -> tuple[str, ...]:
    """A note if some classes consist of several folders that may be meant as classes."""
    several = [one for one in folder.filled if len(one.filled) > 1 and one.has_classes]
    shared = len(several) > 1 and several[0].names() & several[1].names()
    named = any(not name.isdigit() for one in several for name in one.names())
    if not several or not (shared or named or any(one.is_loose for one in folder.filled)):
        return ()
    one = several[0]
    return (
        f"class {one.name} contains the images of its {len(one.filled):,} subfolders, such as {one.filled[0].name}; "
        "if these are the classes, set --layout nested-folders",
    )
