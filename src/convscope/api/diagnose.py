"""What is wrong with data or a run, where, and what to change."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from convscope.devices import requested_device
from convscope.diagnosis.diagnosis import Diagnosis, diagnosis_of
from convscope.diagnosis.groups import GROUPS, check_prepared
from convscope.errors import ConfigError, did_you_mean
from convscope.pipeline import data_settings
from convscope.progress import Progress
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import open_source, prepare
from convscope.runs.overrides import Overrides, lay
from convscope.runs.parse import check_overrides
from convscope.runs.pixel_settings import images_only
from convscope.runs.recipe_file import Settings, as_overrides


def diagnose(
    source: str | PathLike[str],
    *,
    checks: Sequence[str] | None = None,
    settings: Settings | None = None,
    on_progress: Progress | None = None,
) -> Diagnosis:
    """Run the checks on a run or on data, and return the findings, worst first.

    Args:
        source: a run or its folder; or data, as for ``convscope train``.
        checks: groups of checks: data, learning, mistakes; by default all that apply. Data have no learning and no
            mistakes.
        settings: of data, as for `cs.train`: how they are read and split.
        on_progress: called with (images decoded, number of images).

    Raises:
        ConfigError: no such group, or one that data do not have.
        RunError, DataError: the run or the data cannot be read.
    """
    path = Path(source).expanduser()
    is_run = (path / "recipe.toml").exists()
    possible = tuple(GROUPS) if is_run else ("data",)
    chosen = tuple(checks) if checks is not None else possible
    for name in chosen:
        if name not in GROUPS:
            raise ConfigError(f"--checks {name}: unknown{did_you_mean(name, GROUPS)}")
        if name not in possible:
            raise ConfigError(
                f"--checks {name}: {source} is data, not a run; give the folder of a run, or --checks data"
            )
    if is_run:
        folder = RunFolder.open(path)
        if folder.data_file.exists():
            images_only(folder.data()["preprocessing"]["kind"], "convscope diagnose", path)
        return diagnosis_of(str(path), chosen, lambda group: GROUPS[group](folder, on_progress))
    overrides = lay(
        as_overrides(settings, "diagnose(..., settings=...)"), Overrides.of({"data": {"source": str(source)}}, "DATA")
    )
    requested = check_overrides(overrides)
    target_kind = requested.task_class.target_kind if "task" in overrides else None
    dataset = open_source(requested.data, target_kind, requested.input)
    images_only(dataset.input_kind, "convscope diagnose", dataset.source)
    _, recipe = data_settings(overrides, dataset, requested_device(requested.train.device))
    prepared = prepare(dataset, recipe.data, recipe.seed, on_progress)
    return diagnosis_of(str(source), chosen, lambda _group: check_prepared(prepared))
