"""Training: any network, any batches, any loss; a loop that tells what happened and leaves the rest to its caller."""

from convscope.training.checkpoint import load, save
from convscope.training.compile import Compiled, Compiling, seconds_per_step
from convscope.training.early_stopping import Patience
from convscope.training.ema import Average
from convscope.training.finetuning import (
    Plan,
    PlanSettings,
    Row,
    Watch,
    build_plan_optimiser,
    digest,
    digests,
    freeze,
    make_plan,
    standing,
)
from convscope.training.init import INITIALISERS, fitting_initialisers, initialise
from convscope.training.layer_stats import LayerReport, Observer, gradient_norms, observe
from convscope.training.loop import Batches, Epoch, Evaluate, Note, Step, closed, mode, run, scores
from convscope.training.lr_range_test import RangeSettings, RangeTest, learning_rate_range_test
from convscope.training.muon import turned
from convscope.training.optimisers import OPTIMISERS, OptimiserSettings, build_optimiser, set_learning_rate
from convscope.training.overfitting import overfitting_from
from convscope.training.partition import is_chain, new_layers, parts, through, weighted
from convscope.training.precision import Precision, computes_bfloat16, in_float32, precision_context
from convscope.training.schedules import SHAPES, Plateau, Schedule, ScheduleSettings, build_schedule, by_clock, by_steps
from convscope.training.seeding import deterministic, random_states, seed_everything, set_random_states
from convscope.training.state import State, StepSettings
from convscope.training.step import Loss
from convscope.training.time_budget import Clock

__all__ = [
    "INITIALISERS",
    "OPTIMISERS",
    "SHAPES",
    "Average",
    "Batches",
    "Clock",
    "Compiled",
    "Compiling",
    "Epoch",
    "Evaluate",
    "LayerReport",
    "Loss",
    "Note",
    "Observer",
    "OptimiserSettings",
    "Patience",
    "Plan",
    "PlanSettings",
    "Plateau",
    "Precision",
    "RangeSettings",
    "RangeTest",
    "Row",
    "Schedule",
    "ScheduleSettings",
    "State",
    "Step",
    "StepSettings",
    "Watch",
    "build_optimiser",
    "build_plan_optimiser",
    "build_schedule",
    "by_clock",
    "by_steps",
    "closed",
    "computes_bfloat16",
    "deterministic",
    "digest",
    "digests",
    "fitting_initialisers",
    "freeze",
    "gradient_norms",
    "in_float32",
    "initialise",
    "is_chain",
    "learning_rate_range_test",
    "load",
    "make_plan",
    "mode",
    "new_layers",
    "observe",
    "overfitting_from",
    "parts",
    "precision_context",
    "random_states",
    "run",
    "save",
    "scores",
    "seconds_per_step",
    "seed_everything",
    "set_learning_rate",
    "set_random_states",
    "standing",
    "through",
    "turned",
    "weighted",
]
