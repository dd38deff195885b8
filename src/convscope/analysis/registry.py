"""Registry of the explain methods, in the order of listings."""

from convscope.analysis.method import Method
from convscope.analysis.methods import (
    activations,
    attribution,
    class_images,
    embedding,
    filters,
    hierarchy,
    invert,
    maximise,
    neighbours,
    over_time,
    pointing,
    sanity,
    stimuli,
    suggestions,
    timeline,
)
from convscope.errors import ConfigError, did_you_mean

METHODS: dict[str, Method] = {
    "activations": activations.METHOD,
    "filters": filters.METHOD,
    "stimuli": stimuli.METHOD,
    "attribution": attribution.METHOD,
    "invert": invert.METHOD,
    "maximise": maximise.METHOD,
    "class_images": class_images.METHOD,
    "neighbours": neighbours.METHOD,
    "embedding": embedding.METHOD,
    "hierarchy": hierarchy.METHOD,
    "over_time": over_time.METHOD,
    "suggestions": suggestions.METHOD,
    "sanity": sanity.METHOD,
    "pointing": pointing.METHOD,
    "timeline": timeline.METHOD,
}


def method_named(name: str) -> Method:
    """Return a method by its name.

    Raises:
        ConfigError: no such method.
    """
    if name not in METHODS:
        raise ConfigError(f"explain: no method {name[:40]}{did_you_mean(name, METHODS)}")
    return METHODS[name]
