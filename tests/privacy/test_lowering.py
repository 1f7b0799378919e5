"""What one person can change in the exact partials: at most what the price assumes (PRIVACY §3.2, §5)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.privacy.blocks import DOUBLE, asked, block, column, known, no_public_keys, number, query, rules, scan, unit
from tests.privacy.exact import NoNoise
from tests.privacy.naive import Naive, without
from tre.base.passage import Key, decode_partials
from tre.catalogue import Interval
from tre.privacy.answer import answer
from tre.privacy.parts import PartKind
from tre.privacy.plan import Shape, plan
from tre.privacy.release import release
from tre.privacy.request import Ask
from tre.sql import functions
from tre.sql.plan import Aggregate, Expression, Keep, PrivateFunction, Query, Ref
from tre.sql.plan import Column as PlanColumn

COUNT, COUNT_X, UNITS, SUM, AVG = (
    PrivateFunction.COUNT_ROWS,
    PrivateFunction.COUNT,
    PrivateFunction.COUNT_UNITS,
    PrivateFunction.SUM,
    PrivateFunction.AVG,
)
ZERO = Interval(Fraction(0), Fraction(0))
Rows = dict[str, list[dict[str, Any]]]

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "person_id": st.integers(1, 3),
            "measurement_concept_id": st.sampled_from([None, 1, 2, 3]),
            "value_as_number": st.one_of(st.none(), st.integers(-50, 400).map(lambda tenth: Fraction(tenth, 10))),
            "flag": st.booleans(),
        }
    ),
    max_size=40,
)


def measurements(
    functions: tuple[PrivateFunction, ...], is_known: bool, filtered: bool = False, typical: int = 3
) -> tuple[Query, PlanColumn]:
    person, flag = unit(), column("flag", domain=(False, True), nullable=False)
    key = known("measurement_concept_id", 1, 2, 3, nullable=True) if is_known else column("measurement_concept_id")
    value = number("value_as_number", 0, 30, Fraction(1, 10), DOUBLE)
    where: Expression | None = Ref(flag) if filtered else None
    outputs = [
        asked(one, value if one in (SUM, AVG, COUNT_X) else None, where, f"{one.value}_{at}")
        for at, one in enumerate(functions)
    ]
    source = scan("measurement", person, key, value, flag)
    one = block(source, person, *outputs, keys=(key,), rows=40, typical=typical)
    return query(one, one), value


def vectors(shape: Shape, tables: Rows) -> dict[Key, tuple[int, ...]]:
    table = decode_partials(Naive(tables).partials(shape.relation))
    width = len(shape.source.keys)
    columns = [table.column(at).to_pylist() for at in range(table.num_columns)]
    return {
        tuple(columns[at][row] for at in range(width)): tuple(int(one[row] or 0) for one in columns[width:])
        for row in range(table.num_rows)
    }


FUNCTIONS = st.lists(st.sampled_from([COUNT, COUNT_X, UNITS, SUM, AVG]), min_size=1, max_size=4).map(tuple)


@settings(max_examples=150, deadline=None)
@given(ROWS, FUNCTIONS, st.booleans(), st.booleans(), st.integers(1, 3), st.integers(1, 3))
def test_one_person_changes_no_more_than_the_price_assumes(
    rows: list[dict[str, Any]],
    functions: tuple[PrivateFunction, ...],
    is_known: bool,
    filtered: bool,
    groups: int,
    person: int,
) -> None:
    wanted, _ = measurements(functions, is_known, filtered, typical=1)
    shape = plan(wanted, Ask(groups=groups), rules(minimum_group=5), no_public_keys).blocks[0].shape
    tables = {"measurement": rows}
    full, less = vectors(shape, tables), vectors(shape, without(tables, person))
    nothing = (0,) * len(shape.parts)
    changes = {key: _difference(full.get(key, nothing), less.get(key, nothing)) for key in {*full, *less}}
    touched = {key: change for key, change in changes.items() if any(change)}
    assert len({*full} ^ {*less}) <= groups
    assert len(touched) <= groups
    for at, part in enumerate(shape.parts):
        assert all(abs(change[at]) <= part.sensitivity for change in touched.values())
        if part.kind in (PartKind.COUNT, PartKind.ROWS, PartKind.UNITS, PartKind.CLIPPED):
            assert all(change[at] >= 0 for change in touched.values())


def _difference(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a - b for a, b in zip(one, other, strict=True))


@settings(max_examples=60, deadline=None)
@given(ROWS, st.booleans())
def test_with_wide_bounds_and_no_noise_the_answer_is_the_truth(rows: list[dict[str, Any]], filtered: bool) -> None:
    wanted, _ = measurements((COUNT, COUNT_X, UNITS, SUM, AVG), True, filtered, typical=40)
    found = plan(wanted, Ask(groups=4), rules(), no_public_keys)
    engine = Naive({"measurement": rows})
    released = [release(one, engine.partials(one.shape.relation), NoNoise()) for one in found.blocks]
    for key, n, of_x, people, total, mean in answer(found, released, engine.table).rows:
        mine = [one for one in rows if one["measurement_concept_id"] == key and (one["flag"] or not filtered)]
        values = [min(max(one["value_as_number"], 0), 30) for one in mine if one["value_as_number"] is not None]
        assert (n, of_x, people) == (len(mine), len(values), len({one["person_id"] for one in mine}))
        assert float(str(total)) == pytest.approx(float(sum(values)))
        assert mean == (pytest.approx(float(sum(values) / len(values))) if values else None)


def test_an_average_is_not_biased_by_people_with_many_rows() -> None:
    """Separate clips of sum and count moved an AVG by 9.6 %; one weight for the pair does not (PRIVACY §3.2)."""
    rows = [
        {"person_id": person, "measurement_concept_id": 1, "value_as_number": Fraction(10 + at % 11), "flag": True}
        for person in range(200)
        for at in range(1 + 38 * (person % 5 == 0))
    ]
    found = mean_of(rows, typical=3)
    weights = {person: min(1.0, 3 / (39 if person % 5 == 0 else 1)) for person in range(200)}
    weighted = [(weights[one["person_id"]], float(one["value_as_number"])) for one in rows]
    expected = sum(w * x for w, x in weighted) / sum(w for w, _ in weighted)
    assert found == pytest.approx(expected, abs=0.05)


def mean_of(rows: list[dict[str, Any]], typical: int) -> float:
    wanted, _ = measurements((AVG,), True, typical=typical)
    found = plan(wanted, Ask(groups=4), rules(), no_public_keys)
    engine = Naive({"measurement": rows})
    released = [release(one, engine.partials(one.shape.relation), NoNoise()) for one in found.blocks]
    return float(str(answer(found, released, engine.table).rows[0][1]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 300)), min_size=1, max_size=30))
def test_a_constant_s_average_is_that_constant_however_contributions_are_skewed(rows: list[tuple[int, int]]) -> None:
    same = [
        {"person_id": one, "measurement_concept_id": 1, "value_as_number": Fraction(157, 10), "flag": True}
        for one, _ in rows
    ]
    assert mean_of(same, typical=2) == pytest.approx(15.7, abs=0.1)


def part_kinds(
    *functions: PrivateFunction, given: Callable[..., Any] = rules, groups: int = 2, **ask: Any
) -> list[PartKind]:
    wanted, _ = measurements(functions, True)
    planned = plan(wanted, Ask(groups=groups, **ask), given(), no_public_keys)
    return [part.kind for part in planned.blocks[0].shape.parts]


def test_shared_parts_are_measured_once() -> None:
    assert part_kinds(AVG, SUM, COUNT_X) == [PartKind.CENTRED, PartKind.COUNT, PartKind.UNITS, PartKind.CLIPPED]
    assert part_kinds(COUNT, COUNT) == [PartKind.ROWS, PartKind.UNITS, PartKind.CLIPPED]
    assert part_kinds(UNITS, groups=100) == [PartKind.UNITS]


def test_people_who_are_cut_to_fewer_groups_count_as_clipped() -> None:
    assert part_kinds(UNITS, groups=2) == [PartKind.UNITS, PartKind.CLIPPED]


def test_a_sum_that_the_request_bounds_is_measured_by_itself() -> None:
    totals = {"sum_1": Interval(Fraction(0), Fraction(20))}
    assert part_kinds(AVG, SUM, totals=totals) == [
        PartKind.CENTRED,
        PartKind.COUNT,
        PartKind.SUM,
        PartKind.UNITS,
        PartKind.CLIPPED,
    ]


def test_a_minimum_group_pays_for_a_count_of_people() -> None:
    assert PartKind.UNITS not in part_kinds(COUNT, rows=40, groups=100)
    assert PartKind.UNITS in part_kinds(COUNT, rows=40, groups=100, given=lambda: rules(minimum_group=10))


def test_one_row_a_person_needs_no_pass_per_person() -> None:
    person, sex = unit(), known("gender_concept_id", 1, 2)
    one = block(scan("person", person, sex), person, asked(COUNT), asked(UNITS), keys=(sex,), groups=1, one_row=True)
    shape = plan(query(one, one), Ask(), rules(), no_public_keys).blocks[0].shape
    assert isinstance(shape.relation, Aggregate)
    assert shape.relation.input is one.input
    assert len(shape.parts) == 1


def test_units_are_cut_to_l0_only_where_they_can_have_more_groups() -> None:
    for groups, kept in ((3, True), (4, False)):
        wanted, _ = measurements((COUNT,), True)
        relation = plan(wanted, Ask(groups=groups), rules(), no_public_keys).blocks[0].shape.relation
        assert isinstance(relation, Aggregate)
        assert isinstance(relation.input, Keep) is kept


def test_a_double_without_a_grid_gets_one_from_its_bounds() -> None:
    person, value = unit(), number("value_as_number", 0, 300, None, DOUBLE)
    one = block(scan("measurement", person, value), person, asked(SUM, value, name="total"))
    (part, *_) = plan(query(one, one), Ask(), rules(), no_public_keys).blocks[0].shape.parts
    assert part.granularity == Fraction(1, 2**11)
    assert part.high == 20 * 300 * 2**11


def test_an_unbounded_column_is_summed_within_the_total_that_the_request_names() -> None:
    person, value = unit(), column("cost")
    one = block(scan("measurement", person, value), person, asked(SUM, value, name="total"))
    rows = [{"person_id": 1, "cost": 10**15}, {"person_id": 1, "cost": 7}, {"person_id": 2, "cost": -10}]
    found = plan(query(one, one), Ask(totals={"total": Interval(Fraction(-5), Fraction(50))}), rules(), no_public_keys)
    engine = Naive({"measurement": rows})
    exact = vectors(found.blocks[0].shape, {"measurement": rows})
    assert exact[()][0] == 50 - 5
    assert answer(
        found, [release(found.blocks[0], engine.partials(found.blocks[0].shape.relation), NoNoise())], engine.table
    )


def test_a_total_bounded_to_nothing_is_nothing() -> None:
    person, value = unit(), column("cost")
    one = block(scan("measurement", person, value), person, asked(SUM, value, name="total"))
    shape = plan(query(one, one), Ask(totals={"total": ZERO}), rules(), no_public_keys).blocks[0].shape
    assert vectors(shape, {"measurement": [{"person_id": 1, "cost": 5}]})[()] == (0, 1, 0)


def test_a_narrowed_total_of_one_row_counts_who_was_clipped() -> None:
    person, year = unit(), number("year_of_birth", 1900, 2025)
    where = functions.call(">", Ref(year), Ref(year))
    for condition, clipped in ((None, 2), (where, 0)):
        measure = asked(SUM, year, condition, name="total")
        one = block(scan("person", person, year), person, measure, one_row=True)
        ask = Ask(totals={"total": Interval(Fraction(0), Fraction(1950))})
        shape = plan(query(one, one), ask, rules(), no_public_keys).blocks[0].shape
        people = [{"person_id": at, "year_of_birth": 1949 + at} for at in range(4)]
        exact = vectors(shape, {"person": people})[()]
        names = [part.kind for part in shape.parts]
        assert exact[names.index(PartKind.CLIPPED)] == clipped
