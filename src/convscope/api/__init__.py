"""The public Python API: one typed function per command, and the run as an object."""

from convscope.api import results
from convscope.api.arithmetic import Calculation, arithmetic
from convscope.api.augment import AugmentedImages, augment
from convscope.api.baselines import BASELINES, Baselines, baselines, run_baselines
from convscope.api.compare import ComparedRun, Comparison, compare
from convscope.api.convolve import as_picture, convolve
from convscope.api.crop import crop
from convscope.api.data import DataSummary, data
from convscope.api.diagnose import diagnose
from convscope.api.doctor import Installation, doctor
from convscope.api.evaluate import Evaluation, evaluate
from convscope.api.explain import AnalysisResult, InputInfo, explain, wrap_module
from convscope.api.export import export
from convscope.api.features import Features, features
from convscope.api.fix import Fix, fix
from convscope.api.inspect import (
    inspect,
    kernels_table,
    summary_folds,
    summary_page,
    summary_stages,
    summary_table,
)
from convscope.api.learn import (
    Course,
    Exercise,
    LearnerRecord,
    Lesson,
    SessionResult,
    learn,
    outcomes,
    practise,
    write_sheet,
)
from convscope.api.predict import Predictions, Predictor, open_predictor, predict, task_of
from convscope.api.report import report
from convscope.api.robustness import Robustness, robustness
from convscope.api.run import Run
from convscope.api.tensorboard import log_to_tensorboard
from convscope.api.train import resume, train
from convscope.api.tune import Search, next_search, tune
from convscope.diagnosis.diagnosis import Diagnosis
from convscope.durations import format_seconds
from convscope.launching.training import resuming, training
from convscope.models import ModelSummary
from convscope.predictions import Prediction
from convscope.predictions.files import FailedFile
from convscope.predictions.sources import count_sources, find_sources, names_of
from convscope.predictions.table import Written, write_csv, write_predictions
from convscope.reports.data_table import class_table, data_rows, remark_rows
from convscope.reports.report import write_report
from convscope.reports.text import as_lines, data_lines, plan_rows
from convscope.runs.events import (
    DataLoaded,
    Event,
    PlanReady,
    PretrainedLoaded,
    ProblemFound,
    TrainingFinished,
    as_json,
    data_fields,
)
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
from convscope.tuning.events import SearchEvent, SearchFinished, SearchReady, TrainingStarted, TrialEnded
from convscope.tuning.optuna_study import export_study, is_complete
from convscope.tuning.request import SearchRequest
from convscope.tuning.search import continuing, searching
from convscope.tuning.summary import cells_of as trial_cells
from convscope.tuning.summary import columns as search_columns
from convscope.tuning.text import EventText, of_search
from convscope.tuning.text import as_json as search_event_json

__all__ = [
    "BASELINES",
    "AnalysisResult",
    "AugmentedImages",
    "Baselines",
    "Calculation",
    "ComparedRun",
    "Comparison",
    "Course",
    "DataLoaded",
    "DataSummary",
    "Diagnosis",
    "Epoch",
    "Evaluation",
    "Event",
    "EventText",
    "Exercise",
    "FailedFile",
    "Features",
    "Fix",
    "InputInfo",
    "Installation",
    "LearnerRecord",
    "Lesson",
    "ModelSummary",
    "Note",
    "Overrides",
    "PlanReady",
    "Prediction",
    "Predictions",
    "Predictor",
    "PretrainedLoaded",
    "ProblemFound",
    "Recipe",
    "Robustness",
    "Run",
    "RunFolder",
    "Search",
    "SearchEvent",
    "SearchFinished",
    "SearchReady",
    "SearchRequest",
    "SessionResult",
    "Settings",
    "Step",
    "Task",
    "TrainingFinished",
    "TrainingStarted",
    "TrialEnded",
    "Written",
    "arithmetic",
    "as_json",
    "as_lines",
    "as_overrides",
    "as_picture",
    "augment",
    "baselines",
    "class_table",
    "compare",
    "continuing",
    "convolve",
    "count_sources",
    "crop",
    "data",
    "data_fields",
    "data_lines",
    "data_rows",
    "data_source",
    "diagnose",
    "doctor",
    "evaluate",
    "explain",
    "export",
    "export_study",
    "features",
    "find_sources",
    "fix",
    "format_seconds",
    "inspect",
    "is_complete",
    "kernels_table",
    "lay",
    "learn",
    "log_to_tensorboard",
    "names_of",
    "nest",
    "next_name",
    "next_search",
    "of_search",
    "open_predictor",
    "outcomes",
    "override",
    "parse_recipe",
    "plan_rows",
    "practise",
    "predict",
    "read_recipe",
    "remark_rows",
    "report",
    "results",
    "resume",
    "resuming",
    "robustness",
    "run_baselines",
    "search_columns",
    "search_event_json",
    "searching",
    "settings_from_flags",
    "settings_from_options",
    "summary_folds",
    "summary_page",
    "summary_stages",
    "summary_table",
    "task_of",
    "train",
    "training",
    "trial_cells",
    "tune",
    "wrap_module",
    "write_csv",
    "write_predictions",
    "write_report",
    "write_sheet",
]
