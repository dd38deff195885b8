"""Energy counters of the hardware: RAPL of processors (Linux), NVML of NVIDIA's graphics cards."""

import ctypes
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


class RaplCounter:
    """The energy of the processor packages, with all that ran on them since this object was created.

    The kernel's counters start again at 0 after `max_energy_range_uj`, within minutes on large machines, so `joules`
    has to be called at least that often; of each call at most one such start is seen.

    Source: Linux, Documentation/power/powercap/powercap.rst.
    """

    def __init__(self, packages: Sequence[Path]) -> None:
        self._packages = list(packages)
        self._ranges = [_number(package / "max_energy_range_uj") for package in packages]
        self._last = [_number(package / "energy_uj") for package in packages]
        self._joules = 0.0

    def joules(self) -> float:
        """Return the energy since the start, in joules."""
        now = [_number(package / "energy_uj") for package in self._packages]
        for before, after, whole in zip(self._last, now, self._ranges, strict=True):
            self._joules += (after - before if after >= before else after + whole - before) / 1e6
        self._last = now
        return self._joules


def rapl_counter(root: Path = POWERCAP) -> RaplCounter | None:
    """Return the counter of all processor packages; None where there is none, or only administrators may read it.

    Args:
        root: the folder of the kernel's power domains; another one in tests.
    """
    packages = [one for one in sorted(root.glob("intel-rapl:*")) if one.name.count(":") == 1]  # not their parts
    try:
        return RaplCounter(packages) if packages else None
    except (OSError, ValueError):
        return None


def nvml_counter(uuid: str, library: str = "libnvidia-ml.so.1") -> Callable[[], float] | None:
    """Return a function that returns the joules that a graphics card used since its driver was loaded; None if unknown.

    Cards before Volta have no such counter.

    Args:
        uuid: the card, as PyTorch names it, without ``GPU-``.
        library: NVIDIA's management library.
    """
    with suppress(OSError, AttributeError):
        nvml = ctypes.CDLL(library)
        card, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
        if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}".encode(), ctypes.byref(card)):
            return None
        if nvml.nvmlDeviceGetTotalEnergyConsumption(card, ctypes.byref(millijoules)):
            return None

        def joules() -> float:
            nvml.nvmlDeviceGetTotalEnergyConsumption(card, ctypes.byref(millijoules))
            return millijoules.value / 1000

        return joules
    return None


def _number(file: Path) -> int:
    return int(file.read_text())
