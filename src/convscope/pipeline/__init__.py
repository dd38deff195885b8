"""Training end to end: from a data source to a finished run folder."""

from convscope.pipeline.defaults import augmentation_for, size_for
from convscope.pipeline.resolve import data_settings, draft_recipe, resolve_recipe, task_of_target_kind
from convscope.pipeline.train import preparing, resuming, training

__all__ = [
    "augmentation_for",
    "data_settings",
    "draft_recipe",
    "preparing",
    "resolve_recipe",
    "resuming",
    "size_for",
    "task_of_target_kind",
    "training",
]
