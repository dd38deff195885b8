"""Seeing inside a run's network, or any other: what `convscope.explain` finds, as pictures, numbers and sentences."""

from convscope.run.seeing.explain import METHODS, explain
from convscope.run.seeing.findings import Seen
from convscope.run.seeing.subject import About, Subject, opened, own_module

__all__ = ["METHODS", "About", "Seen", "Subject", "explain", "opened", "own_module"]
