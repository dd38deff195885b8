"""Emissions of electricity by country: ``grid.csv``, grams of CO2 equivalent per kWh over the life of the plants.

Source: Ember, yearly electricity data, by Our World in Data, "Carbon intensity of electricity" (CC BY 4.0), read in
2024; the newest year of each country (2009 to 2023). The world's figure is the mean over countries, by generation.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from convscope.errors import ConfigError, closest

WORLD = 481


@dataclass(frozen=True)
class Grid:
    """The electricity of a country, or of the world."""

    name: str
    grams_per_kwh: int
    year: int


@cache
def grids() -> dict[str, Grid]:
    """Return the grids by country code (ISO 3166-1, two letters)."""
    with Path(__file__).with_name("grid.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {row["code"]: Grid(row["country"], int(row["grams_per_kwh"]), int(row["year"])) for row in rows}


def grid_of(country: str) -> Grid:
    """Return the grid of a country by its code or name, the world's for "".

    Raises:
        ConfigError: there is no such country in the table.
    """
    if not country:
        return Grid("the world", WORLD, 2023)
    by_code = grids()
    by_name = {grid.name.casefold(): grid for grid in by_code.values()}
    found = by_code.get(country.upper()) or by_name.get(country.casefold())
    if found is None:
        near = closest(country, [grid.name for grid in by_code.values()])
        hint = f"did you mean {near}?" if near else "use its two letters, such as DK, or its English name"
        raise ConfigError(f"no country {country!r} in the table; {hint}")
    return found
