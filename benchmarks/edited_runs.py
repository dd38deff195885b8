"""Edit or damage a file of a run, open it with every verb, and count what is neither a result nor one line.

    PYTHONPATH=tests python benchmarks/edited_runs.py --count 10000

Prints each failure with its number, then the number of edits.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

from convscope.api import robustness
from helpers.edited_runs import failures_of_edited_runs
from helpers.small_runs import photos, train


def main() -> None:
    """Run the edits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        data = photos(home / "photos", each=15)
        train(home / "first", str(data), train__epochs=2, train__batch=16, train__probes=1)
        robustness(home / "first")
        numbers = range(options.first, options.first + options.count)
        failed = 0
        for failure in failures_of_edited_runs(home / "first", data / "a" / "0.png", home, numbers, options.seed):
            failed += 1
            print(f"{failure.number}: {failure.what}", flush=True)
        print(f"{options.count:,} edits, {failed} neither a result nor one line")


if __name__ == "__main__":
    main()
