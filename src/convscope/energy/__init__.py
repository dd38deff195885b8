"""Energy and emissions of a computation: read from counters of the hardware where there are some, else estimated."""

from convscope.energy.grid import Grid, grid_of
from convscope.energy.meter import Energy, EnergyMeter, energy_sentence, two_digits

__all__ = ["Energy", "EnergyMeter", "Grid", "energy_sentence", "grid_of", "two_digits"]
