"""The verbs, composed of all other parts; nothing is computed here."""

from convscope.api.augment_preview import augmentation_sheet
from convscope.api.baselines import BASELINES, compare_pretrained, rank, run_baselines, write_baselines
from convscope.api.compare import ComparedRun, compare
from convscope.api.evaluate import evaluate
from convscope.api.explain import AnalysisResult, InputInfo, wrap_module
from convscope.api.features import FeatureTable, features
from convscope.api.inspect import anatomy_page, anatomy_table, as_picture, convolve_file, inspect
from convscope.api.object_crops import write_object_crops
from convscope.api.robustness import robustness
from convscope.api.tensorboard import log_to_tensorboard
from convscope.api.verbs import Run, predict, task_of, train
from convscope.bundle import FailedFile, Prediction
from convscope.pipeline import resuming, training
from convscope.report.report import write_report
from convscope.report.text import as_lines, dataset_rows, plan_rows
from convscope.runs.events import DataLoaded, Event, PlanReady, PretrainedLoaded, TrainingFinished, as_json
from convscope.runs.folder import RunFolder, next_name
from convscope.runs.overrides import (
    Overrides,
    data_source,
    lay,
    nest,
    override,
    settings_from_flags,
    settings_from_options,
)
from convscope.runs.parse import parse_recipe
from convscope.runs.recipe import Recipe
from convscope.runs.recipe_file import Settings, as_overrides, read_recipe
from convscope.tasks import Task
from convscope.training import Epoch, Note, Step

__all__ = [
    "BASELINES",
    "AnalysisResult",
    "ComparedRun",
    "DataLoaded",
    "Epoch",
    "Event",
    "FailedFile",
    "FeatureTable",
    "InputInfo",
    "Note",
    "Overrides",
    "PlanReady",
    "Prediction",
    "PretrainedLoaded",
    "Recipe",
    "Run",
    "RunFolder",
    "Settings",
    "Step",
    "Task",
    "TrainingFinished",
    "anatomy_page",
    "anatomy_table",
    "as_json",
    "as_lines",
    "as_overrides",
    "as_picture",
    "augmentation_sheet",
    "compare",
    "compare_pretrained",
    "convolve_file",
    "data_source",
    "dataset_rows",
    "evaluate",
    "features",
    "inspect",
    "lay",
    "log_to_tensorboard",
    "nest",
    "next_name",
    "override",
    "parse_recipe",
    "plan_rows",
    "predict",
    "rank",
    "read_recipe",
    "resuming",
    "robustness",
    "run_baselines",
    "settings_from_flags",
    "settings_from_options",
    "task_of",
    "train",
    "training",
    "wrap_module",
    "write_baselines",
    "write_object_crops",
    "write_report",
]
