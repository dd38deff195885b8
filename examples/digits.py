"""Train on handwritten digits, evaluate, explain the network, and compare it with a second one.

python examples/digits.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import convscope as cs

with TemporaryDirectory() as folder:
    run = cs.train("digits", out=Path(folder) / "digits", epochs=5, settings={"model.name": "lenet"})

    print(run.evaluate("validation"))
    print(run.evaluate("test"), "after", len(run.folder.test_evaluations()), "evaluation on the test split")
    print([round(epoch["validation"]["accuracy"], 3) for epoch in run.history])

    result = run.explain("neighbours", images=["3", "8"], each=1)  # images and numbers in explain/neighbours
    print(*result.summary, *result.pictures, sep="\n")
    print(*run.explain("designs").summary, sep="\n")

    other = cs.train("digits", out=Path(folder) / "mlp", epochs=5, settings={"model.name": "mlp"})
    comparison = cs.compare([run, other])  # convscope compare RUN RUN
    for row in comparison.runs:
        print(f"{row.network}: {row.accuracy:.3f} ({row.low:.3f} to {row.high:.3f}), {row.num_parameters:,} parameters")
    print(*comparison.warnings, sep="\n")
