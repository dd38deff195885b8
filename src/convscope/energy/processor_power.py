"""The power of a processor core at work and at rest, for machines without an energy counter.

Computed from the results of SPECpower_ssj2008 (spec.org) published until September 2025: watts of the whole server
(processors, memory, fans and power supply) divided by its cores, in the middle of its load curve's two ends, active
idle and 100 % load. The band is that of the middle 80 % of servers.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class CorePower:
    """Watts per physical core.

    `idle` is a core that is held and does nothing, `busy` one at full load; `low` and `high` are full load in the most
    and least economical tenth of servers.
    """

    idle: float
    busy: float
    low: float
    high: float
    source: str


EPYC = CorePower(0.73, 3.38, 2.34, 4.62, "191 servers with AMD EPYC processors")
XEON = CorePower(1.41, 8.05, 5.37, 10.29, "402 servers with Intel Xeon processors since 2017")
ANY = CorePower(1.4, 7.8, 2.84, 15.33, "801 servers since 2012")


def core_power(processor: str) -> CorePower:
    """Return the power of a core of a processor, by its name as the operating system reports it."""
    return next((power for word, power in (("EPYC", EPYC), ("Xeon", XEON)) if word in processor), ANY)


def estimated_joules(power: CorePower, core_seconds: float, held_seconds: float) -> tuple[float, float, float]:
    """Return the energy of a computation and its band (low, high), in joules.

    Args:
        power: of a core.
        core_seconds: processor time, summed over threads.
        held_seconds: wall-clock time, times the cores that the computation kept for itself; they rest the rest of it.
    """
    resting = max(held_seconds - core_seconds, 0.0)
    joules = power.busy * core_seconds + power.idle * resting
    return joules, joules * power.low / power.busy, joules * power.high / power.busy
