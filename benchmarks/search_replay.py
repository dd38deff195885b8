"""Replay searches on a recorded table of networks, against random search, Optuna's TPE with Hyperband and one epoch.

    python benchmarks/search_replay.py record DATA TABLE.jsonl [--networks 300] [--epochs 9] [--seed 0]
    python benchmarks/search_replay.py replay TABLE.jsonl [--seeds 200] [--epochs 900]

`record` trains networks drawn uniformly from the space of ``convscope tune`` (those that take too long made smaller),
one JSON line per network with its scores after each epoch; it goes on with a table that was stopped. `replay` lets each
strategy choose among the recorded networks, epoch by epoch, and prints for each the median number of epochs until the
network that it would choose is among the best 5 per cent by the score after the last epoch, and the ratios. A proposal
of TPE stands for the recorded network with the nearest values that was not chosen yet.

Strategies: ours (`tuning.sampler` and `tuning.scheduler`), random (every network trained in full), hyperband (Optuna's
TPE with its HyperbandPruner), first_epoch (one epoch for each network, then only the best in full).
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import optuna

from convscope.errors import ConvscopeError
from convscope.runs.overrides import Overrides
from convscope.training import Epoch
from convscope.tuning.parameter import Parameter
from convscope.tuning.refusal import TooSlowError, check_network
from convscope.tuning.request import SearchRequest
from convscope.tuning.rungs import Rungs
from convscope.tuning.sampler import Sampler, distributions
from convscope.tuning.scheduler import next_job
from convscope.tuning.setup import set_up
from convscope.tuning.space import Space
from convscope.tuning.study import Study
from convscope.tuning.trial_run import TrialRunner

GOOD = 0.05  # share of the networks that count as found
Chosen = Iterator[tuple[int, int]]  # epochs spent so far, and the network that a strategy would choose


def record(source: str, path: Path, networks: int, epochs: int, seed: int) -> None:
    """Train networks and append their scores to a table."""
    done = path.read_text().splitlines() if path.exists() else []
    request = SearchRequest(None, networks)
    setup = set_up(Overrides.of({"data": {"source": source}}, "DATA"), request, None, None)
    plan = setup.plan
    plan = type(plan)(**vars(plan) | {"rungs": Rungs((epochs,), 1.0, 20.0 * plan.first[1])})
    runner, random = TrialRunner(setup.trial_data), np.random.default_rng(seed)
    if not done:
        done = [json.dumps({"parameters": [one.to_json() for one in plan.space.parameters]})]
        path.write_text(done[0] + "\n")
    for number in range(networks):
        values = plan.space.sample(random)
        while True:
            try:
                size = check_network(plan, Study(), values, setup.task, float("inf"))
                break
            except TooSlowError:
                values = plan.space.smaller(values)
            except ConvscopeError:
                values = plan.space.sample(random)
        if number + 1 < len(done):
            continue
        with TemporaryDirectory() as folder:
            started, scores = time.monotonic(), []
            try:
                runner.create(Path(folder) / "run", *plan.recipe(values, setup.task))
                events = runner.train(Path(folder) / "run", epochs)
                scores = [event.validation for event in events if isinstance(event, Epoch)]
            except ConvscopeError as error:
                print(number, error)
        row = {
            "values": values, "scores": [one[setup.task.primary] for one in scores],
            "loss": [one["loss"] for one in scores], "seconds": time.monotonic() - started,
            "num_parameters": size.num_parameters,
        }  # fmt: skip
        with path.open("a") as table:
            table.write(json.dumps(row) + "\n")
        print(number, row["scores"][-1:], f"{row['seconds']:.1f} s", flush=True)


class Table:
    """Recorded networks: (N, E) scores, NaN-free, and (N, P) values as fractions of their ranges."""

    def __init__(self, path: Path) -> None:
        header, *rows = (json.loads(line) for line in path.read_text().splitlines())
        self.space = Space(tuple(Parameter.from_json(one) for one in header["parameters"]))
        self.rows = [row for row in rows if row["scores"]]
        self.epochs = max(len(row["scores"]) for row in self.rows)
        self.scores = np.array([row["scores"] + row["scores"][-1:] * (self.epochs - len(row["scores"])) for row in self.rows])  # fmt: skip  # noqa: E501
        self.fractions = np.array([self.fraction(row["values"]) for row in self.rows])
        final = self.scores[:, -1]
        self.good = set(np.argsort(-final, kind="stable")[: max(1, round(GOOD * len(final)))].tolist())

    def fraction(self, values: dict) -> list[float]:
        """Return values as fractions of their ranges."""
        return [one.fraction(values[one.name]) for one in self.space.parameters]

    def nearest(self, values: dict, used: set[int]) -> int:
        """Return the network with the nearest values that is not in `used`."""
        far = np.abs(self.fractions - np.array(self.fraction(values))).sum(1)
        far[list(used)] = np.inf
        return int(far.argmin())


def ours(table: Table, seed: int) -> Chosen:
    """Halving with TPE, as in `convscope tune`."""
    ladder = tuple(epochs for epochs in (1, 3, 9, 27) if epochs <= table.epochs)
    rungs, study, sampler = Rungs(ladder, 1.0, float("inf")), Study(), Sampler(table.space, seed)
    rows: dict[int, int] = {}
    spent, moment = 0, {"clock": 0.0, "at": 0.0}
    while len(rows) < len(table.rows):
        job = next_job(study, rungs, float("inf"))
        number, rung = (job.number, job.rung) if job else (len(rows), 0)
        if job is None:
            row = rows[number] = table.nearest(sampler.propose(study, number), set(rows.values()))
            fields = {"values": table.rows[row]["values"], "num_parameters": 1, "macs": 1}
            study.add([{"event": "trial", "number": number, **fields, **moment}])
        row, epochs = rows[number], rungs.epochs[rung]
        before = rungs.epochs[rung - 1] if rung else 0
        spent += epochs - before
        fields = {"score": table.scores[row, epochs - 1], "loss": table.rows[row]["loss"][epochs - 1], "epochs": epochs}
        extra = {"first": table.scores[row, 0], "seconds": float(epochs - before), "rung": rung}
        study.add([{"event": "rung", "number": number, **fields, **extra, **moment}])
        best = study.best()
        assert best is not None
        yield spent, rows[best.number]


def random_search(table: Table, seed: int) -> Chosen:
    """Every network in full, in a random order."""
    best = -1
    for count, row in enumerate(np.random.default_rng(seed).permutation(len(table.rows)), 1):
        best = row if best < 0 or table.scores[row, -1] > table.scores[best, -1] else best
        yield count * table.epochs, int(best)


def first_epoch(table: Table, seed: int) -> Chosen:
    """One epoch for each network, in a random order; the best so far is the one that would be trained in full."""
    best = -1
    for count, row in enumerate(np.random.default_rng(seed).permutation(len(table.rows)), 1):
        best = row if best < 0 or table.scores[row, 0] > table.scores[best, 0] else best
        yield count + table.epochs - 1, int(best)


def hyperband(table: Table, seed: int) -> Chosen:
    """Optuna's TPE with its Hyperband pruner, both with their defaults but for three as the factor."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = optuna.pruners.HyperbandPruner(1, table.epochs, 3)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed), pruner=pruner)
    spent, best, used, ranges = 0, -1, set[int](), distributions(table.space)
    while len(used) < len(table.rows):
        trial = study.ask(ranges)
        parameters = table.space.parameters
        values = {one.name: trial.params[one.name] if one.kind == "choice" else one.at(trial.params[one.name]) for one in parameters}  # fmt: skip  # noqa: E501
        row = table.nearest(values, used)
        used.add(row)
        pruned = False
        for epoch in range(table.epochs):
            spent += 1
            trial.report(float(table.scores[row, epoch]), epoch + 1)
            if pruned := epoch + 1 < table.epochs and trial.should_prune():
                break
        value = None if pruned else float(table.scores[row, -1])
        study.tell(trial, value, state=optuna.trial.TrialState.PRUNED if pruned else None)
        if not pruned and (best < 0 or table.scores[row, -1] > table.scores[best, -1]):
            best = row
        if best >= 0:
            yield spent, best


STRATEGIES: dict[str, Callable[[Table, int], Chosen]] = {
    "ours": ours, "random": random_search, "hyperband": hyperband, "first_epoch": first_epoch,
}  # fmt: skip


def replay(path: Path, seeds: int, most: int) -> None:
    """Print the median epochs that each strategy needs, their quartiles, and the ratios of the medians."""
    table = Table(path)
    print(f"{len(table.rows)} networks, {table.epochs} epochs, {len(table.good)} count as found")
    found: dict[str, list[int]] = {name: [] for name in STRATEGIES}
    for seed in range(seeds):
        for name, strategy in STRATEGIES.items():
            steps = (spent for spent, row in strategy(table, seed) if row in table.good or spent > most)
            found[name].append(min(next(steps, most), most))
    medians = {name: statistics.median(values) for name, values in found.items()}
    for name, values in found.items():
        low, _, high = statistics.quantiles(values, n=4)
        print(f"{name}: median {medians[name]:.0f} epochs (quartiles {low:.0f} to {high:.0f}), ours / this {medians['ours'] / medians[name]:.2f}")  # fmt: skip  # noqa: E501


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    recording, replaying = verbs.add_parser("record"), verbs.add_parser("replay")
    recording.add_argument("data")
    recording.add_argument("table", type=Path)
    recording.add_argument("--networks", type=int, default=300)
    recording.add_argument("--epochs", type=int, default=9)
    recording.add_argument("--seed", type=int, default=0)
    replaying.add_argument("table", type=Path)
    replaying.add_argument("--seeds", type=int, default=200)
    replaying.add_argument("--epochs", type=int, default=900)
    given = parser.parse_args()
    if given.verb == "record":
        record(given.data, given.table, given.networks, given.epochs, given.seed)
    else:
        replay(given.table, given.seeds, given.epochs)


if __name__ == "__main__":
    main()
