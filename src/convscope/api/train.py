"""Train a network, and resume a training."""

from os import PathLike
from pathlib import Path

from convscope.api.run import Run, print_events
from convscope.datasets import source_of
from convscope.launching.training import training
from convscope.runs.folder import next_name
from convscope.runs.overrides import lay, settings_from_options
from convscope.runs.recipe_file import Settings, as_overrides


def train(
    data: object,
    *,
    out: str | Path | None = None,
    epochs: int | None = None,
    budget: float | str | None = None,
    seed: int | None = None,
    settings: Settings | None = None,
) -> Run:
    """Train a network, print a line per epoch, and return the run.

    Args:
        data: a folder, an archive, a table or a built-in name, as for ``convscope train``; or ``(images, labels)``
            arrays, a dataset of torchvision or Hugging Face, or a mapping from train and test to these, which are
            copied into the cache.
        out: the run's folder; by default runs/NAME-1, -2 ...
        epochs: passes over the training images; by default chosen from the data.
        budget: total wall-clock time, in seconds or like "5m".
        seed: fixes the split, the initial parameters and the order.
        settings: ``{"optimiser.learning_rate": 0.1}``, a nested dictionary, or the path of a recipe.toml.

    Raises:
        ConvscopeError: see its subclasses.
    """
    source = source_of(data)
    arguments = {"epochs": ("train.epochs", epochs), "budget": ("train.budget", budget), "seed": ("seed", seed)}
    given = settings_from_options({f"train(..., {name}=...)": pair for name, pair in arguments.items()})
    overrides = lay(as_overrides(settings, "train(..., settings=...)"), given)
    path = (
        Path(out) if out is not None else next_name(source if isinstance(data, str | PathLike) else type(data).__name__)
    )
    print_events(training(source, path, overrides))
    return Run(path)


def resume(run: str | PathLike[str], *, check_data: bool = False) -> Run:
    """Continue a training that was stopped, print a line per epoch, and return the run.

    On the same machine and versions it ends with the same weights, to the bit, as one that was never stopped.

    Args:
        run: a run or its folder.
        check_data: compare the content of all files with that at the start of the run, instead of that of a sample.

    Raises:
        RunError: there is no such run, or it was stopped before training started.
    """
    return Run(run).resume(check_data=check_data)
