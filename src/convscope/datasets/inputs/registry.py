"""All kinds of input by name. A new kind is one file in this folder and one line here."""

from collections.abc import Mapping
from typing import Any

from convscope.datasets.inputs.image_input import IMAGE, ImagePreprocessing
from convscope.datasets.inputs.kind import InputPreprocessing
from convscope.datasets.inputs.series import SERIES, SeriesPreprocessing
from convscope.datasets.inputs.sound import SoundPreprocessing
from convscope.datasets.inputs.sound_reading import SOUND, WAVE
from convscope.datasets.inputs.sound_wave import WavePreprocessing
from convscope.datasets.inputs.text import TextPreprocessing
from convscope.datasets.inputs.text_reading import TEXT
from convscope.datasets.inputs.volume import VolumePreprocessing
from convscope.datasets.inputs.volume_files import VOLUME
from convscope.errors import did_you_mean

INPUT_KINDS: dict[str, type[InputPreprocessing]] = {
    IMAGE: ImagePreprocessing,
    SERIES: SeriesPreprocessing,
    SOUND: SoundPreprocessing,
    WAVE: WavePreprocessing,
    TEXT: TextPreprocessing,
    VOLUME: VolumePreprocessing,
}


def parse_preprocessing(content: Any) -> Any:
    """Build a preprocessing from its JSON fields, by `kind`.

    Raises:
        ValueError: the kind does not exist, or the fields are invalid.
    """
    if not isinstance(content, Mapping):
        if isinstance(content, InputPreprocessing):
            return content
        raise ValueError(f"it should be a table of settings, not {content!r}")
    kind = content.get("kind")
    if kind not in INPUT_KINDS:
        raise ValueError(f"no kind of input {kind}{did_you_mean(str(kind), INPUT_KINDS)}")
    return INPUT_KINDS[kind].model_validate(dict(content))
