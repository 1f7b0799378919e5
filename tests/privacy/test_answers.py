"""The path of a block: plan → exact partials → release → answer, read naively, without engine or binder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction

import pyarrow as pa
import pytest

from tests.privacy.blocks import (
    DOUBLE,
    asked,
    block,
    known,
    no_public_keys,
    number,
    pure,
    query,
    rules,
    scan,
    unit,
)
from tests.privacy.exact import NoNoise
from tests.privacy.naive import Naive
from tre.base.cost import Cost, Measure
from tre.base.passage import Release, reload_release
from tre.privacy.answer import Answer, answer
from tre.privacy.mechanisms import Noise, OpenDPNoise
from tre.privacy.plan import plan
from tre.privacy.release import combine, release
from tre.privacy.request import Ask, Rules
from tre.sql.plan import Call, Column, Facts, Filter, Literal, PrivateFunction, Project, Query, Ref, Relation, Sort

COUNT, COUNT_X, UNITS, SUM, AVG = (
    PrivateFunction.COUNT_ROWS,
    PrivateFunction.COUNT,
    PrivateFunction.COUNT_UNITS,
    PrivateFunction.SUM,
    PrivateFunction.AVG,
)
PEOPLE = {
    "person": [
        {"person_id": one, "gender_concept_id": 8507 + 25 * (one % 2), "year_of_birth": 1950 + one} for one in range(60)
    ]
}


def ask_for(
    wanted: Query,
    tables: dict[str, list[dict[str, object]]],
    noise: Noise,
    given: Rules | None = None,
) -> Answer:
    found = plan(wanted, Ask(), given or rules(), no_public_keys)
    engine = Naive(tables)
    releases = [release(one, engine.partials(one.shape.relation), noise) for one in found.blocks]
    return answer(found, [reload_release(one.as_json()) for one in releases], engine.table)


def count_of_people() -> Query:
    person = unit()
    one = block(scan("person", person), person, asked(COUNT), one_row=True)
    return query(one, one)


def test_a_count_comes_back_with_its_interval_and_price() -> None:
    found = ask_for(count_of_people(), PEOPLE, NoNoise())
    assert found.rows == ((60,),)
    (low, high), *_ = found.intervals[0] or ()
    assert low is not None
    assert high is not None
    assert low < 60 < high
    assert float(high) - 60 == 60 - float(low) == pytest.approx(8, abs=2)  # 1.96 / √(2 · 0.0244)
    assert found.cost == Cost(Measure.ZCDP, 24355970)
    assert found.clipped is None


def test_the_json_of_an_answer_names_the_ends_of_each_interval() -> None:
    found = ask_for(count_of_people(), PEOPLE, NoNoise()).as_json()
    assert [column["name"] for column in found["columns"]] == ["n", "n_low", "n_high"]  # type: ignore[attr-defined]
    assert json.loads(json.dumps(found))["rows"][0][0] == 60


def by_sex(*measures: PrivateFunction, nullable: bool = True) -> Query:
    person, sex = unit(), known("gender_concept_id", 8532, 8507, nullable=nullable)
    year = number("year_of_birth", 1900, 2025)
    outputs = [asked(one, year if one in (SUM, AVG) else None, name=one.value) for one in measures]
    one = block(scan("person", person, sex, year), person, *outputs, keys=(sex,), groups=1, one_row=True)
    return query(one, one)


def test_known_groups_all_leave_zero_filled_in_key_order_with_other_last() -> None:
    assert ask_for(by_sex(COUNT), PEOPLE, NoNoise()).rows == ((8507, 30), (8532, 30), (None, 0))


def test_the_rows_that_leave_do_not_depend_on_the_data() -> None:
    full = ask_for(by_sex(COUNT), PEOPLE, OpenDPNoise())
    empty = ask_for(by_sex(COUNT), {"person": []}, OpenDPNoise())
    assert [row[0] for row in full.rows] == [row[0] for row in empty.rows] == [8507, 8532, None]


def test_in_the_limit_every_aggregate_is_the_truth() -> None:
    found = ask_for(by_sex(COUNT, UNITS, SUM, AVG, nullable=False), PEOPLE, NoNoise())
    for sex, rows, people, total, mean in found.rows:
        years = [row["year_of_birth"] for row in PEOPLE["person"] if row["gender_concept_id"] == sex]
        assert (rows, people, total, mean) == (
            len(years),
            len(years),
            sum(years),
            pytest.approx(sum(years) / len(years)),
        )


def test_an_avg_is_null_by_its_noisy_count_and_its_interval_with_it() -> None:
    found = ask_for(by_sex(AVG), {"person": []}, NoNoise())
    assert [row[1] for row in found.rows] == [None, None, None]
    assert found.intervals[1] == ((None, None),) * 3


def test_groups_under_the_minimum_are_shown_without_their_values() -> None:
    few = {"person": [row for row in PEOPLE["person"] if row["gender_concept_id"] == 8507 or row["person_id"] < 8]}
    found = ask_for(by_sex(COUNT, SUM), few, NoNoise(), given=rules(minimum_group=10))
    assert found.rows == (
        (8507, 30, sum(1950 + one for one in range(0, 60, 2))),
        (8532, None, None),
        (None, None, None),
    )
    assert found.suppressed == (False, True, True)
    assert (found.intervals[1] or ())[1] == (None, None)


def by_unknown(values: dict[int, int], minimum: int | None = None, given: Rules | None = None) -> Answer:
    person, place = unit(), Column(10**6, "location_id", Literal(1, unit().type, Facts()).type)
    one = block(scan("person", person, place), person, asked(COUNT), keys=(place,), groups=1, one_row=True)
    rows = [{"person_id": at, "location_id": place} for place, people in values.items() for at in range(people)]
    return ask_for(query(one, one), {"person": rows}, OpenDPNoise(), given=given or rules(minimum_group=minimum))


def test_unknown_groups_leave_by_their_people_and_small_ones_stay() -> None:
    found = by_unknown({1: 5000, 2: 1, 3: 4000, 4: 1})
    assert [row[0] for row in found.rows] == [1, 3]
    assert found.cost.delta == 10**12
    assert all(abs(row[1] - exact) < 200 for row, exact in zip(found.rows, (5000, 4000), strict=True))  # type: ignore[operator]


def test_unknown_groups_under_the_minimum_are_dropped() -> None:
    assert [row[0] for row in by_unknown({1: 5000, 2: 200}, minimum=1000).rows] == [1]


def test_no_unknown_group_leaves_an_empty_table() -> None:
    assert by_unknown({}).rows == ()


def post_processed() -> Query:
    """SELECT sex, total * 1.0 / n AS mean FROM … HAVING n > 5 ORDER BY n DESC LIMIT 1."""
    base = by_sex(COUNT, SUM, nullable=False)
    (one,) = base.blocks
    sex, n, total = one.columns
    having = Filter(one, Call(">", (Ref(n), Literal(5, n.type, Facts())), n.type, Facts()))
    mean = Column(10**7, "mean", DOUBLE)
    sort = Sort(having, ((Ref(n), True, False),), limit=1)
    ratio = Call(
        "/", (Call("*", (Ref(total), Literal(Fraction(1), DOUBLE, Facts())), DOUBLE, Facts()), Ref(n)), DOUBLE, Facts()
    )
    return query(Project(sort, ((sex, Ref(sex)), (mean, ratio), (n, Ref(n)))), one)


def test_what_stands_above_a_block_is_free_and_a_ratio_gets_a_simulated_interval() -> None:
    people = [*PEOPLE["person"] * 20, {"person_id": -1, "gender_concept_id": 8532, "year_of_birth": 1990}]
    found = ask_for(post_processed(), {"person": people}, NoNoise())
    assert found.rows == ((8532, pytest.approx(1980, abs=1), 601),)
    (low, high), *_ = found.intervals[1] or ()
    assert low is not None
    assert high is not None
    assert low < 1980 < high
    assert float(high) - float(low) < 300
    assert [column.noisy for column in found.columns] == [False, True, True]
    assert found.cost == plan(post_processed(), Ask(), rules(), no_public_keys).cost


def test_a_release_that_leaves_as_it_is_asks_no_engine_and_is_what_the_engine_would_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = by_sex(COUNT, AVG)
    (one,) = base.blocks
    sex, n, mean = one.columns
    again = Column(10**7, "again", n.type)
    wanted = query(Project(one, ((again, Ref(n)), (mean, Ref(mean)), (sex, Ref(sex)), (n, Ref(n)))), one)
    by_engine: list[Relation] = []

    def engine_table(self: Naive, relation: Relation, released: Mapping[str, pa.Table]) -> pa.Table:
        by_engine.append(relation)
        return table(self, relation, released)

    table = Naive.table
    monkeypatch.setattr(Naive, "table", engine_table)
    at_once = ask_for(wanted, PEOPLE, NoNoise())
    assert by_engine == []
    monkeypatch.setattr("tre.privacy.above.as_released", lambda _relation: None)
    assert ask_for(wanted, PEOPLE, NoNoise()) == at_once
    assert len(by_engine) == 1
    assert [row[0] for row in at_once.rows] == [30, 30, 0]


def test_a_ratio_s_interval_covers_as_promised() -> None:
    covered = 0
    people = {"person": PEOPLE["person"] * 20}
    for _ in range(60):
        found = ask_for(by_sex(AVG, nullable=False), people, OpenDPNoise())
        for row, (low, high) in zip(found.rows, found.intervals[1] or (), strict=True):
            years = [one["year_of_birth"] for one in PEOPLE["person"] if one["gender_concept_id"] == row[0]]
            covered += float(low or 0) <= sum(years) / len(years) <= float(high or 0)
    assert covered >= 98  # of 120 at 95 %: fewer with probability below 10⁻⁶


def test_a_query_without_blocks_is_exact_and_free() -> None:
    place = known("gender_concept_id", 1, 2)
    found = ask_for(
        query(scan("concept", place)), {"concept": [{"gender_concept_id": 2}, {"gender_concept_id": 1}]}, NoNoise()
    )
    assert found.rows == ((1,), (2,))
    assert found.cost == Cost.zero(Measure.ZCDP)
    assert found.intervals == (None,)


def test_pure_answers_have_laplace_intervals_and_no_delta() -> None:
    found = ask_for(
        count_of_people(), PEOPLE, OpenDPNoise(), given=pure(conversion_delta=Fraction(0), keys_delta=Fraction(0))
    )
    assert found.cost == Cost(Measure.PURE, 10**9)
    (low, high), *_ = found.intervals[0] or ()
    assert float(high or 0) - float(low or 0) <= 8


def test_two_draws_combine_to_what_their_sum_would_have_bought() -> None:
    first = Release(((1,),), {"p0": (100,)}, {"p0": Fraction(400)}, Fraction(1, 800))
    second = Release(((1,),), {"p0": (130,)}, {"p0": Fraction(100)}, Fraction(1, 200))
    found = combine((first, second))
    assert found.vectors["p0"] == (124,)
    assert found.variances["p0"] == 80 + Fraction(1, 12)
    assert found.rho == Fraction(5, 800)
    assert combine((first,)) is first


def test_draws_of_different_keys_do_not_combine() -> None:
    first = Release(((1,),), {"p0": (1,)}, {"p0": Fraction(1)}, Fraction(1))
    with pytest.raises(ValueError, match="different questions"):
        combine((first, Release(((2,),), {"p0": (1,)}, {"p0": Fraction(1)}, Fraction(1))))
