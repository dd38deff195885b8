"""The class names that Hugging Face's datasets write into the metadata of Parquet files."""

import json
from contextlib import suppress
from typing import Any

_CLASS_LABEL = "ClassLabel"


def class_label_features(metadata: Any) -> dict[str, Any]:
    """Column -> its feature, of columns with class labels, from the metadata of a file's schema."""
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {column: feature for column, feature in features.items() if _CLASS_LABEL in json.dumps(feature)}
    return {}


def with_class_names(value: Any, feature: Any) -> Any:
    """A value with the integers of class labels replaced by their names, also in lists and structures."""
    if isinstance(feature, list):
        feature = feature[0] if feature else None
    inner = feature["feature"] if isinstance(feature, dict) and "feature" in feature else feature
    if isinstance(value, list):
        return [with_class_names(one, inner) for one in value]
    if not isinstance(inner, dict):
        return value
    if isinstance(value, dict):
        return {name: with_class_names(one, inner.get(name)) for name, one in value.items()}
    if inner.get("_type") != _CLASS_LABEL or isinstance(value, bool) or not isinstance(value, int):
        return value
    names = inner.get("names")
    known = dict(enumerate(names)) if isinstance(names, list) else names if isinstance(names, dict) else {}
    return known.get(value, known.get(str(value), "" if value == -1 else value))
