"""Seeing inside a run's network, or any other: what `convscope.explain` finds, as images, numbers, text."""

from convscope.analysis.registry import METHODS, explain
from convscope.analysis.result import AnalysisResult
from convscope.analysis.target import AnalysisTarget, InputInfo, open_target, wrap_module

__all__ = ["METHODS", "AnalysisResult", "AnalysisTarget", "InputInfo", "explain", "open_target", "wrap_module"]
