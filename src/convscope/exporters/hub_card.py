"""The model card of the Hugging Face Hub: a YAML head, and what a person needs to judge and use a network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from convscope.diagnosis.groups import stored_findings
from convscope.errors import RunError
from convscope.exporters.proof import Parity
from convscope.exporters.source import Source
from convscope.printable import printable
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import SPLITS
from convscope.runs.predictions import SplitPredictions, load_predictions
from convscope.tasks import Interval, Table

MOST_FINDINGS = 5
MOST_ROWS = 30
HUB_LICENCES = {"Apache-2.0": "apache-2.0", "MIT": "mit", "BSD-3-Clause": "bsd-3-clause", "CC-BY-4.0": "cc-by-4.0"}
"""The Hub's names of licences that the origin of weights may have."""


def card(source: Source, run: RunFolder | None, parity: Parity) -> str:
    """The content of ``README.md``; of a saved model, which has no run, without data and scores."""
    predictions = None if run is None else _predictions(run, source)
    parts = [_head(source, predictions), _title(source), _use(source)]
    if run is not None:
        parts.append(_data(run))
    if predictions is not None and run is not None:
        parts += [_scores(run, predictions), _failures(run, predictions)]
    parts += [_origin(source), _proof(source, parity)]
    return "\n".join(parts)


def _predictions(run: RunFolder, source: Source) -> SplitPredictions | None:
    try:
        return load_predictions(run, "validation", source.config.tta_views)
    except RunError:  # stopped before its end
        return None


def _head(source: Source, predictions: SplitPredictions | None) -> str:
    """The YAML head, which the Hub reads to file and to compare models."""
    config, task = source.config, source.task
    licence = config.origin.get("licence", "")
    head: dict[str, Any] = {
        "library_name": "convscope",
        "license": HUB_LICENCES.get(licence, "other" if licence else "unknown"),
    }
    if licence and licence not in HUB_LICENCES:
        head["license_name"] = printable(str(licence))
    if task.hub_task:
        head["pipeline_tag"] = task.hub_task
    head["tags"] = ["convscope", "convolutional-neural-network", config.architecture.name]
    if predictions is not None and task.hub_task:
        head["model-index"] = [_index(source, predictions)]
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    return f"---\n{text}---\n"


def _index(source: Source, predictions: SplitPredictions) -> dict[str, Any]:
    task, scores = source.task, predictions.meter.scores()
    data = printable(str(source.card.get("data", "data")))
    metric = {
        "type": task.primary,
        "value": round(float(scores[task.primary]), 6),
        "name": f"validation {task.primary}",
    }
    dataset = {"name": data, "type": data, "split": "validation"}
    result = {"task": {"type": task.hub_task}, "dataset": dataset, "metrics": [metric]}
    return {"name": f"{source.config.architecture.name} on {data}", "results": [result]}


def _title(source: Source) -> str:
    config = source.config
    height, width = config.preprocessing.size
    where = f" on {printable(str(source.card['data']))}" if source.card else ""
    names = ", ".join(printable(name) for name in config.classes[:MOST_ROWS])
    more = f" and {len(config.classes) - MOST_ROWS:,} more" if len(config.classes) > MOST_ROWS else ""
    return (
        f"# {config.architecture.name}{where}\n\n"
        f"A convolutional network for the task {config.task}, of {config.num_parameters:,} parameters, for "
        f"images of {config.preprocessing.channels} channel{'s' if config.preprocessing.channels > 1 else ''}, "
        f"which are resized to {height} x {width}. Trained with convscope.\n\nClasses or outputs: {names}{more}.\n"
    )


def _use(source: Source) -> str:
    views = "" if source.config.tta_views == "1" else " Test-time augmentation is on by default."
    return (
        "## Use\n\n```python\nimport convscope as cs\nfrom huggingface_hub import snapshot_download\n"
        'print(cs.predict(snapshot_download("USER/NAME"), "photo.jpg"))\n```\n\n'
        "Opening the files runs no code from this repository: the weights are safetensors, and the architecture is "
        f"plain JSON. Files of any size are resized and normalised as in training.{views}\n"
    )


def _data(run: RunFolder) -> str:
    content = run.data()
    summary, splits = content["summary"], content["splits"]
    counts = ", ".join(f"{len(splits[split]):,} {split}" for split in SPLITS)
    name = printable(Path(str(content["source"])).name)
    text = f"## Data\n\n{name}: {counts} images. Fingerprint `{content['fingerprint']}`.\n"
    remarks = [f"- {printable(str(note))}" for note in summary.get("notes", [])]
    rows = [[one["name"], *(one.get(split, 0) for split in SPLITS)] for one in summary.get("classes", [])]
    table = _table(("class", *SPLITS), rows) if rows else ""
    return "\n".join(part for part in (text, table, "\n".join(remarks) + "\n" if remarks else "") if part)


def _scores(run: RunFolder, predictions: SplitPredictions) -> str:
    task, scores = predictions.task, predictions.meter.scores()
    interval = task.interval(predictions.meter)
    within = "" if interval is None else f" (95 % interval {interval.low:.4f} to {interval.high:.4f})"
    lines = [
        f"- validation {name}: {value:.4f}{within if name == task.primary else ''}" for name, value in scores.items()
    ]
    for number, record in enumerate(run.test_evaluations(), 1):
        band = record.get("interval")
        within = f" (95 % interval {band[0]:.4f} to {band[1]:.4f})" if band else ""
        lines.append(f"- test {task.primary}, evaluation {number}: {record[task.primary]:.4f}{within}")
    note = (
        "The epoch was selected on the validation images, so their scores are optimistic. "
        + ("Only the first evaluation on the test images is unbiased." if run.test_evaluations() else "")
    ).strip()
    tables = [part for part in task.sections(predictions.meter) if isinstance(part, Table)][:1]
    shown = [f"### {one.title}\n\n{_table(one.columns, one.rows)}" for one in tables]
    return "\n".join(["## Scores\n", *lines, "", f"{note}\n", *shown])


def _failures(run: RunFolder, predictions: SplitPredictions) -> str:
    found = stored_findings(run, predictions)[:MOST_FINDINGS]
    lines = [f"- {printable(one.where)}: {printable(one.message)}" for one in found]
    return "\n".join(["## What fails\n", *(lines or ["- `convscope diagnose` found nothing wrong."]), ""])


def _origin(source: Source) -> str:
    origin = source.config.origin
    if not origin:
        return (
            "## Licence and origin\n\nTrained from scratch. The licence of this network is not stated; "
            "set `license` in the head of this file before you publish it.\n"
        )
    lines = [f"- {name}: {printable(str(value))}" for name, value in origin.items() if value not in ("", None)]
    return "\n".join(["## Licence and origin\n", "Fine-tuned from pretrained weights:\n", *lines, ""])


def _proof(source: Source, parity: Parity) -> str:
    versions = ", ".join(f"{name} {source.card[name]}" for name in ("convscope", "torch") if source.card.get(name))
    by = f" Written with {versions}." if versions else ""
    return f"## Proof\n\nThese files were opened and compared with the run: {parity}.{by}\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table of the first `MOST_ROWS` rows."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        lines.append(f"\n{len(rows) - MOST_ROWS:,} more rows are left out.")
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, Interval):
        return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})" if value.value == value.value else ""
    if isinstance(value, float):
        return f"{value:.3f}" if value == value else ""
    return f"{value:,}" if isinstance(value, int) else printable(str(value)).replace("|", "\\|")
