"""Hand-made blocks over the small catalogue, for tests that need no binder."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import count
from typing import Any

from tests.sql.catalogue import CATALOGUE
from tre.base.cost import Cost, Measure
from tre.catalogue import Interval, Kind, Type, Value
from tre.privacy.request import Rules
from tre.sql.plan import (
    SPREADS,
    Asked,
    Column,
    Expression,
    Facts,
    PrivateAggregate,
    PrivateFunction,
    PublicKeys,
    Query,
    Ref,
    Relation,
    Scan,
)

INTEGER, DOUBLE, TEXT = Type(Kind.INTEGER), Type(Kind.DOUBLE), Type(Kind.TEXT)
DELTA = Fraction(1, 10**6)
_IDS = count(1)


def rules(**changes: Any) -> Rules:
    """Rules that let every question of these tests pass, unless changed."""
    found = Rules(
        measure=Measure.ZCDP,
        per_answer=Cost(Measure.ZCDP, 10**14, 10**13),
        per_project=Cost(Measure.ZCDP, 10**15, 10**15),
        per_dataset=Cost(Measure.ZCDP, 10**16, 10**16),
        conversion_delta=DELTA,
        keys_delta=Fraction(1, 10**6),
        default_epsilon=Fraction(1),
    )
    return replace(found, **changes)


def pure(**changes: Any) -> Rules:
    """The same under pure DP."""
    limit = Cost(Measure.PURE, 10**15)
    return rules(measure=Measure.PURE, per_answer=limit, per_project=limit, per_dataset=limit, **changes)


def column(name: str, type_: Type = INTEGER, **facts: Any) -> Column:
    return Column(next(_IDS), name, type_, Facts(**facts))


def scan(table: str, *columns: Column) -> Scan:
    return Scan(CATALOGUE.tables[table], columns)


def unit() -> Column:
    return column("person_id", nullable=False)


def known(name: str, *values: Value, nullable: bool = False) -> Column:
    return column(name, TEXT if isinstance(values[0], str) else INTEGER, domain=values, nullable=nullable)


def number(name: str, low: int, high: int, granularity: Fraction | None = Fraction(1), type_: Type = INTEGER) -> Column:
    return column(name, type_, interval=Interval(Fraction(low), Fraction(high)), granularity=granularity)


def asked(
    function: PrivateFunction, argument: Column | None = None, where: Expression | None = None, name: str = "n"
) -> Asked:
    types = {PrivateFunction.AVG: DOUBLE, PrivateFunction.SUM: argument.type if argument else INTEGER}
    types |= {one: DOUBLE for one in PrivateFunction if one.value in SPREADS}
    nullable = function in types
    output = column(name, types.get(function, INTEGER), nullable=nullable)
    return Asked(output, function, None if argument is None else Ref(argument), where)


def block(
    input_: Relation,
    person: Column,
    *measures: Asked,
    keys: tuple[Column, ...] = (),
    groups: int | None = None,
    rows: int = 100,
    typical: int | None = 20,
    one_row: bool = False,
) -> PrivateAggregate:
    grouped = tuple((column(key.name, key.type, **_facts(key)), Ref(key)) for key in keys)
    return PrivateAggregate(input_, person, grouped, measures, 1 if not keys else groups, rows, typical, one_row)


def _facts(key: Column) -> dict[str, Any]:
    return {"nullable": key.facts.nullable, "domain": key.facts.domain}


def query(root: Relation, *blocks: PrivateAggregate, names: tuple[str, ...] = ()) -> Query:
    return Query(root, names or tuple(one.name for one in root.columns), blocks, (), (), (), "")


def no_public_keys(_: PublicKeys) -> tuple[Value, ...]:
    raise AssertionError("these blocks look nothing up")
