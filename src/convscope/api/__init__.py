"""The verbs, composed of all other parts; nothing is computed here."""

from convscope.api.augment_preview import augmented
from convscope.api.baselines import RECIPES, contest, standings, versus, write_contest
from convscope.api.compare import Compared, compare
from convscope.api.evaluate import evaluate
from convscope.api.explain import About, Seen, own_module
from convscope.api.features import Vectors, features
from convscope.api.inspect import anatomy_page, anatomy_table, as_picture, convolved, inspect
from convscope.api.object_crops import cropped
from convscope.api.robustness import tolerance
from convscope.api.tensorboard import logged
from convscope.api.verbs import Run, predict, task_of, train
from convscope.bundle import Prediction, Refused
from convscope.pipeline.train import resuming, training
from convscope.report.report import write_report
from convscope.report.text import as_lines, found_rows, planned_rows
from convscope.runs.events import Adopted, Event, Finished, Found, Planned, as_json
from convscope.runs.folder import RunFolder, next_name
from convscope.runs.overrides import complete, nested, over, read_recipe, settings_from_flags, source_of
from convscope.runs.recipe import Recipe
from convscope.tasks import Task
from convscope.training import Epoch, Note, Step

__all__ = [
    "RECIPES",
    "About",
    "Adopted",
    "Compared",
    "Epoch",
    "Event",
    "Finished",
    "Found",
    "Note",
    "Planned",
    "Prediction",
    "Recipe",
    "Refused",
    "Run",
    "RunFolder",
    "Seen",
    "Step",
    "Task",
    "Vectors",
    "anatomy_page",
    "anatomy_table",
    "as_json",
    "as_lines",
    "as_picture",
    "augmented",
    "compare",
    "complete",
    "contest",
    "convolved",
    "cropped",
    "evaluate",
    "features",
    "found_rows",
    "inspect",
    "logged",
    "nested",
    "next_name",
    "over",
    "own_module",
    "planned_rows",
    "predict",
    "read_recipe",
    "resuming",
    "settings_from_flags",
    "source_of",
    "standings",
    "task_of",
    "tolerance",
    "train",
    "training",
    "versus",
    "write_contest",
    "write_report",
]
