"""Make the example of check-your-data.md: a folder with common faults, its data table and its sheet.

    python docs/how-to/make_sheet.py [FOLDER]

FOLDER receives the images (default: a temporary folder). Takes seconds; the same versions give the same sheet.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import convscope as cs
from convscope.layouts import draw_shapes

HERE = Path(__file__).parent
SIDE, MOST_BYTES = 64, 150_000
CLASSES = {0: "disc", 3: "star"}


def main(folder: Path) -> None:
    """Write the images, print the table, and keep the sheet beside this file."""
    images(folder / "shapes")
    data = cs.data(folder / "shapes", settings={"data.size": SIDE})
    print("\n".join(repr(data).splitlines()[1:]).replace(f"{folder}/", ""))
    keep(data.sheet(folder / "sheet.png"), HERE / "sheet.png")


def images(folder: Path) -> None:
    """Draw two classes in two splits; some are wide, one is a copy in the other split, two files are broken."""
    drawn = draw_shapes(250, size=SIDE)
    for index, kind in enumerate(drawn.classes.tolist()):
        if kind in CLASSES:
            path = folder / ("test" if index % 6 == 0 else "train") / CLASSES[kind] / f"{index:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(widened(drawn.images[index]) if index % 10 == 3 else drawn.images[index]).save(path)
    (folder / "test" / "disc" / "again.png").write_bytes((folder / "train" / "disc" / "005.png").read_bytes())
    (folder / "train" / "star" / "page.png").write_text("<html>404 Not Found</html>")
    (folder / "train" / "star" / "empty.png").touch()


def widened(image: np.ndarray) -> np.ndarray:
    """The image at the left of a banner three times as wide."""
    return np.concatenate([image, image[:, ::-1], image], axis=1)


def keep(sheet: Path, path: Path) -> None:
    """Save the sheet with 128 colours, so that it is small."""
    with Image.open(sheet) as picture:
        picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    assert size <= MOST_BYTES, f"{path}: {size:,} bytes"
    print(f"{path.name}: {size:,} bytes")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
