"""Sentences of two classes: the default network, naive Bayes and logistic regression, by cross-validation.

    python benchmarks/sentences.py FOLDER --folds 10 --only 0,1,2

FOLDER holds rt-polarity.pos and rt-polarity.neg, one sentence per line. Each fold is the test split once; validation is
cut from the others. One line per fold is printed, then the means. The classifiers on words see the training
sentences of the network.
"""

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path

import numpy as np

import convscope as cs
from convscope.datasets.inputs.text_tokens import Words
from convscope.explainers import WORD_CLASSIFIERS, word_pair_score
from convscope.layouts import open_data
from convscope.runs.loaders import reload


def table(folder: Path, file: Path, fold: int, folds: int, seed: int) -> Path:
    """Write a table whose test split is one fold of each class."""
    found = open_data(folder)
    generator = np.random.default_rng(seed)
    number = np.zeros(len(found), int)
    for label in range(len(found.classes)):
        rows = generator.permutation(np.flatnonzero(found.targets == label))
        number[rows] = np.arange(len(rows)) % folds
    with file.open("w", newline="", encoding="utf-8") as opened:
        lines = csv.writer(opened)
        lines.writerow(["text", "label", "split"])
        for text, target, one in zip(found.images, found.targets, number, strict=True):
            lines.writerow([text, found.classes[target], "test" if one == fold else "train"])
    return file


def measure(source: Path, out: Path, fold: int, options: argparse.Namespace) -> dict[str, float]:
    """Train on all folds but one, print a line, and return the accuracies on that one."""
    started = time.monotonic()
    run = cs.train(str(source), out=out, settings={"train.threads": options.threads} if options.threads else {})
    found = {"network": run.evaluate("test").scores["accuracy"]}
    seconds = time.monotonic() - started
    prepared = reload(run.folder)
    texts = np.asarray(prepared.dataset.images)
    train, test = (
        (texts[prepared.rows(split)].tolist(), prepared.dataset.targets[prepared.rows(split)])
        for split in ("train", "test")
    )
    found |= {name: word_pair_score(name, train, test, Words().split) for name in WORD_CLASSIFIERS}
    print(json.dumps({"fold": fold, **found, "seconds": seconds}), flush=True)
    return found


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--only", default="", help="numbers of folds, separated by commas; default: all")
    parser.add_argument("--seed", type=int, default=0, help="of the folds")
    parser.add_argument("--threads", type=int, default=0, help="0: the default")
    options = parser.parse_args()
    chosen = [int(one) for one in options.only.split(",")] if options.only else range(options.folds)
    with tempfile.TemporaryDirectory() as place:
        found = [
            measure(
                table(options.folder, Path(place) / f"{one}.csv", one, options.folds, options.seed),
                Path(place) / str(one),
                one,
                options,
            )
            for one in chosen
        ]
    means = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    print(json.dumps({"folds": len(found), **means}))


if __name__ == "__main__":
    main()
