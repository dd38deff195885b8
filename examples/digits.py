"""From real handwritten digits to a network, its scores and its report, as a library user writes it.

python examples/digits.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import convscope as cs

with TemporaryDirectory() as folder:
    run = cs.train("digits", out=Path(folder) / "digits", epochs=5, settings={"model.name": "lenet"})

    print(run.evaluate("validation"))
    print(run.evaluate("test"), "after", len(run.folder.looks()), "look at the test set")
    print([round(epoch["validation"]["accuracy"], 3) for epoch in run.history])
