"""Spoken digits: a random split, and each speaker in turn as the test split, beside the SVM on the mean of the bands.

    python benchmarks/spoken_digits.py FOLDER --form mel --split speakers --width 16

FOLDER holds the recordings of the Free Spoken Digit Dataset, named DIGIT_SPEAKER_NUMBER.wav. One line per training is
printed, then the mean. The SVM always sees spectrograms.
"""

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path

import numpy as np

import convscope as cs
from convscope.explainers import mel_mean_score
from convscope.runs.loaders import reload


def table(folder: Path, file: Path, speaker: str) -> Path:
    """Write a table whose test split is one speaker; the validation split is cut from the others."""
    with file.open("w", newline="") as opened:
        lines = csv.writer(opened)
        lines.writerow(["file", "label", "split"])
        for path in sorted(folder.glob("*.wav")):
            digit, who, _ = path.stem.split("_")
            lines.writerow([path.resolve(), digit, "test" if who == speaker else "train"])
    return file


def baseline(run: cs.Run) -> float:
    """The accuracy of the SVM on the test split of a run on spectrograms."""
    prepared = reload(run.folder)
    rows = {split: prepared.rows(split) for split in ("train", "test")}
    x = {split: prepared.store.pixels[prepared.store_index[some]] for split, some in rows.items()}
    y = {split: prepared.dataset.targets[some] for split, some in rows.items()}
    return mel_mean_score(x["train"], y["train"], x["test"], y["test"])


def measure(source: Path, out: Path, name: str, options: argparse.Namespace) -> tuple[float, float]:
    """Train on a source, print a line, and return the accuracies of the network and of the SVM, nan for samples."""
    settings: dict[str, object] = {"input.form": options.form}
    if options.width:
        settings["model.options.width"] = options.width
    if options.epochs:
        settings["train.epochs"] = options.epochs
    started = time.monotonic()
    run = cs.train(str(source), out=out, settings=settings)
    accuracy = run.evaluate("test").scores["accuracy"]
    svm = baseline(run) if options.form == "mel" else float("nan")
    found = {
        "test": name,
        "form": options.form,
        "accuracy": accuracy,
        "svm": svm,
        "seconds": time.monotonic() - started,
    }
    print(json.dumps(found), flush=True)
    return accuracy, svm


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--form", choices=("mel", "wave"), default="mel")
    parser.add_argument("--split", choices=("random", "speakers"), default="random")
    parser.add_argument("--width", type=int, default=0, help="of the first stage; 0: the default")
    parser.add_argument("--epochs", type=int, default=0, help="0: the default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if options.split == "random":
            measure(options.folder, Path(place) / "run", "random 10 %", options)
            return
        speakers = sorted({path.stem.split("_")[1] for path in options.folder.glob("*.wav")})
        found = [
            measure(table(options.folder, Path(place) / f"{one}.csv", one), Path(place) / one, one, options)
            for one in speakers
        ]
        mean, svm = np.mean(found, axis=0).tolist()
        print(json.dumps({"test": "mean of speakers", "form": options.form, "accuracy": mean, "svm": svm}))


if __name__ == "__main__":
    main()
