"""Which grid a quantile is looked for on, and which part counts the rows there (PRIVACY §3.7).

The values between the declared bounds are rounded to at most `CANDIDATES` public ones. Quantiles of the same values
share one part, whatever their number, and are found by `tre.privacy.quantiles`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

from tre.base.reasons import Refused
from tre.base.reasons import privacy as reasons
from tre.catalogue import Interval, Kind
from tre.privacy import bounds
from tre.privacy.needs import Needs
from tre.privacy.parts import Output, Part, PartKind
from tre.sql import functions
from tre.sql.plan import QUANTILES, Asked, Expression

CANDIDATES = 2**16
"""The most values among which a quantile is looked for: a step is then 0.0015 % of the range between the bounds."""
_FEWER = 2**14
"""The same where bounds were found: every halving makes all others noisier, and there noise hides the finer steps."""
_UNITS = {Kind.DATE: "day", Kind.TIMESTAMP: "second"}
_EPOCH = date(1970, 1, 1)


def quantile(needs: Needs, asked: Asked) -> Output:
    """Return how a quantile is read off the search of its part."""
    if asked.argument is None or asked.fraction is None:
        raise ValueError("a quantile of nothing; this is a bug, report it")
    number = _number(asked.argument)
    found = bounds.values_of(replace(asked, argument=number), None)
    if found is None:
        raise Refused.because(reasons.NO_BOUND_OF_VALUES, output=needs.name(asked))
    bounds.check_unit_overflow(needs.name(asked), found, 1)
    part = needs.part(_ranked(needs, asked, number, found), Fraction(1))
    offset = Fraction(found.low, part.step)
    inside = Interval(found.low * found.granularity, found.high * found.granularity)
    return Output(
        asked.column,
        asked.function,
        ((part.name, 1),),
        granularity=found.granularity * part.step,
        offset=offset,
        interval=inside,
        fraction=asked.fraction,
    )


def _number(argument: Expression) -> Expression:
    """Return a number for every value: dates are counted in days, timestamps in whole seconds."""
    unit = _UNITS.get(argument.type.kind)
    if unit is None:
        return argument
    return functions.call("date_diff", functions.literal(unit), functions.literal(_EPOCH), argument)


def _ranked(needs: Needs, asked: Asked, number: Expression, found: bounds.Values) -> Part:
    cap, span = _cap(needs, asked, number), found.high - found.low
    most = CANDIDATES if number.facts.usually is None else _FEWER
    step = max(1, -(-span // (most - 1)))
    return Part(
        "",
        PartKind.RANKED,
        number,
        asked.where,
        0,
        cap,
        found.granularity,
        found.low,
        found.high,
        cap,
        # Without a coarser grid values count from zero, here from the lower bound.
        found.low if step == 1 else 0,
        step,
        proven=cap >= needs.most,
        clamped=found.declared,
        levels=max(1, ((span + step // 2) // step).bit_length()),
        fractions=_fractions(needs, asked),
    )


def _cap(needs: Needs, asked: Asked, number: Expression) -> int:
    """Return the rows of one unit that count: those of a sum unless a release says that fewer are better."""
    usual, cap = number.facts.usually, needs.cap(asked)
    return cap if usual is None or usual.ranked is None or needs.ask.rows is not None else min(cap, usual.ranked)


def _fractions(needs: Needs, asked: Asked) -> tuple[Fraction, ...]:
    """Return every quantile that is asked of the same values."""
    same = (
        one.fraction
        for one in needs.block.asked
        if one.function.value in QUANTILES and (one.argument, one.where) == (asked.argument, asked.where)
    )
    return tuple(sorted({one for one in same if one is not None}))
