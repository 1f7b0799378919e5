"""Clip bounds: from declarations, narrowed by the request, never beyond what is proven (PRIVACY §3.2, §3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from tre.base.reasons import Refused
from tre.base.reasons import privacy as reasons
from tre.catalogue import Interval, Kind
from tre.privacy.mechanisms import SATURATION
from tre.privacy.request import Ask, Rules
from tre.sql.plan import Asked, Expression, PrivateAggregate

GRID_STEPS = 2**20
"""A double without declared granularity is summed on the power-of-two grid with this many steps up to its bound."""


@dataclass(frozen=True, slots=True)
class Values:
    """One row's value on its grid: `low` to `high` in units of `granularity`; `declared` without any clamp."""

    granularity: Fraction
    low: int
    high: int
    declared: bool


def row_cap(block: PrivateAggregate, ask: Ask) -> int | None:
    """Return C, the rows of one unit in one group that count; None when nothing bounds them.

    The request's bound, else the policy's contribution bound, and never more than the proven worst case.
    """
    most = proven_rows(block)
    if most == 1:
        return 1
    given = ask.rows if ask.rows is not None else block.typical_rows
    return None if given is None else min(given, most)


def proven_rows(block: PrivateAggregate) -> int:
    """Return the most rows that a unit can have in the block's input, by dependency or by declared caps."""
    return 1 if block.one_row else max(1, block.rows_per_unit)


def proven_in_group(block: PrivateAggregate) -> int:
    """Return the most rows that a unit can have in one group: 1 where unit and keys identify a row by declaration."""
    return 1 if block.one_row_a_group else proven_rows(block)


def proven_values(block: PrivateAggregate, argument: Expression) -> int:
    """Return the most distinct values of `argument` of a unit in one group: by its rows, or by the declared domain."""
    rows, domain = proven_in_group(block), argument.facts.domain
    return min(rows, len(domain)) if isinstance(domain, tuple) else rows


def value_cap(block: PrivateAggregate, ask: Ask, argument: Expression) -> int | None:
    """Return m, the distinct values of one unit in one group that count: as many as rows count, or as are proven."""
    most, rows = proven_values(block, argument), row_cap(block, ask)
    if most == 1:
        return 1
    if rows is None:
        return most if isinstance(argument.facts.domain, tuple) else None
    return min(rows, most)


def proven_groups(block: PrivateAggregate, known: int | None) -> int:
    """Return the most groups in which a unit can stand: 1 by dependency or without keys, known keys, a unit's rows."""
    return min(bound for bound in (block.groups_per_unit, known, proven_rows(block)) if bound is not None)


def group_bound(block: PrivateAggregate, asked: int | None, rules: Rules, known: int | None) -> tuple[int, bool]:
    """Return (l0, whether units must be cut to it): the groups in which one unit is counted.

    1 where that is proven; else the bound `asked` for, else the policy's, else a unit's usual rows, each of which
    stands in one group; and never more than the proven one, which serves alone with known keys where nothing else does.
    """
    proven = proven_groups(block, known)
    given = next((one for one in (asked, rules.groups, block.typical_rows) if one is not None), None)
    if proven == 1:
        return 1, False
    if given is None:
        if known is None:
            raise Refused.because(reasons.NO_GROUPS_BOUND)
        return proven, False
    return min(given, proven), given < proven


def groups_untold(block: PrivateAggregate, rules: Rules, known: int | None) -> int:
    """Return the groups in which one unit is counted where a first step tells nothing: as without it, else 1."""
    try:
        return group_bound(block, None, rules, known)[0]
    except Refused:
        return 1


def values_of(asked: Asked, total: Interval | None) -> Values | None:
    """Return the grid bounds of one row's argument, or None when nothing bounds it.

    An argument without declared interval takes a request's bound of the total: a single value beyond it would
    be clipped in the total anyway.
    """
    if asked.argument is None:
        raise ValueError("only SUM and AVG have values; this is a bug, report it")
    interval = asked.argument.facts.interval
    declared = interval is not None
    if interval is None:
        if total is None:
            return None
        interval = Interval(-total.magnitude, total.magnitude)
    grid = granularity_of(asked.argument, interval)
    return Values(grid, floor(interval.low / grid), ceil(interval.high / grid), declared)


def usual_total(argument: Expression, granularity: Fraction, rows: int) -> int | None:
    """Return in grid units what a person's up to `rows` values are taken to add up to, None where nothing says."""
    usual = argument.facts.usually
    return None if usual is None else max(1, ceil((usual.total + usual.each * rows) / granularity))


def usual_squares(argument: Expression, granularity: Fraction, rows: int) -> int | None:
    """Return the same of the squares: of values that add up to S the squares do to no more than S²."""
    usual = argument.facts.usually
    if usual is None:
        return None
    squares = (usual.total + usual.each * rows) ** 2 if usual.squares is None else usual.squares
    return max(1, ceil(squares / granularity**2))


def granularity_of(argument: Expression, interval: Interval) -> Fraction:
    """Return the grid on which an argument is summed.

    The declared one; of integers 1; of decimals their scale; of doubles a power of two, `GRID_STEPS` up to
    the bound: rounding a row to it is far below the noise, whose scale is at least about the bound.
    """
    if argument.facts.granularity is not None:
        return argument.facts.granularity
    if argument.type.kind is not Kind.DOUBLE:
        return Fraction(1, 10**argument.type.scale)
    step = Fraction(1)
    magnitude = max(interval.magnitude, Fraction(1, 2**900))
    while step * GRID_STEPS < magnitude:
        step *= 2
    while step * GRID_STEPS / 2 >= magnitude:
        step /= 2
    return step


def total_bounds(values: Values, rows: int) -> tuple[int, int]:
    """Return the clip interval of a sum of up to `rows` values; 0 is always inside: absent units add nothing."""
    return rows * min(values.low, 0), rows * max(values.high, 0)


def narrowed(output: str, values: Values, total: Interval, rows: int) -> tuple[int, int]:
    """Return the clip interval of a total that the request bounds, within what `rows` values can reach."""
    proven_low, proven_high = total_bounds(values, rows)
    low = max(proven_low, ceil(total.low / values.granularity))
    high = min(proven_high, floor(total.high / values.granularity))
    if low > high:
        raise Refused.because(
            reasons.TOTAL_OUTSIDE,
            output=output,
            low=_number(proven_low * values.granularity),
            high=_number(proven_high * values.granularity),
        )
    return min(low, 0), max(high, 0)


def check_unit_overflow(output: str, values: Values, rows: int, weight: int = 1) -> None:
    """Refuse unless one unit's worst-case sum, times `weight`, fits 62 bits."""
    if rows * max(abs(values.low), abs(values.high), values.high - values.low) * weight >= SATURATION:
        raise Refused.because(reasons.OVERFLOW, output=output)


def check_total_overflow(output: str, sensitivity: int, scale: float, units: int) -> None:
    """Refuse unless all units' worst-case total with 64 standard deviations of noise fits 63 bits."""
    if units * sensitivity >= SATURATION or 64 * scale >= SATURATION:
        raise Refused.because(reasons.OVERFLOW, output=output)


def _number(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else str(float(value))
