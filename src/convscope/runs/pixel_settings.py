"""How a data set's files are read as pixels, by the recipe's settings."""

from dataclasses import replace

from convscope.datasets import INPUT_KINDS, Dataset, InputSettings
from convscope.datasets.inputs.image_input import IMAGE
from convscope.datasets.name_groups import group_by_name
from convscope.errors import ConfigError
from convscope.runs.recipe import DataSettings

_OF_IMAGES, _OF_RANGES = ("fit", "shown_channels"), ("black", "white")


def read_with(dataset: Dataset, settings: DataSettings, inputs: InputSettings) -> Dataset:
    """Return the data set with the settings' fit, range and groups, and with those of inputs that are not images.

    Raises:
        ConfigError: black is not less than white, or a setting does not apply to this kind of input.
    """
    if settings.group:
        dataset = group_by_name(dataset, settings.group)
    if inputs.kind not in ("", dataset.input_kind):
        held = INPUT_KINDS[dataset.input_kind].nouns[1]
        raise ConfigError(f"input.kind is {inputs.kind!r}, but {dataset.source} holds {held}; remove it")
    dataset = INPUT_KINDS[dataset.input_kind].with_settings(dataset, inputs)
    _check_applies(dataset, settings)
    dataset = _with_shown_channels(dataset, settings.shown_channels)
    if not INPUT_KINDS[dataset.input_kind].ranged:
        return dataset
    black = dataset.black if settings.black == "auto" else (settings.black,) * len(dataset.black)
    white = dataset.white if settings.white == "auto" else (settings.white,) * len(dataset.white)
    if any(low >= high for low, high in zip(black, white, strict=True)):
        raise ConfigError(
            f"data: black is {max(black):g} and white {min(white):g} with what was found in the data; set both"
        )
    return replace(dataset, fit=settings.fit, black=black, white=white)


def _with_shown_channels(dataset: Dataset, chosen: tuple[int, ...]) -> Dataset:
    if chosen and max(chosen) >= dataset.channels:
        raise ConfigError(
            f"data.shown_channels is {list(chosen)}, but the channels of {dataset.source} are 0 to "
            f"{dataset.channels - 1}; choose among them"
        )
    return replace(dataset, shown_channels=chosen)


def images_only(input_kind: str, what: str, source: object) -> None:
    """Check that the inputs are images.

    Args:
        input_kind: one of `INPUT_KINDS`.
        what: what needs images, such as an option or a command.
        source: the data or the run, for the message.

    Raises:
        ConfigError: they are of another kind.
    """
    if input_kind != IMAGE:
        raise ConfigError(f"{what} is for images, and {source} holds {INPUT_KINDS[input_kind].nouns[1]}")


def _check_applies(dataset: Dataset, settings: DataSettings) -> None:
    ranged = INPUT_KINDS[dataset.input_kind].ranged
    for name in () if dataset.input_kind == IMAGE else (*_OF_IMAGES, *(() if ranged else _OF_RANGES)):
        value = getattr(settings, name)
        if value != DataSettings.model_fields[name].default:
            noun = INPUT_KINDS[dataset.input_kind].nouns[1]
            raise ConfigError(f"data.{name} is {value!r}, but {dataset.source} holds {noun}; remove it")


def cut_notes(dataset: Dataset, settings: DataSettings) -> tuple[str, ...]:
    """Return the note on what a crop loses, if it loses much."""
    note = INPUT_KINDS[dataset.input_kind].cut_note(dataset, settings.size)
    return (note,) if note else ()
