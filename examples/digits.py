"""From real handwritten digits to a network, its scores, a look inside, and a second one to compare it with.

python examples/digits.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import convscope as cs
from convscope.api import compare

with TemporaryDirectory() as folder:
    run = cs.train("digits", out=Path(folder) / "digits", epochs=5, settings={"model.name": "lenet"})

    print(run.evaluate("validation"))
    print(run.evaluate("test"), "after", len(run.folder.test_evaluations()), "look at the test set")
    print([round(epoch["validation"]["accuracy"], 3) for epoch in run.history])

    seen = run.explain("neighbours", images=["3", "8"], each=1)  # pictures and numbers in explain/neighbours
    print(*seen.summary, *seen.pictures, sep="\n")
    print(*run.explain("designs").summary, sep="\n")

    other = cs.train("digits", out=Path(folder) / "mlp", epochs=5, settings={"model.name": "mlp"})
    rows, objections = compare([run.path, other.path])  # convscope compare RUN RUN
    for row in rows:
        print(f"{row.network}: {row.accuracy:.3f} ({row.low:.3f} to {row.high:.3f}), {row.num_parameters:,} weights")
    print(*objections, sep="\n")
