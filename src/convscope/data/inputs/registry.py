"""All kinds of inputs by name. A new kind is one file beside this one and one line here."""

from collections.abc import Mapping
from typing import Any

from convscope.data.inputs.image_input import ImagePreprocessing
from convscope.data.inputs.kind import InputPreprocessing
from convscope.errors import did_you_mean

INPUT_KINDS: dict[str, type[InputPreprocessing]] = {
    ImagePreprocessing.model_fields["kind"].default: ImagePreprocessing,
}


def parse_preprocessing(content: Any) -> Any:
    """A preprocessing from its fields as JSON has them; `kind` says which.

    Raises:
        ValueError: there is no such kind, or the fields are not its own.
    """
    if not isinstance(content, Mapping):
        if isinstance(content, InputPreprocessing):
            return content
        raise ValueError(f"it should be a table of settings, not {content!r}")
    kind = content.get("kind")
    if kind not in INPUT_KINDS:
        raise ValueError(f"no kind of input {kind}{did_you_mean(str(kind), INPUT_KINDS)}")
    return INPUT_KINDS[kind].model_validate(dict(content))
