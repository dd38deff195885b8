"""The types that the verbs return, as ``cs.results``: for annotations and ``isinstance``."""

from convscope.api.arithmetic import Calculation
from convscope.api.augment import AugmentedImages
from convscope.api.baselines import Baselines
from convscope.api.compare import Comparison
from convscope.api.data import DataSummary
from convscope.api.doctor import Installation
from convscope.api.evaluate import Evaluation
from convscope.api.explain import AnalysisResult
from convscope.api.features import Features
from convscope.api.fix import Fix
from convscope.api.predict import Predictions
from convscope.api.robustness import Robustness
from convscope.api.tune import Search
from convscope.diagnosis.diagnosis import Diagnosis
from convscope.lessons import Course, Exercise, Grade, Lesson
from convscope.models import ModelSummary

__all__ = [
    "AnalysisResult",
    "AugmentedImages",
    "Baselines",
    "Calculation",
    "Comparison",
    "Course",
    "DataSummary",
    "Diagnosis",
    "Evaluation",
    "Exercise",
    "Features",
    "Fix",
    "Grade",
    "Installation",
    "Lesson",
    "ModelSummary",
    "Predictions",
    "Robustness",
    "Search",
]
