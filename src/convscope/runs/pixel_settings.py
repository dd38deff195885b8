"""How a data set's files are read as pixels: by the recipe's settings, or as a network was trained on."""

from dataclasses import replace

from convscope.bundle import Preprocessing
from convscope.datasets import Dataset, cut_note
from convscope.errors import ConfigError
from convscope.runs.recipe import DataSettings


def read_with(dataset: Dataset, settings: DataSettings) -> Dataset:
    """Return the data set with the settings' fit, and their range instead of the one that was found.

    Raises:
        ConfigError: black is not less than white.
    """
    black = dataset.black if settings.black == "auto" else (settings.black,) * len(dataset.black)
    white = dataset.white if settings.white == "auto" else (settings.white,) * len(dataset.white)
    if any(low >= high for low, high in zip(black, white, strict=True)):
        raise ConfigError(
            f"data: black is {max(black):g} and white {min(white):g} with what was found in the data; set both"
        )
    return replace(dataset, fit=settings.fit, black=black, white=white)


def read_as(dataset: Dataset, preprocessing: Preprocessing) -> Dataset:
    """Return the data set with its files read as those that a network was trained on."""
    return replace(
        dataset,
        channels=preprocessing.channels,
        white=preprocessing.white,
        black=preprocessing.black,
        alpha=preprocessing.alpha,
        fit=preprocessing.fit,
    )


def cut_notes(dataset: Dataset, settings: DataSettings) -> tuple[str, ...]:
    """Return the note on what a crop loses, if it loses much."""
    note = cut_note(dataset, settings.size)
    return (note,) if note else ()
