"""Registry of the explain methods, in the order of listings."""

from typing import get_args

from convscope.analysis.method import Method
from convscope.analysis.methods import (
    activations,
    attribution,
    class_images,
    embedding,
    filters,
    gates,
    hierarchy,
    invert,
    maximise,
    neighbours,
    over_time,
    phrases,
    pointing,
    sanity,
    slices,
    stimuli,
    suggestions,
    timeline,
    words,
)
from convscope.errors import ConfigError, closest, did_you_mean

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
    "slices": slices.METHOD,
    "words": words.METHOD,
    "phrases": phrases.METHOD,
    "gates": gates.METHOD,
}


ALIASES = {
    "saliency": "attribution --method input_gradients", "vanilla_gradients": "attribution --method input_gradients",
    "cam": "attribution --method grad_cam", "heatmap": "attribution", "heat_map": "attribution",
    "shap": "attribution", "lime": "attribution", "tsne": "embedding", "t_sne": "embedding", "umap": "embedding",
    "pca": "embedding", "deepdream": "maximise", "deep_dream": "maximise", "feature_visualization": "maximise",
    "feature_maps": "activations", "kernels": "filters", "weights": "filters", "knn": "neighbours",
    "similar": "neighbours", "inversion": "invert", "top_patches": "stimuli",
}  # fmt: skip
"""Other names of what the methods do."""


def no_method(name: str) -> str:
    """Return why there is no method of a name, with the method that is meant."""
    word = name.lower().replace("-", "_")
    parts = {plain.replace("_", ""): plain for plain in get_args(attribution.AttributionName)}
    meant = ALIASES.get(word)
    if meant is None and not closest(word, METHODS) and (near := closest(word.replace("_", ""), parts)):
        meant = f"attribution --method {parts[near]}"
    return f"explain: no method {name[:40]}" + (f"; did you mean {meant}?" if meant else did_you_mean(word, METHODS))


def method_named(name: str) -> Method:
    """Return a method by its name.

    Raises:
        ConfigError: no such method.
    """
    if name not in METHODS:
        raise ConfigError(no_method(name))
    return METHODS[name]
