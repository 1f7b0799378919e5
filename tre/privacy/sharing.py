"""Which parts a block needs: every shared vector is measured once (PRIVACY §3.4)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from tre.privacy import moments, ranks
from tre.privacy.needs import Needs
from tre.privacy.parts import Output, Part, PartKind
from tre.sql.plan import QUANTILES, SPREADS, Asked, PrivateFunction

_SUPPORTING = Fraction(1, 16)
"""The weight of a part that only decides which groups are shown, against 1 of an asked count or sum."""


def outputs_of(needs: Needs) -> tuple[Output, ...]:
    """Collect the parts of every asked aggregate and return how each is computed from them."""
    return tuple(_in_shares(needs, asked, _output(needs, asked)) for asked in needs.block.asked)


def _in_shares(needs: Needs, asked: Asked, output: Output) -> Output:
    """Return an output whose parts are counted in shares: a ratio is the same, people are never shared out."""
    if output.denominator is not None or asked.function is PrivateFunction.COUNT_UNITS:
        return output
    return replace(output, granularity=output.granularity / needs.shares)


def support(needs: Needs, with_units: bool, cut: bool) -> tuple[Part | None, Part | None, Part | None]:
    """Add the parts that no output asked for: units by group, units, and how many of these are at a clip bound.

    Each is None where it is not needed.

    Units are needed for thresholds and minimum groups and as the denominator of the clipped share; the clipped
    units are counted unless clipping is provably nil (PRIVACY §4 "Every number carries its error"). `cut` says
    that units may be cut to l0 groups, which is clipping too.
    """
    clips = cut or any(part.narrowed or not part.proven for part in needs.parts)
    once = needs.weighted
    units = needs.people(None, _SUPPORTING) if with_units or (clips and not once) or not needs.parts else None
    if not clips:
        return units, None, None
    people = needs.everybody(_SUPPORTING) if once else units
    return units, people, needs.part(Part("", PartKind.CLIPPED, None, None, 0, 1, proven=True, whole=once), Fraction(0))


def _output(needs: Needs, asked: Asked) -> Output:
    if asked.function is PrivateFunction.COUNT_UNITS:
        return _count(asked, needs.people(asked.where, Fraction(1)))
    if asked.function is PrivateFunction.COUNT_DISTINCT:
        return _count(asked, needs.distinct(asked))
    if asked.function is PrivateFunction.AVG:
        return moments.average(needs, asked)
    if asked.function.value in SPREADS:
        return moments.spread(needs, asked)
    if asked.function.value in QUANTILES:
        return ranks.quantile(needs, asked)
    if asked.function is not PrivateFunction.SUM:
        return _count(asked, needs.rows(asked, Fraction(1)))
    if asked.column.id not in needs.totals and moments.gives_sum(needs, asked):
        return moments.sum_of_average(needs, asked)
    part, values = needs.total(asked)
    return Output(asked.column, asked.function, ((part.name, 1),), granularity=values.granularity)


def _count(asked: Asked, part: Part) -> Output:
    return Output(asked.column, asked.function, ((part.name, 1),))
