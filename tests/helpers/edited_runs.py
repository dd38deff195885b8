"""Runs whose files were edited by hand or damaged, and every verb that opens a run."""

import copy
import json
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import convscope.api as cs
from convscope.explorer import Session
from helpers.mutations import Failure, attempt, mutate

EDITED = (
    *("recipe.toml", "data.json", "environment.json", "events.jsonl", "confusions.jsonl", "model/config.json"),
    *("predictions/validation.npz", "probes/probes.json", "test_evaluations.jsonl", "transfer.json"),
    *("robustness.json", "corrections/corrections.json", "checkpoint/last.pt"),
)
"""Files of a run; those that it does not have are left out."""
VALUES = (None, True, -1, 0, 10**30, 1e308, "", "text", "../../x", [], {}, [[]], [None], {"a": 1}, ["x"] * 3, 0.5)


def explored(path: Path) -> None:
    session = Session.open(path)
    session.close()


VERBS: dict[str, Callable[[Path, Path], object]] = {
    "resume": lambda run, _image: list(cs.resuming(run)),
    "evaluate": lambda run, _image: cs.evaluate(run),
    "predict": lambda run, image: cs.predict(run, image),
    "report": lambda run, _image: cs.report(run),
    "diagnose": lambda run, _image: cs.diagnose(str(run)).lines(),
    "attribution": lambda run, _image: cs.explain(run, "attribution", max_images=1),
    "over_time": lambda run, _image: cs.explain(run, "over_time"),
    "compare": lambda run, _image: cs.compare([run, run]).rows(),
    "inspect": lambda run, _image: cs.inspect(str(run)),
    "explore": lambda run, _image: explored(run),
}


def edit(content: bytes, number: int, seed: int) -> bytes:
    """A mutation of the bytes; of JSON every second time another value in one place."""
    if number % 2:
        try:
            return _another_value(content, random.Random(f"{seed}/{number}"))
        except (ValueError, UnicodeDecodeError, IndexError):
            pass
    return mutate([content], number, seed)


def _another_value(content: bytes, source: random.Random) -> bytes:
    """JSON, or one line of JSON lines, with one value at any depth removed or replaced."""
    lines = content.decode().splitlines() if content.count(b"\n{") else [content.decode()]
    place = source.randrange(len(lines))
    lines[place] = json.dumps(_changed(json.loads(lines[place]), source))
    return "\n".join(lines).encode()


def _changed(content: Any, source: random.Random) -> Any:
    content = copy.deepcopy(content)
    inside = content
    while True:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        key = source.choice(keys)
        value = inside[key]
        if not isinstance(value, dict | list) or not value or source.random() < 0.25:
            break
        inside = value
    if isinstance(inside, dict) and source.random() < 0.3:
        del inside[key]
    else:
        inside[key] = source.choice(VALUES)
    return content


def failures_of_edited_runs(run: Path, image: Path, home: Path, numbers: range, seed: int = 0) -> Iterator[Failure]:
    """Copies of a run with one edited file in which a verb gives neither a result nor one line.

    Args:
        run: a finished run.
        image: a file to predict.
        home: a folder for the copies.
        numbers: of the edits; the same number and seed give the same edit and verb.
        seed: of the edits.
    """
    files = [name for name in EDITED if (run / name).exists()]
    for number in numbers:
        source = random.Random(f"{seed}/{number}/choice")
        name, verb = source.choice(files), source.choice(list(VERBS))
        edited = home / "run"
        shutil.copytree(run, edited)
        (edited / name).write_bytes(edit((run / name).read_bytes(), number, seed))
        what = attempt(partial(VERBS[verb], edited, image), seconds=120)
        shutil.rmtree(edited, ignore_errors=True)
        if what:
            yield Failure(number, f"{name}, {verb}: {what}")
