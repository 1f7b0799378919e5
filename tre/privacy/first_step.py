"""How many groups of one person count, told by a released histogram: the first step of a question (PRIVACY §3.2).

The histogram has the people of the question's own relation by the number of its groups that they stand in, in bins
that are known beforehand. Who stands in it at all stands in one bin, so that one person changes one cell by one: it is
a question without delta, measured as any other. The groups that count follow from its release, from the policy and
from public facts, and from no request's price: they are post-processing, and the same for every request.

**The choice.** With k groups a person, d people's groups are cut off, and each group's noise has the variance k σ²
(under pure DP k² σ²). Of what is cut off each group bears its share, and there are at least as many groups as the
person with most of them stands in. So (d/groups)² + k σ² is a group's squared error, σ that of a usual answer.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import count

from tre.base.cost import Cost, Measure
from tre.base.passage import Release
from tre.privacy import accounting
from tre.privacy.bins import filled, usual_noise
from tre.privacy.choosing import INTEGER, Fresh, unit_and_keys
from tre.privacy.lowering import highest_id, integer
from tre.privacy.request import Rules
from tre.sql import functions
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Aggregation,
    Asked,
    Column,
    Expression,
    Facts,
    PrivateAggregate,
    PrivateFunction,
    Project,
    Ref,
)

BINS = range(11)
"""The numbers of the bins: in bin k are the people who stand in more than 2^(k−1) groups, and in up to 2^k of them."""
MOST = 2 ** BINS[-1]
"""The most groups of one person that are ever chosen; who stands in more is counted among those in so many."""
_SHARE = 16
"""A first step costs a sixteenth of a usual answer: it makes what is left of that noisier by 3 %."""
_STEPS = 4
"""Numbers of groups that are tried for each power of two."""
_PLACES = 16
"""Numbers of groups that stand for the people of a bin: all of its whole numbers, or so many of them."""


def price(rules: Rules) -> Cost:
    """Return what a first step costs, whatever is offered for the answer: the same draw serves every request."""
    usual = accounting.price(rules.measure, rules.default_epsilon, rules.conversion_delta).amount
    return Cost(rules.measure, max(rules.floor, usual // _SHARE))


def rule(rules: Rules) -> str:
    """Return in words what a choice rests on beside the release: another rule makes another question."""
    return f"noise {usual_noise(rules):.9g} of {rules.measure.value}"


def people_by_groups(block: PrivateAggregate) -> PrivateAggregate:
    """Return the question how many people stand in how many groups of `block`."""
    fresh = Fresh(count(highest_id(block) + 1))
    by = unit_and_keys(block, fresh)
    unit, groups, bin_ = fresh.like(by[0][0]), fresh.column("groups", nullable=False), _bin(fresh)
    stands_in = Aggregate(block.input, by, ())
    counted = Aggregate(stands_in, ((unit, Ref(by[0][0])),), (Aggregated(groups, Aggregation.COUNT_ROWS),))
    binned = Project(counted, ((unit, Ref(unit)), (bin_, _bin_of(Ref(groups)))))
    people = Asked(fresh.column("people", nullable=False), PrivateFunction.COUNT_ROWS, None, None)
    return PrivateAggregate(binned, unit, ((_bin(fresh), Ref(bin_)),), (people,), 1, 1, None, True)


def chosen(release: Release, rules: Rules, proven: int, known: int | None) -> int | None:
    """Return the groups of one person that count, at most `proven`; None where no bin surely holds anybody.

    :param release: that of the histogram, whose one part has a cell for each bin. :param known: the number of all
        groups (None: not known).
    """
    ((name, people),) = release.vectors.items()
    bins = filled(BINS, people, math.sqrt(release.variances[name]))
    if not bins:
        return None
    outermost = 2 ** bins[-1][0]
    groups = outermost if known is None else min(outermost, known)
    noise = usual_noise(rules)
    tried = sorted({math.ceil(2 ** (step / _STEPS)) for step in range(_STEPS * bins[-1][0] + 1)})

    def error(most: int) -> float:
        grown = noise * (math.sqrt(most) if rules.measure is Measure.ZCDP else most)
        return math.hypot(_cut_off(bins, most) / groups, grown)

    return min(proven, min(tried, key=error))


def _cut_off(bins: list[tuple[int, int]], most: int) -> float:
    """Return in how many groups beyond `most` everybody stands.

    Within a bin people are taken to thin out, or to grow in number, as from the bin before it to this one.
    """
    lost, before = 0.0, 1
    for number, people in bins:
        places = _sizes(number)
        trend = people / max(before, 1)
        weights = [trend ** (math.log2(one) - number + 1) for one in places]
        excess = math.fsum(max(0, one - most) * weight for one, weight in zip(places, weights, strict=True))
        lost += people * excess / (math.fsum(weights) or 1)
        before = people
    return lost


def _sizes(number: int) -> list[int]:
    low, high = (2**number // 2 + 1 if number else 1), 2**number
    step = Fraction(high - low, _PLACES - 1)
    return sorted({low + round(step * place) for place in range(_PLACES)}) if step else [high]


def _bin(fresh: Fresh) -> Column:
    return Column(next(fresh.ids), "groups", INTEGER, Facts(nullable=False, domain=tuple(BINS)))


def _bin_of(groups: Ref) -> Expression:
    *before, last = BINS
    return functions.case(
        [(functions.call("<=", groups, integer(2**number)), integer(number)) for number in before], integer(last)
    )
