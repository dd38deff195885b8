"""Training of any network with any batches and loss: a loop that yields records and leaves the rest to the caller."""

from convscope.training.checkpoint import load, save
from convscope.training.compile import Compiled, CompileMode, seconds_per_step
from convscope.training.early_stopping import EarlyStopping
from convscope.training.ema import ExponentialAverage
from convscope.training.finetuning import (
    FinetuningPlan,
    PlanPart,
    PlanSettings,
    UnfreezingCheck,
    build_plan_optimiser,
    digest,
    digests,
    freeze,
    make_plan,
    num_fixed,
)
from convscope.training.global_batch import NormStatistics
from convscope.training.init import INITIALISERS, fitting_initialisers, initialise
from convscope.training.layer_stats import LayerReport, Observer, gradient_norms, measure_layers, observe
from convscope.training.linear_probe import LinearProbe, ProbeSettings, fit_probe, folds, mixed_order, neighbour_votes
from convscope.training.loop import BatchSource, Epoch, Evaluate, Note, Step, closing_iterator, run, scores, train_mode
from convscope.training.lr_range_test import RangeSettings, RangeTest, learning_rate_range_test
from convscope.training.muon import muon_parameters
from convscope.training.optimisers import OPTIMISERS, OptimiserSettings, build_optimiser, set_learning_rate
from convscope.training.overfitting import overfitting_from
from convscope.training.partition import forward_parts, is_part_chain, new_layers, num_parameters, parts, weight_layers
from convscope.training.precision import Precision, computes_bfloat16, in_float32, precision_context
from convscope.training.processes import ONE_PROCESS, Processes, ProcessGroup
from convscope.training.schedules import (
    SHAPES,
    PlateauSchedule,
    Schedule,
    ScheduleSettings,
    build_schedule,
    by_clock,
    by_steps,
)
from convscope.training.seeding import deterministic, random_states, seed_everything, set_random_states
from convscope.training.state import State, StepSettings
from convscope.training.step import Loss
from convscope.training.time_budget import TimeBudget

__all__ = [
    "INITIALISERS",
    "ONE_PROCESS",
    "OPTIMISERS",
    "SHAPES",
    "BatchSource",
    "CompileMode",
    "Compiled",
    "EarlyStopping",
    "Epoch",
    "Evaluate",
    "ExponentialAverage",
    "FinetuningPlan",
    "LayerReport",
    "LinearProbe",
    "Loss",
    "NormStatistics",
    "Note",
    "Observer",
    "OptimiserSettings",
    "PlanPart",
    "PlanSettings",
    "PlateauSchedule",
    "Precision",
    "ProbeSettings",
    "ProcessGroup",
    "Processes",
    "RangeSettings",
    "RangeTest",
    "Schedule",
    "ScheduleSettings",
    "State",
    "Step",
    "StepSettings",
    "TimeBudget",
    "UnfreezingCheck",
    "build_optimiser",
    "build_plan_optimiser",
    "build_schedule",
    "by_clock",
    "by_steps",
    "closing_iterator",
    "computes_bfloat16",
    "deterministic",
    "digest",
    "digests",
    "fit_probe",
    "fitting_initialisers",
    "folds",
    "forward_parts",
    "freeze",
    "gradient_norms",
    "in_float32",
    "initialise",
    "is_part_chain",
    "learning_rate_range_test",
    "load",
    "make_plan",
    "measure_layers",
    "mixed_order",
    "muon_parameters",
    "neighbour_votes",
    "new_layers",
    "num_fixed",
    "num_parameters",
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
    "train_mode",
    "weight_layers",
]
