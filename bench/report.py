"""What a scenario found: series of samples, and targets that they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

_MOST = 400
"""Samples of one series that are kept: enough to draw it."""


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one thing. `x` is where it stands on a line of sizes; None where there is no such line."""

    name: str
    unit: str
    values: tuple[float, ...]
    x: float | None = None

    @property
    def median(self) -> float:
        """The middle sample."""
        return median(self.values)

    def quantile(self, percent: int) -> float:
        """Return the sample below which `percent` of all lie."""
        if len(self.values) == 1:
            return self.values[0]
        return quantiles(self.values, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure, and the most or the least that it should be; neither for one that is only told."""

    says: str
    unit: str
    value: float
    bound: float | None = None
    least: float | None = None

    @property
    def demand(self) -> str:
        """What is asked of the figure, as a sign and a number; empty where nothing is."""
        if self.bound is not None:
            return f"≤ {number(self.bound)}"
        return "" if self.least is None else f"≥ {number(self.least)}"

    @property
    def met(self) -> bool:
        """Whether the figure is what is asked of it."""
        return (self.bound is None or self.value <= self.bound) and (self.least is None or self.value >= self.least)


@dataclass(frozen=True, slots=True)
class Report:
    """One scenario's finding; `x` names the line of sizes where series stand on one."""

    title: str
    about: str
    series: tuple[Series, ...]
    targets: tuple[Target, ...]
    x: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON, samples thinned and cut to four digits."""
        found = asdict(self)
        for series in found["series"]:
            series["values"] = [_short(value) for value in _thinned(series["values"])]
        return found | {"targets": [asdict(one) | {"value": _short(one.value)} for one in self.targets]}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Report:
        """Return the report that `as_json` wrote."""
        series = tuple(Series(one["name"], one["unit"], tuple(one["values"]), one["x"]) for one in found["series"])
        targets = tuple(Target(**one) for one in found["targets"])
        return cls(found["title"], found["about"], series, targets, found["x"])


def milliseconds(name: str, seconds: Sequence[float], x: float | None = None) -> Series:
    """Return times measured in seconds as a series of milliseconds."""
    return Series(name, "ms", tuple(1000 * one for one in seconds), x)


def number(value: float) -> str:
    """Return a figure as it is printed: three digits, or whole."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """Return at most `_MOST` of the sorted samples, evenly, both ends among them: their quantiles stay."""
    ordered = sorted(values)
    if len(ordered) <= _MOST:
        return ordered
    return [ordered[round(place * (len(ordered) - 1) / (_MOST - 1))] for place in range(_MOST)]


def _short(value: float) -> float:
    return float(f"{value:.4g}")
