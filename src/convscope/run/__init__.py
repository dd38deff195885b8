"""The verbs, composed of all other parts; nothing is computed here."""

from convscope.deploy import Prediction, Refused
from convscope.run.augmented import augmented
from convscope.run.compare import Compared, compare
from convscope.run.contest import RECIPES, contest, standings, versus, write_contest
from convscope.run.cropped import cropped
from convscope.run.evaluate import evaluate
from convscope.run.events import Adopted, Event, Finished, Found, Planned, as_json
from convscope.run.explain import About, Seen, own_module
from convscope.run.features import Vectors, features
from convscope.run.folder import RunFolder, next_name
from convscope.run.inspect import anatomy_page, anatomy_table, as_picture, convolved, inspect
from convscope.run.lines import as_lines, found_rows, planned_rows
from convscope.run.proof import span
from convscope.run.recipe import Recipe
from convscope.run.report import write_report
from convscope.run.said import complete, nested, over, read_recipe, settings_from_flags, source_of
from convscope.run.tensorboard import logged
from convscope.run.tolerance import tolerance
from convscope.run.train import resuming, training
from convscope.run.verbs import Run, predict, task_of, train
from convscope.tasks import Task
from convscope.train import Epoch, Note, Step

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
    "span",
    "standings",
    "task_of",
    "tolerance",
    "train",
    "training",
    "versus",
    "write_contest",
    "write_report",
]
