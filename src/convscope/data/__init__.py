"""Files on disk -> batches."""

from convscope.data.augment.flip_check import may_mirror
from convscope.data.augment.pipeline import POLICIES, Policy, augment
from convscope.data.batches import Batches, BatchSettings
from convscope.data.class_checks import check_classes, drop_unreadable
from convscope.data.dataset import SPLITS, Dataset, Skipped, split_of
from convscope.data.duplicates import Duplicates, find_duplicates
from convscope.data.inputs.image import fit, pixels_of, read_image, visible_window
from convscope.data.inputs.registry import INPUT_KINDS
from convscope.data.layouts.builtin import BUILTINS, digits, shapes
from convscope.data.layouts.class_folders import read_folder
from convscope.data.layouts.csv_columns import Columns
from convscope.data.layouts.drawn_shapes import Shapes, draw_shapes
from convscope.data.layouts.mask_folders import read_masks
from convscope.data.layouts.recognise import open_data, recognise
from convscope.data.layouts.registry import LAYOUTS
from convscope.data.layouts.table import read_table
from convscope.data.object_crops import write_crops
from convscope.data.prepared import FeatureBatches, Features, compute_features, max_views_in_memory
from convscope.data.split import Leak, Splits, split
from convscope.data.statistics import Spread, Summary, channel_statistics, summarise
from convscope.data.store.mask_store import build_masks
from convscope.data.store.store import Store, StoreSettings, build_store
from convscope.data.targets.kind import TargetKind
from convscope.data.targets.registry import DEFAULT_KIND, TARGET_KINDS

__all__ = [
    "BUILTINS",
    "DEFAULT_KIND",
    "INPUT_KINDS",
    "LAYOUTS",
    "POLICIES",
    "SPLITS",
    "TARGET_KINDS",
    "BatchSettings",
    "Batches",
    "Columns",
    "Dataset",
    "Duplicates",
    "FeatureBatches",
    "Features",
    "Leak",
    "Policy",
    "Shapes",
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
    "digits",
    "draw_shapes",
    "drop_unreadable",
    "find_duplicates",
    "fit",
    "max_views_in_memory",
    "may_mirror",
    "open_data",
    "pixels_of",
    "read_folder",
    "read_image",
    "read_masks",
    "read_table",
    "recognise",
    "shapes",
    "split",
    "split_of",
    "summarise",
    "visible_window",
    "write_crops",
]
