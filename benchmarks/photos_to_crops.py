"""C2: photographs to squares of 224 pixels, as training crops need them: shorter side to 224, middle cut out.

    benchmarks/run c2 -- FOLDER         FOLDER has photographs, at any depth

2,000 of about 500 x 375 (the folder's, repeated as often as need be) and 100 of 12 megapixels (its first, enlarged
once to 4000 x 3000 and written at quality 90). All use two cores: ours what the store does, OpenCV two threads,
torchvision a DataLoader of two workers. `mean` and `worst` (99.9 % of values are nearer) say how far our pixels,
decoded at a reduced scale where that suffices, are from those of whole decoding, in steps of 0 to 255.
"""

import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from protocol import Comparison

COMPARISON = Comparison("photos_to_crops.py", {"ours": "ours", "torchvision": "peers", "opencv": "peers"}, rounds=3)
SIDE, MANY, LARGE = 224, 2000, 100


def photographs(folder: str) -> list[Path]:
    """As many as wanted, over and over."""
    found = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    return [found[i % len(found)] for i in range(MANY)]


def large(folder: str) -> list[Path]:
    """Twelve megapixels each, made once."""
    made = Path(tempfile.gettempdir()) / "convscope-c2-12mp"
    made.mkdir(exist_ok=True)
    paths = []
    for number, source in enumerate(photographs(folder)[:LARGE]):
        path = made / f"{number}.jpg"
        if not path.exists():
            Image.open(source).convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC).save(path, quality=90)
        paths.append(path)
    return paths


def ours(paths: list[Path]) -> None:
    """As the store does it: many files by two processes, few by two threads."""
    from convscope.datasets.inputs.image import ImageSpec, decode
    from convscope.datasets.inputs.opening import quiet_pillow
    from convscope.datasets.store.parallel import parallel_map, shared_zeros

    pixels, spec = shared_zeros((len(paths), 3, SIDE, SIDE)), ImageSpec((SIDE, SIDE), 3)

    def some(rows: range) -> None:
        for row in rows:
            pixels[row] = decode(paths[row], spec).pixels

    with quiet_pillow():
        for _ in parallel_map(some, len(paths), 32, 2):
            pass


def torchvision(paths: list[Path]) -> None:
    """Pillow, then torchvision's transforms, in two workers."""
    import torch
    from torchvision import transforms as T

    steps = T.Compose([T.Resize(SIDE), T.CenterCrop(SIDE), T.PILToTensor()])

    class Found(torch.utils.data.Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, row: int) -> Any:
            return steps(Image.open(paths[row]).convert("RGB"))

    for _ in torch.utils.data.DataLoader(Found(), 32, num_workers=2):
        pass


def opencv(paths: list[Path]) -> None:
    """Its imread and area interpolation, in two threads."""
    import cv2

    cv2.setNumThreads(1)

    def one(path: Path) -> Any:
        x = cv2.imread(str(path))
        scale = SIDE / min(x.shape[:2])
        height, width = round(x.shape[0] * scale), round(x.shape[1] * scale)
        x = cv2.resize(x, (width, height), interpolation=cv2.INTER_AREA)
        top, left = (height - SIDE) // 2, (width - SIDE) // 2
        return cv2.cvtColor(x[top : top + SIDE, left : left + SIDE], cv2.COLOR_BGR2RGB)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, paths))


def apart(paths: list[Path]) -> dict[str, float]:
    """How far ours is from whole decoding and Pillow's bicubic resizing, over all values of 0 to 255."""
    from convscope.datasets import read_image
    from convscope.datasets.inputs.fitting import visible_window

    differences = []
    for path in paths:
        whole = Image.open(path).convert("RGB")
        box = visible_window((whole.height, whole.width), (SIDE, SIDE))
        exact = np.asarray(whole.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box), np.int16)
        differences.append(np.abs(read_image(path, 3, (SIDE, SIDE)).transpose(1, 2, 0).astype(np.int16) - exact))
    stacked = np.stack(differences)
    return {"mean": float(stacked.mean()), "worst": float(np.quantile(stacked, 0.999))}


def main(kind: str, folder: str) -> None:
    """Print seconds for both sizes."""
    work = {"ours": ours, "torchvision": torchvision, "opencv": opencv}[kind]
    values: dict[str, float] = {}
    for name, paths in (("photographs", photographs(folder)), ("megapixels", large(folder))):
        work(paths[:4])  # imports, and workers' first start
        began = time.perf_counter()
        work(paths)
        values[name] = round(time.perf_counter() - began, 3)
        if kind == "ours":
            values |= {f"{name}_{key}": round(value, 3) for key, value in apart(paths[:20]).items()}
    print(json.dumps(values))


if __name__ == "__main__":
    main(*sys.argv[1:3])
