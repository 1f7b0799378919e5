"""CASE, COALESCE, NULLIF, GREATEST, LEAST: choices among values of one type."""

from __future__ import annotations

from collections.abc import Sequence

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Interval, Kind, Type, Value
from tre.sql.functions import intervals, rendering, usual
from tre.sql.functions.casts import common, promoted
from tre.sql.functions.comparison import comparable
from tre.sql.functions.form import (
    BOOLEAN,
    MOMENTS,
    NUMBERS,
    Arguments,
    Function,
    Rendering,
    Typed,
    Typing,
    grid,
    is_null_literal,
    kind,
    known,
)
from tre.sql.functions.usual import with_usual
from tre.sql.plan import Call, Case, Expression, Facts


def union(choices: Sequence[Expression], nullable: bool) -> Facts:
    """Return the facts of a value that is one of `choices`."""
    real = [one for one in choices if not is_null_literal(one)] or list(choices[:1])
    lengths = [one.facts.max_length for one in real]
    return Facts(
        nullable,
        _around(real),
        intervals.common_grid(grid(one) for one in real),
        _domain(real),
        max((length for length in lengths if length is not None), default=None) if None not in lengths else None,
    )


def _around(choices: Sequence[Expression]) -> Interval | None:
    found = [known(one) for one in choices]
    every = [interval for interval in found if interval is not None]
    return intervals.hull(every) if every and len(every) == len(found) else None


def _domain(choices: Sequence[Expression]) -> tuple[Value, ...] | None:
    values: dict[Value, None] = {}
    for one in choices:
        if not isinstance(one.facts.domain, tuple):
            return None
        values |= dict.fromkeys(one.facts.domain)
    return tuple(values)


def case(branches: Sequence[tuple[Expression, Expression]], otherwise: Expression) -> Case:
    """Return CASE WHEN … THEN … ELSE otherwise END over the common type of its results."""
    conditions = [
        promoted(condition, BOOLEAN) if is_null_literal(condition) else condition for condition, _ in branches
    ]
    results = (*(result for _, result in branches), otherwise)
    found = common(results, "CASE")
    if found is None or not branches or any(kind(condition) is not Kind.BOOLEAN for condition in conditions):
        types = ", ".join(str(one.type) for one in (*conditions, *results))
        expected = "conditions, and results of one type"
        raise Refused.because(reasons.ARGUMENT_TYPES, function="CASE", types=types, expected=expected)
    *chosen, last = (promoted(one, found) for one in results)
    facts = union((*chosen, last), any(one.facts.nullable for one in (*chosen, last)))
    return Case(
        tuple(zip(conditions, chosen, strict=True)), last, found, with_usual(facts, usual.of_either((*chosen, last)))
    )


def _one_type(name: str, kinds: frozenset[Kind] | None = None) -> Typing:
    def typing(arguments: Arguments) -> Typed | None:
        found = common(arguments, name) if arguments else None
        if found is None or (kinds is not None and found.kind not in kinds):
            return None
        return tuple(promoted(one, found) for one in arguments), found

    return typing


def _all_null(arguments: Arguments, _type: Type) -> Facts:
    return union(arguments, all(one.facts.nullable for one in arguments))


def _greatest(arguments: Arguments, type_: Type) -> Facts:
    """NULLs are left out, so a bound holds for sure where it is that of an argument that is never NULL."""
    found = _all_null(arguments, type_)
    sure = [one.low for one in _sure(arguments)]
    interval = found.interval and Interval(max([found.interval.low, *sure]), found.interval.high)
    return Facts(found.nullable, interval, found.granularity, found.domain, found.max_length)


def _least(arguments: Arguments, type_: Type) -> Facts:
    found = _all_null(arguments, type_)
    sure = [one.high for one in _sure(arguments)]
    interval = found.interval and Interval(found.interval.low, min([found.interval.high, *sure]))
    return Facts(found.nullable, interval, found.granularity, found.domain, found.max_length)


def _sure(arguments: Arguments) -> list[Interval]:
    return [interval for one in arguments if not one.facts.nullable and (interval := known(one)) is not None]


def _nullif_typing(arguments: Arguments) -> Typed | None:
    found = comparable("nullif", 2, 2)(arguments)
    if found is None:
        return None
    (one, other), _ = found
    return (one, other), one.type


def _nullif(arguments: Arguments, _type: Type) -> Facts:
    facts = arguments[0].facts
    return Facts(True, known(arguments[0]), facts.granularity, facts.domain, facts.max_length)


def _called(name: str) -> Rendering:
    return lambda _, texts: f"{name}({', '.join(texts)})"


def _render_nullif(_call: Call, texts: tuple[str, ...]) -> str:
    return rendering.let_two(texts[0], texts[1], lambda a, b: f"CASE WHEN {a} = {b} THEN NULL ELSE {a} END")


FUNCTIONS = (
    Function(
        "coalesce",
        "COALESCE(a, b, …): the first that is not NULL.",
        "values of one type",
        _one_type("coalesce"),
        _all_null,
        _called("coalesce"),
        ("COALESCE", "IFNULL"),
    ),
    Function(
        "nullif",
        "NULLIF(a, b): NULL where a = b, else a.",
        "two values of one type",
        _nullif_typing,
        _nullif,
        _render_nullif,
        ("NULLIF",),
    ),
    Function(
        "greatest",
        "GREATEST(a, b, …): NULLs are left out; NULL where all are.",
        "numbers, dates or timestamps",
        _one_type("greatest", NUMBERS | MOMENTS),
        _greatest,
        _called("greatest"),
        ("GREATEST",),
    ),
    Function(
        "least",
        "LEAST(a, b, …): NULLs are left out; NULL where all are.",
        "numbers, dates or timestamps",
        _one_type("least", NUMBERS | MOMENTS),
        _least,
        _called("least"),
        ("LEAST",),
    ),
)
