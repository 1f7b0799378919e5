"""Which clip bounds follow from a histogram: post-processing of a release, so that they cost nothing (PRIVACY §3.2).

A wider bound makes every answer noisier, a narrower one cuts more off: the bound in use is the one with the least mean
squared error of a count or sum of everybody, at the policy's usual price. It depends on no request: one that offers
more would otherwise ask another question, and neither share nor refine what is drawn (PRIVACY §4). Google's approx
bounds (Wilson et al. 2020, §5.2.3) take the outermost bin that noise alone would hardly fill; such a bin ends the
search here, and what is cut off is weighed as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from tre.catalogue import Catalogue, Column, Interval, Kind, Table, Usual
from tre.privacy.bins import filled, usual_noise
from tre.privacy.histograms import REFERENCE, Histogram, Statistic, Subject
from tre.privacy.request import Rules
from tre.sql.functions.intervals import DAY, clip, days, limits

_GROUPS = 2
"""Groups among which an answer is taken to divide people: the least comparison. More would be noisier than need be."""
_HALVINGS = 10.0
"""How much noisier than a count the ranks are among which a quantile is searched, by some 13 halvings of its grid."""
_STEPS = 4
"""Bounds that are tried for each power of two."""
_PLACES = tuple((point + 0.5) / 16 for point in range(16))
"""Sizes that stand for the people of a bin: evenly on the logarithmic scale, from its lower end to its upper one."""
_WIDE = 24
"""How many powers of two below the outermost people bounds are tried."""

Histograms = Mapping[Subject, Histogram]


def with_bounds(catalogue: Catalogue, found: Histograms, rules: Rules) -> Catalogue:
    """Return `catalogue` with the bounds that follow from `found` where it declares none; declared ones stay."""
    if not found:
        return catalogue
    tables = {name: _table(table, found, rules) for name, table in catalogue.tables.items()}
    return replace(catalogue, tables=MappingProxyType(tables))


def text_of(found: Histograms, rules: Rules) -> str:
    """Return what is chosen as text: a part of every question on the data set, as the declarations are."""
    return "; ".join(
        f"{subject.table}.{subject.column} {subject.statistic}: {_filled(one)[-1:]} {_chosen(found, subject, rules)}"
        for subject, one in sorted(found.items())
    )


def _table(table: Table, found: Histograms, rules: Rules) -> Table:
    rows, most = _chosen(found, Subject(table.name, "", Statistic.ROWS), rules), table.rows_per_unit
    if table.typical_rows is None and rows is not None and most is not None:
        table = replace(table, typical_rows=min(most, math.ceil(rows)), rows_found=True)
    columns = {
        name: _column(table.name, column, found, rules) if column.found and column.bounds is None else column
        for name, column in table.columns.items()
    }
    return replace(table, columns=MappingProxyType(columns))


def _column(table: str, column: Column, found: Histograms, rules: Rules) -> Column:
    reach = found.get(Subject(table, column.name, Statistic.REACH))
    if reach is not None:
        return replace(column, bounds=_around_reference(reach, column))
    total = _chosen(found, Subject(table, column.name, Statistic.TOTAL), rules)
    if total is None:
        return column
    most = _on_grid(total, column)
    squares = _chosen(found, Subject(table, column.name, Statistic.SQUARES), rules)
    # Nobody's value exceeds the root of their Σx²; twice that, so that few are cut who are not cut there.
    largest = most if squares is None else min(most, _on_grid(2 * math.sqrt(squares), column))
    mean = _mean_of(found, table, column)
    usual = Usual(
        most,
        squares=None if squares is None else _rounded(squares),
        mean=min(mean, largest),
        ranked=_ranked(found, table, rules),
    )
    return replace(column, bounds=Interval(-largest, largest), usually=usual)


def _mean_of(found: Histograms, table: str, column: Column) -> Fraction:
    """Return about what a row holds, zero where rows were not measured: it is no bound, only a place to stand."""
    rows = found.get(Subject(table, "", Statistic.ROWS))
    total = found.get(Subject(table, column.name, Statistic.TOTAL))
    counted = 0.0 if rows is None else size(rows)
    return _rounded(size(total) / counted) if total is not None and counted > 0 and size(total) > 0 else Fraction(0)


def _ranked(found: Histograms, table: str, rules: Rules) -> int | None:
    rows = found.get(Subject(table, "", Statistic.ROWS))
    bound = None if rows is None else best(rows, usual_noise(rules) * _GROUPS * _HALVINGS)
    return None if bound is None else math.ceil(bound)


def _around_reference(reach: Histogram, column: Column) -> Interval | None:
    """Return the dates up to the furthest bin that is surely filled; none where no bin is."""
    bins, room = _filled(reach), limits(column.type)
    if not bins or room is None:
        return None
    centre, width = Fraction(days(REFERENCE)), Fraction(2 ** bins[-1][0])
    found = Interval(centre - width, centre + width)
    if column.type.kind is Kind.TIMESTAMP:
        found = Interval(found.low * DAY, (found.high + 1) * DAY - 1)
    return clip(found, room)


def _chosen(found: Histograms, subject: Subject, rules: Rules) -> float | None:
    histogram = found.get(subject)
    return None if histogram is None else best(histogram, usual_noise(rules) * _GROUPS)


@lru_cache(maxsize=4096)
def best(histogram: Histogram, noise: float) -> float | None:
    """Return the bound with the least error where noise grows by `noise` for each of it; None if all bins are noise."""
    bins = _filled(histogram)
    if not bins:
        return None
    last = bins[-1][0]
    tried: list[float] = [2.0 ** (last - step / _STEPS) for step in range(_STEPS * min(len(bins), _WIDE))]
    errors = [_cut_off(bins, bound) ** 2 + (noise * bound) ** 2 for bound in tried]
    return tried[errors.index(min(errors))]


@lru_cache(maxsize=4096)
def size(histogram: Histogram) -> float:
    """Return about what everybody's sizes add up to: of a table's rows their number."""
    return _cut_off(_filled(histogram), 0.0)


def _filled(histogram: Histogram) -> list[tuple[int, int]]:
    return filled(histogram.subject.exponents, histogram.people, histogram.deviation)


def _cut_off(bins: list[tuple[int, int]], bound: float) -> float:
    """Return the part of everybody's sizes that lies beyond `bound`.

    Within a bin people are taken to thin out, or to grow in number, as from the bin before it to this one.
    """
    lost, before = 0.0, 1
    for number, people in bins:
        if 2.0**number > bound and people:
            trend = people / max(before, 1)
            weights = [trend**place for place in _PLACES]
            excess = [max(0.0, 2.0 ** (number - 1 + place) - bound) for place in _PLACES]
            lost += people * _mean(excess, weights)
        before = people
    return lost


def _on_grid(bound: float, column: Column) -> Fraction:
    """Return `bound`, rounded, as a value that the column can hold."""
    most, grid = _rounded(bound), column.granularity or Fraction(1, 10**column.type.scale)
    return most if column.type.kind is Kind.DOUBLE else math.ceil(most / grid) * grid


def _rounded(bound: float) -> Fraction:
    """Return `bound` in two digits, upwards: it is read by people."""
    unit = Fraction(10) ** (math.floor(math.log10(bound)) - 1)
    return math.ceil(Fraction(bound) / unit) * unit


def _mean(values: list[float], weights: list[float]) -> float:
    return math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / math.fsum(weights)
