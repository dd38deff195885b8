"""How single numbers in a network came about, checked against what the network computed."""

from convscope.explain.arithmetic.terms import Step, Term, Unit
from convscope.explain.arithmetic.trace import Trace, Value, traced
from convscope.explain.arithmetic.unit import unit

__all__ = ["Step", "Term", "Trace", "Unit", "Value", "traced", "unit"]
