"""The energy of a computation of this process, from its start to now."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from convscope.devices import processor
from convscope.energy.counters import RaplCounter, nvml_counter, rapl_counter
from convscope.energy.grid import Grid
from convscope.energy.processor_power import core_power, estimated_joules

JOULES_PER_WH = 3600


@dataclass(frozen=True)
class Energy:
    """Energy in watt-hours with its band, and how it is known.

    A value from counters has no band (`low` and `high` equal it); it includes what else ran on that hardware.
    """

    wh: float
    low: float
    high: float
    measured: bool
    method: str

    def __add__(self, other: "Energy") -> "Energy":
        wh, low, high = self.wh + other.wh, self.low + other.low, self.high + other.high
        method = self.method if other.method in self.method else f"{self.method}; {other.method}"
        return Energy(wh, low, high, self.measured and other.measured, method)

    def longer(self, factor: float) -> "Energy":
        """Return the energy of a computation that was `factor` times as long at the same power; estimated."""
        if factor == 1:
            return self
        wh, low, high = (factor * one for one in (self.wh, self.low, self.high))
        return replace(self, wh=wh, low=low, high=high, measured=False)

    def grams(self, grid: Grid) -> float:
        """Return the emissions with the electricity of `grid`, in grams of CO2 equivalent."""
        return self.wh / 1000 * grid.grams_per_kwh

    def record(self, grid: Grid) -> dict[str, Any]:
        """Return it as plain fields, with its emissions."""
        numbers = {key: round(value, 6) if isinstance(value, float) else value for key, value in asdict(self).items()}
        return {**numbers, "grams_co2e": round(self.grams(grid), 6), "electricity": asdict(grid)}

    @classmethod
    def of(cls, record: dict[str, Any]) -> Self:
        """Return the energy of a `record`."""
        return cls(*(record[name] for name in ("wh", "low", "high", "measured", "method")))


def energy_sentence(record: dict[str, Any]) -> str:
    """Return the energy and emissions of an `Energy.record`, for people."""
    wh, low, high, grams = (two_digits(record[name]) for name in ("wh", "low", "high", "grams_co2e"))
    band = "measured" if record["measured"] else f"estimated, {low} to {high}"
    electricity = record["electricity"]
    return (
        f"energy {wh} Wh ({band}), {grams} g CO2e with the electricity of {electricity['name']} "
        f"({electricity['year']}, {electricity['grams_per_kwh']} g/kWh)"
    )


def two_digits(number: float) -> str:
    """Return a number rounded to two significant digits, without an exponent from 0.0001 on."""
    rounded = float(f"{number:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


class EnergyMeter:
    """Measures from its creation on; call `keep_up` at least every few minutes.

    Args:
        rapl: the counter of the processor packages; None: there is none.
    """

    def __init__(self, rapl: RaplCounter | Literal["find"] | None = "find") -> None:
        self.processes = 1
        self._rapl = rapl_counter() if rapl == "find" else rapl
        self._has_card, self._card_start = False, 0.0
        self._card_joules: Callable[[], float] | None = None
        self._started, self._cpu_started = time.monotonic(), _cpu_seconds()

    def watch_card(self, uuid: str) -> None:
        """Count a graphics card from now on, by the name that PyTorch gives it."""
        self._has_card, self._card_joules = True, nvml_counter(uuid)
        self._card_start = self._card_joules() if self._card_joules else 0.0

    def keep_up(self) -> None:
        """Read the counter of the processor, so that its restarts at 0 are seen; see `RaplCounter`."""
        if self._rapl:
            self._rapl.joules()

    def read(self, cores: int = 1) -> Energy:
        """Return the energy so far of a computation that keeps `cores` for each of its `processes`.

        All processes are on this machine, compute equal parts, and have a card each, if any.
        """
        energy = self._processor(cores)
        return energy + self._card() if self._has_card else energy

    def _processor(self, cores: int) -> Energy:
        if self._rapl:
            wh = self._rapl.joules() / JOULES_PER_WH
            return Energy(wh, wh, wh, True, "processor: energy counter of the packages, other programs included")
        power = core_power(processor())
        cpu = (_cpu_seconds() - self._cpu_started) * self.processes
        held = (time.monotonic() - self._started) * cores * self.processes
        wh, low, high = (one / JOULES_PER_WH for one in estimated_joules(power, cpu, held))
        return Energy(wh, low, high, False, f"processor: time of its cores, times the power of {power.source}")

    def _card(self) -> Energy:
        if self._card_joules is None:
            return Energy(0.0, 0.0, 0.0, False, "graphics card: not counted, it has no energy counter")
        wh = (self._card_joules() - self._card_start) * self.processes / JOULES_PER_WH
        return Energy(wh, wh, wh, True, "graphics card: its energy counter")


def _cpu_seconds() -> float:
    """Return the processor time of this process and of those of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
