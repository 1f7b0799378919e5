"""What an answer is to cost: what a request offers, or the least that the accuracy it asks for needs (PRIVACY §4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from tre.base.cost import ATTO, Cost, Measure
from tre.base.reasons import Refusal, Refused, requests
from tre.base.reasons import privacy as reasons
from tre.catalogue import Kind
from tre.privacy import accounting, first_step, sized
from tre.privacy.accuracy import Accuracy
from tre.privacy.blocks import Shape
from tre.privacy.draws import charge
from tre.privacy.expected import promised, shown
from tre.privacy.mechanisms import Mechanism
from tre.privacy.noising import in_effect
from tre.privacy.parts import Output
from tre.privacy.request import Ask, Rules
from tre.sql.plan import Query

DrawnOf = Callable[[str], Sequence[Cost]]
"""Looks up the prices of the draws that a question has: released facts alone (PRIVACY §1)."""

_PILOT = 16
"""A pilot costs a sixteenth of the most that the answer may cost, so its errors are four times the least to be had: a
number that the rest could make exact to a fifth is told from 0 by then."""
_TIMES = 2
"""An answer costs at least so many times what its first steps do: below that its bounds cost more than it tells."""
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE)

Outputs = Mapping[str, list[tuple[Shape, Output]]]


def nothing_drawn(_question: str) -> Sequence[Cost]:
    """Say that nothing was measured yet."""
    return ()


def draws_of(question: str, requested: Cost, rules: Rules, drawn: DrawnOf) -> tuple[Cost, ...]:
    """Return the prices of the draws that an answer at `requested` will be combined from."""
    existing = drawn(question)
    return charge(existing, requested, floor=rules.floor).made_of(existing)


@dataclass(frozen=True, slots=True)
class Prices:
    """What each question costs; where these are the prices of a pilot, what it and its second step may come to."""

    costs: Mapping[str, Cost]
    whole: Cost
    most: Cost | None = None


def prices(query: Query, shapes: Sequence[Shape], ask: Ask, rules: Rules, drawn: DrawnOf) -> Prices:
    """Return each question's price, together within the policy's limit for one answer.

    An `epsilon` is shared equally by the questions, at least at the policy's floor. An accuracy gives each question
    the least amount at which all that is shown of it is as exact as asked: no other split costs less. Where errors
    follow from values that nobody has measured, or from a first step that is to be made, and a share of a number where
    no noisy size bounds it from below, it gives the price of a pilot, a constant part of the most that the answer may
    cost. First steps have their fixed price, which is part of the whole.
    """
    unknown = {shape.question: shape.keys is None for shape in shapes}
    delta = math.floor(rules.keys_delta * ATTO) // max(1, sum(unknown.values()))
    nothing = {question: Cost(rules.measure, 0, delta if keyless else 0) for question, keyless in unknown.items()}
    first = {one.first.question: first_step.price(rules) for one in shapes if one.first is not None}
    steps = sum(one.amount for one in first.values())
    most = _most(ask, rules)
    piloted = False
    if ask.amounts is not None:
        costs = _fixed(_in_order(shapes, nothing | first), ask.amounts)
    elif ask.accuracy is None:
        costs = first | _spent(nothing, _beside(steps, most, rules))
    elif _takes_a_pilot(query, shapes, ask.accuracy, rules):
        _check_numbers(query, shapes, rules)
        pilot = max(rules.floor, -(-most // _PILOT), _TIMES * steps)
        piloted, costs = True, first | _spent(nothing, _beside(steps, min(pilot, most), rules))
    else:
        outputs, rest = _told_beforehand(query, shapes), _beside(steps, most, rules)
        costs = first | _needed(outputs, ask.accuracy, nothing, rest, rules, drawn)
    whole = sum(costs.values(), Cost.zero(rules.measure))
    _check_limit(whole, rules)
    return Prices(costs, whole, Cost(rules.measure, most) if piloted else None)


def _in_order(shapes: Sequence[Shape], costs: Mapping[str, Cost]) -> dict[str, Cost]:
    """Return costs in the order in which a plan measures: a first step before its block."""
    every = (one for shape in shapes for one in (shape.first, shape) if one is not None)
    return {one.question: costs[one.question] for one in every}


def _beside(steps: int, most: int, rules: Rules) -> int:
    """Return what is left of an answer's price beside its first steps, which may take half of it."""
    if _TIMES * steps > most:
        least, _ = accounting.shown(Cost(rules.measure, _TIMES * steps), rules.conversion_delta)
        raise Refused.because(reasons.FIRST_STEP_PRICE, least=f"{math.ceil(least * 1000) / 1000:g}")
    return most - steps


def _most(ask: Ask, rules: Rules) -> int:
    """Return the amount that the request offers: with an accuracy the most that it may take."""
    if ask.accuracy is not None and ask.epsilon is None:
        return rules.per_answer.amount
    epsilon = rules.default_epsilon if ask.epsilon is None else ask.epsilon
    offered = max(rules.floor, accounting.price(rules.measure, epsilon, rules.conversion_delta).amount)
    return offered if ask.accuracy is None else min(offered, rules.per_answer.amount)


def _spent(nothing: Mapping[str, Cost], amount: int) -> dict[str, Cost]:
    each = -(-amount // len(nothing))
    return {question: _at(cost, each) for question, cost in nothing.items()}


def _fixed(nothing: Mapping[str, Cost], amounts: Sequence[int]) -> dict[str, Cost]:
    if len(amounts) != len(nothing):
        raise Refused.because(requests.ANOTHER_QUESTION)
    return {question: _at(cost, amount) for (question, cost), amount in zip(nothing.items(), amounts, strict=True)}


def _takes_a_pilot(query: Query, shapes: Sequence[Shape], accuracy: Accuracy, rules: Rules) -> bool:
    """Whether an accuracy has no price before something is released; under pure DP nothing is refined afterwards."""
    if accuracy.relative:
        return not _sizes_suffice(query, shapes)
    told, untold = shown(query, shapes).values(), any(shape.open for shape in shapes)
    return rules.measure is Measure.ZCDP and (untold or any(_unknown(one) for one in told))


def _check_numbers(query: Query, shapes: Sequence[Shape], rules: Rules) -> None:
    """Refuse a pilot where nothing may be refined, and of what is no number."""
    if rules.measure is Measure.PURE:
        raise Refused.because(requests.NOTHING_REFINED)
    types = dict(zip(query.names, (column.type for column in query.root.columns), strict=True))
    wrong = [name for name in shown(query, shapes) if types[name].kind not in _NUMBERS]
    if wrong:
        raise Refused(Refusal(reasons.ACCURACY_UNKNOWN, {"output": name}) for name in wrong)


def _at(cost: Cost, amount: int) -> Cost:
    return Cost(cost.measure, amount, cost.delta)


def _needed(
    outputs: Outputs, accuracy: Accuracy, nothing: Mapping[str, Cost], most: int, rules: Rules, drawn: DrawnOf
) -> dict[str, Cost]:
    """Return the least amounts. Raises Refused, with what `most` buys, where they come to more than that."""
    alpha = accuracy.alpha(_numbers(outputs) if accuracy.everywhere else 1)

    def width(question: str, amount: int) -> Fraction | None:
        """The widest interval; with a relative accuracy the largest share that it may be of its number."""
        draws = draws_of(question, _at(nothing[question], amount), rules, drawn)
        mechanisms = in_effect(outputs[question][0][0], draws)
        widths = [_width(shape, output, mechanisms, alpha, accuracy) for shape, output in outputs[question]]
        known = [one for one in widths if one is not None]
        return max(known) if len(known) == len(widths) else None

    def enough(question: str) -> Callable[[int], bool]:
        return lambda amount: (found := width(question, amount)) is not None and found <= accuracy.width

    found = {question: _least(enough(question), drawn(question), most, rules) for question in nothing}
    amounts = {question: amount for question, amount in found.items() if amount is not None}
    if len(amounts) < len(found) or sum(amounts.values()) > most:
        widths = [width(question, most // len(nothing)) for question in nothing]
        raise Refused.because(reasons.ACCURACY_TOO_FINE, asked=str(accuracy), finest=_finest(widths, accuracy))
    return {question: _at(cost, amounts[question]) for question, cost in nothing.items()}


def _width(
    shape: Shape, output: Output, mechanisms: Mapping[str, Mechanism], alpha: float, accuracy: Accuracy
) -> Fraction | None:
    """Return how wide an interval is: in the unit of its number, or as a share of the least that it may be."""
    half = promised(shape, output, mechanisms, alpha)
    if half is None or not accuracy.relative:
        return half
    number = sized.least(shape, output)
    return None if number is None else half / number


def _finest(widths: Sequence[Fraction | None], accuracy: Accuracy) -> str:
    known = [one for one in widths if one is not None]
    if len(known) < len(widths):
        return "no interval that could be told beforehand"
    return f"±{float(max(known)) * 100:.3g}%" if accuracy.relative else f"±{float(max(known)):.6g}"


def _sizes_suffice(query: Query, shapes: Sequence[Shape]) -> bool:
    """Whether every number shown is one that a noisy size bounds from below, so that a share of it is known."""
    every = [one for told in shown(query, shapes).values() for one in told or ((None, None),)]
    return all(
        shape is not None and output is not None and sized.least(shape, output) is not None for shape, output in every
    )


def _least(enough: Callable[[int], bool], existing: Sequence[Cost], most: int, rules: Rules) -> int | None:
    """Return the least amount up to `most` that is enough: what stored draws reach, else what a further one adds."""
    low = 0
    for total in accumulate(draw.amount for draw in existing):
        if total <= most and enough(total):
            return total
        low = min(total, most)
    high = max(most, rules.floor)
    if not enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return max(high, rules.floor)


def _told_beforehand(query: Query, shapes: Sequence[Shape]) -> Outputs:
    """Return, by question, what the answer shows of it; refuse what has no error that is known beforehand."""
    if any(shape.open for shape in shapes):
        raise Refused.because(reasons.ACCURACY_FIRST_STEP)
    found: dict[str, list[tuple[Shape, Output]]] = {shape.question: [] for shape in shapes}
    refusals = []
    for name, told in shown(query, shapes).items():
        if _unknown(told):
            refusals.append(Refusal(reasons.ACCURACY_UNKNOWN, {"output": name}))
        for shape, output in told:
            found[shape.question].append((shape, output))
    refusals += [Refusal(reasons.ACCURACY_NOT_SHOWN) for outputs in found.values() if not outputs and not refusals]
    if refusals:
        raise Refused(refusals)
    return found


def _unknown(told: Sequence[tuple[Shape, Output]]) -> bool:
    """Whether an error follows from values, as of any expression, and no noisy size tells how many there are."""
    return not told or any(
        (output.denominator is not None or output.fraction is not None) and not sized.known(shape, output)
        for shape, output in told
    )


def _numbers(outputs: Outputs) -> int:
    """Return how many numbers an answer has. Raises Refused where its groups are not known beforehand."""
    keys = [shape.keys for every in outputs.values() for shape, _ in every]
    if any(one is None for one in keys):
        raise Refused.because(reasons.ACCURACY_GROUPS)
    return sum(len(one) for one in keys if one is not None)


def _check_limit(whole: Cost, rules: Rules) -> None:
    found = []
    if whole.amount > rules.per_answer.amount:
        most, _ = accounting.shown(Cost(rules.measure, rules.per_answer.amount), rules.conversion_delta)
        found.append(Refusal(reasons.EPSILON_TOO_LARGE, {"most": f"{most:.4g}"}))
    if whole.delta > rules.per_answer.delta:
        found.append(Refusal(reasons.DELTA_TOO_LARGE))
    if found:
        raise Refused(found)
