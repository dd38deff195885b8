"""Seeing inside a run's network, or any other: what `convscope.explain` finds, as pictures, numbers and sentences."""

from convscope.analysis.registry import METHODS, explain
from convscope.analysis.result import Seen
from convscope.analysis.target import About, Subject, opened, own_module

__all__ = ["METHODS", "About", "Seen", "Subject", "explain", "opened", "own_module"]
