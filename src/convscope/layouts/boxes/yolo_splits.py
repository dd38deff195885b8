"""The splits of a YOLO data set: from the folders and lists that its configuration names, else from its folders."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from convscope.datasets.targets.annotations import examples
from convscope.layouts.boxes.image_finder import ImageFinder
from convscope.layouts.boxes.yolo_config import YoloConfig, resolve
from convscope.layouts.split_lists import listed_names


@dataclass
class YoloSplits:
    """The split of each image, and why images are skipped."""

    split: dict[Path, str] = field(default_factory=dict)
    skipped: dict[Path, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def assign_splits(config: YoloConfig, finder: ImageFinder) -> YoloSplits:
    """Assign images to the splits that list them; images that no split lists are skipped, as in training with YOLO.

    A list that equals that of train, as in many examples, is no split. Without any list, folders show the split.
    """
    found = YoloSplits()
    members = {split: images for split in config.entries if (images := _members(split, config, finder, found))}
    where = config.file.name if config.file else "the list"
    for split in [split for split in members if split != "train" and members[split] == members.get("train")]:
        del members[split]
        found.notes.append(f"{where} gives the same images for train and {split}, so they are no {split} split")
    if not members:
        found.split = {image: finder.split(image) for image in finder.files}
        return found
    everything = members.keys() == {"train"} and len(members["train"]) == len(finder.files)
    of_image = defaultdict(list)
    for split, images in members.items():
        for image in images:
            of_image[image].append(split)
    for image in finder.files:
        splits = of_image.get(image, [])
        own = finder.split(image)
        if len(splits) > 1:
            found.skipped[image] = f"is listed in {' and in '.join(sorted(splits))}"
        elif splits:
            found.split[image] = "" if everything else splits[0]
        elif own and own not in members:
            found.split[image] = own
        else:
            found.skipped[image] = f"is in no split of {where}"
    return found


def _members(split: str, config: YoloConfig, finder: ImageFinder, found: YoloSplits) -> set[Path]:
    """The images of one split."""
    images: set[Path] = set()
    missing = []
    for entry in config.entries[split]:
        path = resolve(entry, finder.root, config)
        if path is None:
            missing.append(entry)
        elif path.is_dir():
            images |= {image for image in finder.files if image.is_relative_to(path)}
        elif path.suffix.lower() == ".txt":
            images |= _listed(path, split, finder, found)
        else:
            missing.append(entry)
    if missing:
        where = config.file.name if config.file else "the data set"
        found.notes.append(f"{where} names {missing[0]} for {split}, which is not in the folder")
    return images


def _listed(file: Path, split: str, finder: ImageFinder, found: YoloSplits) -> set[Path]:
    """The images of a list."""
    lines = listed_names(file)
    listing = finder.listing(lines)
    images = {line: finder.find(line, file.parent, split, listing) for line in lines}
    lost = [line for line, image in images.items() if not isinstance(image, Path)]
    nouns = (f"line of {file.name} names", f"lines of {file.name} name")
    note = examples(len(lost), nouns, ("no image", "no image"), lost[0] if lost else "")
    found.notes += [note] if note else []
    return {image for image in images.values() if isinstance(image, Path)}
