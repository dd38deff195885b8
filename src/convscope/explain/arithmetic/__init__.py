"""The arithmetic of single activations, verified against the network's own results."""

from convscope.explain.arithmetic.terms import Term, Unit, UnitStep
from convscope.explain.arithmetic.trace import Trace, Value, trace_pass
from convscope.explain.arithmetic.unit import unit

__all__ = ["Term", "Trace", "Unit", "UnitStep", "Value", "trace_pass", "unit"]
