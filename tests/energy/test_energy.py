"""Energy of a computation: counters with their restart at 0, the estimate by hand, and the countries."""

import pytest

from convscope.energy import Energy, EnergyMeter, energy_sentence, grid_of
from convscope.energy.counters import nvml_counter, rapl_counter
from convscope.energy.grid import WORLD, grids
from convscope.energy.processor_power import ANY, EPYC, XEON, core_power, estimated_joules
from convscope.errors import ConfigError


@pytest.fixture
def package(tmp_path):
    """A processor package of the kernel's power domains, one of its parts, and a function that sets its counter."""

    def at(microjoules: int) -> None:
        for name in ("intel-rapl:0", "intel-rapl:0:0"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "max_energy_range_uj").write_text("10000000\n")
            (tmp_path / name / "energy_uj").write_text(f"{microjoules}\n")

    return tmp_path, at


def test_the_packages_are_counted_without_their_parts_and_over_a_restart_at_0(package):
    root, at = package
    at(4_000_000)
    counter = rapl_counter(root)
    at(9_000_000)
    assert counter.joules() == 5
    at(1_000_000)  # 10 J is where it starts again
    assert counter.joules() == 7
    assert counter.joules() == 7


def test_a_counter_that_is_missing_or_forbidden_is_none(tmp_path):
    assert rapl_counter(tmp_path) is None
    (tmp_path / "intel-rapl:0").mkdir()
    assert rapl_counter(tmp_path) is None
    assert nvml_counter("0000", "no-such-library.so") is None


def test_a_counter_gives_measured_energy(package):
    root, at = package
    at(0)
    meter = EnergyMeter(rapl_counter(root))
    at(7_200_000)
    meter.keep_up()
    at(0)  # 2.8 J later it starts again
    at(4_400_000)
    energy = meter.read(cores=2)
    assert energy == Energy(0.004, 0.004, 0.004, True, energy.method)
    assert energy.method == "processor: energy counter of the packages, other programs included"


def test_without_a_counter_processor_time_is_multiplied_by_the_power_of_a_core(monkeypatch):
    cpu, clock = iter([5.0, 15.0, 15.0]), iter([100.0, 130.0, 130.0])
    monkeypatch.setattr("convscope.energy.meter._cpu_seconds", lambda: next(cpu))
    monkeypatch.setattr("convscope.energy.meter.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("convscope.energy.meter.processor", lambda: "AMD EPYC 7742")
    meter = EnergyMeter(None)
    energy = meter.read(cores=1)
    assert not energy.measured
    assert energy.wh == pytest.approx((10 * 3.38 + 20 * 0.73) / 3600)  # of 30 s, 10 at work
    assert energy.low < energy.wh < energy.high
    meter.processes = 3
    assert meter.read(cores=1).wh == pytest.approx(3 * energy.wh)


def test_a_card_without_a_counter_is_said(monkeypatch):
    monkeypatch.setattr("convscope.energy.meter.nvml_counter", lambda _: None)
    meter = EnergyMeter(None)
    meter.watch_card("1234")
    assert meter.read().method.endswith("; graphics card: not counted, it has no energy counter")


def test_a_card_is_counted_from_the_time_at_which_it_is_watched(monkeypatch):
    joules = iter([1000.0, 4600.0])
    monkeypatch.setattr("convscope.energy.meter.nvml_counter", lambda _: lambda: next(joules))
    meter = EnergyMeter(None)
    meter.watch_card("1234")
    assert meter.read().wh == pytest.approx(1, abs=0.01)


def test_a_core_at_work_and_at_rest_by_hand():
    joules, low, high = estimated_joules(EPYC, core_seconds=10, held_seconds=30)
    assert joules == pytest.approx(10 * 3.38 + 20 * 0.73)
    assert (low, high) == pytest.approx((joules * 2.34 / 3.38, joules * 4.62 / 3.38))
    assert estimated_joules(EPYC, 10, 5)[0] == pytest.approx(33.8)  # more threads than cores held


@pytest.mark.parametrize(
    ("name", "power"),
    [("AMD EPYC 7742 64-Core Processor", EPYC), ("Intel(R) Xeon(R) CPU @ 2.20GHz", XEON), ("Apple M2", ANY)],
)
def test_the_power_of_a_core_follows_from_the_processors_name(name, power):
    assert core_power(name) is power


def test_energies_add_up_and_emissions_are_those_of_the_country():
    once = Energy(100.0, 80.0, 120.0, False, "estimated")
    both = once + Energy(50.0, 50.0, 50.0, True, "counted")
    assert both == Energy(150.0, 130.0, 170.0, False, "estimated; counted")
    assert once + once == Energy(200.0, 160.0, 240.0, False, "estimated")
    assert both.grams(grid_of("DK")) == pytest.approx(0.15 * 152)
    assert Energy.of(both.record(grid_of("DK"))) == both
    assert energy_sentence(both.record(grid_of("dk"))) == (
        "energy 150 Wh (estimated, 130 to 170), 23 g CO2e with the electricity of Denmark (2023, 152 g/kWh)"
    )


def test_countries_are_known_by_code_and_name_and_others_refused():
    assert grid_of("fr") == grid_of("France")
    assert (grid_of("").name, grid_of("").grams_per_kwh) == ("the world", WORLD)
    with pytest.raises(ConfigError) as caught:
        grid_of("Denmrk")
    assert str(caught.value) == "no country 'Denmrk' in the table; did you mean Denmark?"
    with pytest.raises(ConfigError) as caught:
        grid_of("ZQ")
    assert str(caught.value) == ("no country 'ZQ' in the table; use its two letters, such as DK, or its English name")


def test_the_table_has_plausible_figures_of_each_country():
    assert len(grids()) == 213
    assert all(len(code) == 2 and 0 <= grid.grams_per_kwh < 1400 for code, grid in grids().items())
