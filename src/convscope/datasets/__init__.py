"""Datasets: from files on disk to batches."""

from convscope.datasets.augment.flip_check import may_mirror
from convscope.datasets.augment.pipeline import POLICIES, Policy, augment
from convscope.datasets.batches import Batches, BatchSettings
from convscope.datasets.class_checks import check_classes, drop_unreadable
from convscope.datasets.dataset import SPLITS, Dataset, Skipped, split_of
from convscope.datasets.duplicates import Duplicates, find_duplicates
from convscope.datasets.inputs.fitting import Fit, fit, visible_share, visible_window
from convscope.datasets.inputs.image import ImageSpec, decode, pixels_of, read_image
from convscope.datasets.inputs.image_input import shown_channels
from convscope.datasets.inputs.registry import INPUT_KINDS
from convscope.datasets.inputs.settings import InputSettings
from convscope.datasets.label_conflicts import conflict_note, label_conflicts
from convscope.datasets.object_crops import write_crops
from convscope.datasets.objects import source_of
from convscope.datasets.prepared import FeatureBatches, Features, compute_features, max_views_in_memory
from convscope.datasets.split import Leak, Splits, split
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
    "augment",
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
    "label_conflicts",
    "max_views_in_memory",
    "may_mirror",
    "pixels_of",
    "read_image",
    "shown_channels",
    "source_of",
    "split",
    "split_of",
    "summarise",
    "visible_share",
    "visible_window",
    "write_crops",
]
