"""Make the example images of the cards: train `digits` and `shapes` briefly, run the methods, write small PNGs.

    python docs/methods/make_pictures.py [FOLDER [CARD ...]]

FOLDER stores the two runs (default: a temporary folder); existing runs are reused.
CARD limits the images to these cards.
Takes a few minutes on two cores. The same seed gives the same pictures on the same machine and versions.
"""

import io
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from convscope.analysis.layout import beside, image_tile, titled
from convscope.analysis.selection import chosen_images
from convscope.analysis.target import open_target
from convscope.api import as_lines, nest, training
from convscope.api.explain import explain
from convscope.explainers import receptive_field

HERE = Path(__file__).parent
MOST_BYTES, WIDEST = 60_000, 760
EPOCHS = {"digits": 4, "shapes": 12}
PHOTOS = ("disc", "ring", "star")
CARDS = {  # card: (run, method, settings, index of the image)
    "activations": ("shapes", "activations", {"images": ["star"], "per_class": 1, "layers": ["stages.1"]}, 0),
    "filters": ("shapes", "filters", {}, 0),
    "stimuli": ("shapes", "stimuli", {"layers": ["stages.1"], "channels": [1, 7, 12, 20]}, 0),
    "class_maps": (
        "shapes", "attribution",
        {"images": PHOTOS, "per_class": 1, "method": ["grad_cam", "grad_cam_plus_plus", "hires_cam"]}, 0,
    ),
    "gradients": (
        "shapes", "attribution",
        {"images": PHOTOS, "per_class": 1, "method": ["input_gradients", "smooth_grad", "integrated_gradients"]}, 0,
    ),
    "occlusion": ("shapes", "attribution", {"images": PHOTOS, "per_class": 1, "method": ["occlusion"]}, 0),
    "invert": (
        "shapes", "invert",
        {"images": PHOTOS[1:], "per_class": 1, "layers": ["stages.0", "stages.1", "stages.2"], "steps": 96}, 0,
    ),
    "maximise": ("shapes", "maximise", {"layers": ["stages.1"], "channels": [1, 7, 12], "steps": 64}, 0),
    "class_images": ("digits", "class_images", {"images": ["2", "3", "5"]}, 0),
    "neighbours": ("digits", "neighbours", {"images": ["3", "8", "9"], "per_class": 1, "count": 4}, 0),
    "snapshots": ("shapes", "over_time", {"layers": ["stages.1"], "probe": 0}, 0),
    "sanity": ("digits", "sanity", {"max_images": 10}, 0),
    "suggestions": ("digits", "suggestions", {}, 0),
}  # fmt: skip


def main(folder: Path, wanted: list[str]) -> None:
    """Write the images of these cards, or of all."""
    needed = {CARDS[card][0] if card in CARDS else "shapes" for card in wanted} or {"digits", "shapes"}
    runs = {name: run_of(name, folder, EPOCHS[name]) for name in sorted(needed)}
    if not wanted or "receptive_field" in wanted:
        keep(fields(runs["shapes"]), HERE / "receptive_field.png")
    for card, (name, method, settings, which) in CARDS.items():
        if wanted and card not in wanted:
            continue
        result = explain(runs[name], method, settings, out=folder / "explained" / card)
        with Image.open(result.pictures[which]) as picture:
            keep(np.asarray(picture.convert("RGB")), HERE / f"{card}.png")


def run_of(name: str, folder: Path, epochs: int) -> Path:
    """A small trained network."""
    path = folder / name
    if not (path / "report.html").exists():
        settings = {"train.epochs": epochs, "model.options": {"width": 16}}
        for event in training(name, path, nest(settings)):
            print(*as_lines(event), sep="\n", end="\n" if as_lines(event) else "", flush=True)
    return path


def fields(run: Path) -> np.ndarray:
    """One image with the receptive field of the central unit of each stage."""
    subject = open_target(run)
    image = chosen_images(subject, ["star"], "validation", 1, 1)
    x, side, tiles = subject.input(image), 160, []
    for layer in ("stem", "stages.0", "stages.1", "stages.2"):
        found = receptive_field(subject.model, layer, x)
        middle = [round((length / 2 - (start + stop) / 2) / stride) for length, start, stop, stride in zip(
            found.image, found.starts, found.stops, found.stride, strict=True,
        )]  # fmt: skip
        box = [edge * side / subject.size[0] for edge in found.box(*middle)]
        picture = Image.fromarray(image_tile(image.pixels()[0].numpy(), side))
        ImageDraw.Draw(picture).rectangle([box[0], box[1], box[2] - 1, box[3] - 1], outline=(204, 45, 45), width=2)
        tiles.append(titled(np.asarray(picture), f"{layer}: {found.size[0]} x {found.size[1]}")[:, :176])
    return titled(beside(tiles), "Receptive field of the unit in the centre")


def keep(picture: np.ndarray, path: Path) -> None:
    """Write an image of at most 60 KB, with reduced width and fewer colours until it fits."""
    image = Image.fromarray(picture)
    for scale, colours in ((1.0, 256), (1.0, 96), (0.8, 96), (0.65, 64), (0.5, 48), (0.5, 32)):
        width = round(min(image.width, WIDEST) * scale)
        small = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
        content = io.BytesIO()
        small.quantize(colours, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
        if len(content.getvalue()) <= MOST_BYTES:
            break
    path.write_bytes(content.getvalue())
    print(f"{path.name}: {small.width} x {small.height}, {len(content.getvalue()):,} bytes, {colours} colours")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), sys.argv[2:])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary), [])
