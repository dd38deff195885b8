"""What the JSON files of a run contain: objects with checked keys and types, since anybody may have edited them."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ValidationError

from convscope.datasets.inputs.registry import parse_preprocessing
from convscope.datasets.targets.registry import TARGET_KINDS
from convscope.errors import RunError, did_you_mean
from convscope.validation import first_problem

Number = float | None


class Record(dict[str, Any]):
    """An object of a file; a key that it does not have is an error that names the file."""

    def __init__(self, content: dict[str, Any], file: Path) -> None:
        super().__init__({name: record(value, file) for name, value in content.items()})
        self.file = file

    def __missing__(self, key: str) -> Any:
        raise RunError(f"{self.file}: has no {key} where it should, so the run cannot be used; restore the file")


def record(value: Any, file: Path) -> Any:
    """A JSON value with each object in it as a `Record`."""
    if isinstance(value, dict):
        return Record(value, file)
    return [record(one, file) for one in value] if isinstance(value, list) else value


class Fields(BaseModel, strict=True, extra="allow"):
    """Types of the keys that an object may have; whether it has them is asked when they are used."""


def _known_target(kind: str) -> str:
    if kind not in TARGET_KINDS:
        raise ValueError(f"no kind of target {kind}{did_you_mean(kind, TARGET_KINDS)}")
    return kind


def _readable_input(content: dict[str, Any]) -> dict[str, Any]:
    try:
        parse_preprocessing(content)
    except ValidationError as error:
        problem = first_problem(error)
        raise ValueError(f"{problem.name}: {problem.why}" if problem.name else problem.why) from None
    return content


class ClassFields(Fields):
    """A class, label or number of the data."""

    name: str = ""
    images: int = 0


class SummaryFields(Fields):
    """The summary of the data, see docs/reference/data-json.md."""

    source: str = ""
    layout: str = ""
    because: str = ""
    task: str = ""
    target_kind: str = ""
    input_kind: str = ""
    images: int = 0
    classes: list[ClassFields] = []
    imbalance: Number = None
    splits: dict[str, Any] = {}
    size: dict[str, dict[str, Number]] = {}
    channels: int = 0
    modes: dict[str, int] = {}
    input: dict[str, Any] = {}
    pixels: str | None = None
    skipped: list[dict[str, str]] = []
    notes: list[str] = []


class DataFields(Fields):
    """``data.json``."""

    summary: SummaryFields = SummaryFields()
    source: str = ""
    layout: str = ""
    target_kind: Annotated[str, AfterValidator(_known_target)] = ""
    fingerprint: str = ""
    content: dict[str, str] = {}
    classes: list[str] = []
    preprocessing: Annotated[dict[str, Any], AfterValidator(_readable_input)] = {}
    splits: dict[str, list[str]] = {}
    leaks: list[dict[str, Any]] = []
    notes: list[str] = []


class GridFields(Fields):
    """The electricity of an `energy.Energy.record`."""

    name: str
    grams_per_kwh: float
    year: int


class EnergyFields(Fields):
    """An `energy.Energy.record`."""

    wh: float
    low: float
    high: float
    measured: bool
    method: str
    grams_co2e: float
    electricity: GridFields


class EnvironmentFields(Fields):
    """``environment.json``."""

    threads: int = 0
    seconds: float = 0.0
    energy: EnergyFields | None = None


class EventFields(Fields):
    """A line of ``events.jsonl`` and of ``confusions.jsonl``; other keys belong to the type of the event."""

    event: str = ""
    epoch: int = 0
    step: int = 0
    seconds: Number = None
    train: dict[str, Number] = {}
    validation: dict[str, Number] = {}
    learning_rate: Number = None
    kind: str = ""
    text: str = ""
    layers: list[dict[str, Any]] = []
    loss: Number = None


FILES: dict[str, type[Fields]] = {"data.json": DataFields, "environment.json": EnvironmentFields}
"""By name; other files are objects of any content."""


def checked(content: Any, file: Path) -> Record:
    """The object of a file.

    Raises:
        RunError: it is no object, or a value in it has another type than it was written with.
    """
    if not isinstance(content, dict):
        raise RunError(f"{file}: holds no object, so the run cannot be used; restore the file")
    try:
        if file.name in FILES:
            FILES[file.name].model_validate(content)
    except ValidationError as error:
        problem = first_problem(error)
        raise RunError(f"{file}: {problem.name}: {problem.why}; restore the file") from None
    return Record(content, file)


def is_event(line: Any) -> bool:
    """Whether a line has the types that events are written with; lines that an edit has broken are skipped."""
    try:
        EventFields.model_validate(line)
    except ValidationError:
        return False
    return True
