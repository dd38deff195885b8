"""Calculations with layers."""

from convscope.models.summary.calculations import Calculation, arithmetic

__all__ = ["Calculation", "arithmetic"]
