"""Datasets: from files on disk to batches."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convscope.datasets.augment.flip_check import may_mirror
    from convscope.datasets.augment.pipeline import POLICIES, Policy
    from convscope.datasets.batches import Batches, BatchSettings
    from convscope.datasets.class_checks import check_classes, drop_unreadable
    from convscope.datasets.dataset import SPLITS, Dataset, Skipped, split_of
    from convscope.datasets.duplicates import Duplicates, find_duplicates
    from convscope.datasets.inputs.fitting import Fit, fit, visible_share, visible_window
    from convscope.datasets.inputs.image import ImageSpec, decode, pixels_of, read_image
    from convscope.datasets.inputs.image_input import shown_channels
    from convscope.datasets.inputs.registry import INPUT_KINDS
    from convscope.datasets.inputs.settings import InputSettings
    from convscope.datasets.label_conflicts import conflict_note
    from convscope.datasets.object_crops import write_crops
    from convscope.datasets.objects import source_of
    from convscope.datasets.prepared import FeatureBatches, Features, compute_features, max_views_in_memory
    from convscope.datasets.split import Leak, Splits
    from convscope.datasets.statistics import Spread, Summary, channel_statistics, cut_note, summarise
    from convscope.datasets.store.mask_store import build_masks
    from convscope.datasets.store.store import Store, StoreSettings, build_store
    from convscope.datasets.targets.kind import TargetKind
    from convscope.datasets.targets.registry import DEFAULT_KIND, TARGET_KINDS

__all__ = [
    "DEFAULT_KIND",
    "INPUT_KINDS",
    "POLICIES",
    "SPLITS",
    "TARGET_KINDS",
    "BatchSettings",
    "Batches",
    "Dataset",
    "Duplicates",
    "FeatureBatches",
    "Features",
    "Fit",
    "ImageSpec",
    "InputSettings",
    "Leak",
    "Policy",
    "Skipped",
    "Splits",
    "Spread",
    "Store",
    "StoreSettings",
    "Summary",
    "TargetKind",
    "build_masks",
    "build_store",
    "channel_statistics",
    "check_classes",
    "compute_features",
    "conflict_note",
    "cut_note",
    "decode",
    "drop_unreadable",
    "find_duplicates",
    "fit",
    "max_views_in_memory",
    "may_mirror",
    "pixels_of",
    "read_image",
    "shown_channels",
    "source_of",
    "split_of",
    "summarise",
    "visible_share",
    "visible_window",
    "write_crops",
]
HOMES = {
    "augment.flip_check": ("may_mirror",),
    "augment.pipeline": (
        "POLICIES",
        "Policy",
    ),
    "batches": (
        "Batches",
        "BatchSettings",
    ),
    "class_checks": (
        "check_classes",
        "drop_unreadable",
    ),
    "dataset": (
        "SPLITS",
        "Dataset",
        "Skipped",
        "split_of",
    ),
    "duplicates": (
        "Duplicates",
        "find_duplicates",
    ),
    "inputs.fitting": (
        "Fit",
        "fit",
        "visible_share",
        "visible_window",
    ),
    "inputs.image": (
        "ImageSpec",
        "decode",
        "pixels_of",
        "read_image",
    ),
    "inputs.image_input": ("shown_channels",),
    "inputs.registry": ("INPUT_KINDS",),
    "inputs.settings": ("InputSettings",),
    "label_conflicts": ("conflict_note",),
    "object_crops": ("write_crops",),
    "objects": ("source_of",),
    "prepared": (
        "FeatureBatches",
        "Features",
        "compute_features",
        "max_views_in_memory",
    ),
    "split": (
        "Leak",
        "Splits",
    ),
    "statistics": (
        "Spread",
        "Summary",
        "channel_statistics",
        "cut_note",
        "summarise",
    ),
    "store.mask_store": ("build_masks",),
    "store.store": (
        "Store",
        "StoreSettings",
        "build_store",
    ),
    "targets.kind": ("TargetKind",),
    "targets.registry": (
        "DEFAULT_KIND",
        "TARGET_KINDS",
    ),
}
"""The file of each name."""
FILE_OF = {name: file for file, names in HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used (PEP 562): files of this room that only read images need no PyTorch."""
    if name not in FILE_OF:
        raise AttributeError(f"module 'convscope.datasets' has no attribute {name!r}")
    return getattr(import_module(f"convscope.datasets.{FILE_OF[name]}"), name)
