"""C1: 50,000 small JPEGs on disk to augmented batches of 512, first and second epoch.

    benchmarks/run c1 -- FOLDER        FOLDER has a subfolder per class, or train/ that has them

Both pad, crop at random and mirror, and give normalised float32. A process's first epoch counts from its first look at
the folder; imports are left out on both sides, and files may lie in the system's cache. `limit` is a plain loop
over a tensor of all pixels that is in memory already.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from protocol import Comparison

COMPARISON = Comparison(
    "files_to_batches.py", {"ours": "ours", "limit": "ours", "torchvision": "peers", "fastai": "peers"}, rounds=3
)
BATCH, SIDE, SHIFT = 512, 32, 4
MEAN, STD = (0.491, 0.482, 0.447), (0.247, 0.243, 0.262)
Epochs = Callable[[int], Iterable[Any]]


def ours(folder: str) -> tuple[float, Epochs]:
    """Decoded once into a cold cache."""
    from convscope.datasets import Batches, BatchSettings, build_store
    from convscope.layouts import open_data

    began = time.perf_counter()
    dataset = open_data(folder)
    store = build_store(dataset, (SIDE, SIDE), cache_folder=Path(tempfile.mkdtemp(prefix="c1-")))
    settings = BatchSettings(batch=BATCH, mean=MEAN, std=STD, policy="light", shuffle=True, channels_last=True)
    return began, Batches(store.pixels, dataset.targets, store.readable, settings)


def limit(folder: str) -> tuple[float, Epochs]:
    """Pixels in memory: index, crop out of a padded copy, mirror, normalise."""
    import torch

    pixels = torch.randint(0, 256, (_count(folder), 3, SIDE + 2 * SHIFT, SIDE + 2 * SHIFT), dtype=torch.uint8)
    mean, std = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(STD).view(1, 3, 1, 1)

    def epoch(_: int) -> Iterable[Any]:
        for rows in torch.randperm(len(pixels)).split(BATCH):
            top, left = torch.randint(
                0, 2 * SHIFT + 1, (2,)
            ).tolist()  # one crop for the batch: the least work there is
            x = pixels[rows, :, top : top + SIDE, left : left + SIDE].float().div_(255)
            x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
            yield (x.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last),)

    return time.perf_counter(), epoch


def torchvision(folder: str) -> tuple[float, Epochs]:
    """ImageFolder and a DataLoader of two workers."""
    import torch
    from torchvision import datasets
    from torchvision import transforms as T

    began = time.perf_counter()
    steps = [T.RandomCrop(SIDE, SHIFT), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize(MEAN, STD)]
    found = datasets.ImageFolder(folder, T.Compose(steps))
    batches = torch.utils.data.DataLoader(found, BATCH, shuffle=True, num_workers=2, persistent_workers=True)
    return began, lambda _: batches


def fastai(folder: str) -> tuple[float, Epochs]:
    """Its loaders with two workers, augmentation on whole batches."""
    from fastai.vision.all import ImageDataLoaders, PadMode, aug_transforms

    began = time.perf_counter()
    small = {"max_rotate": 0, "max_zoom": 1.0, "max_lighting": 0, "max_warp": 0, "pad_mode": PadMode.Reflection}
    loaders = ImageDataLoaders.from_folder(
        folder, valid_pct=0.0002, bs=BATCH, num_workers=2, batch_tfms=aug_transforms(size=SIDE, **small)
    )
    return began, lambda _: loaders.train


def _count(folder: str) -> int:
    return sum(1 for _ in Path(folder).glob("*/*"))


def main(kind: str, folder: str) -> None:
    """Print the seconds of both epochs."""
    train = Path(folder) / "train"
    folder = str(train) if train.is_dir() else folder
    began, epochs = {"ours": ours, "limit": limit, "torchvision": torchvision, "fastai": fastai}[kind](folder)
    values = {}
    for number in (1, 2):
        images = sum(len(batch[0]) for batch in epochs(number))
        values[f"epoch{number}"] = round(time.perf_counter() - began, 3)
        values["images"] = images
        began = time.perf_counter()
    print(json.dumps(values))


if __name__ == "__main__":
    main(*sys.argv[1:3])
