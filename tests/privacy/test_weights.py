"""One weight a unit: what is measured is the definition of PRIVACY §3.2, however the engine comes by it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from tests.oracle.asking import PURE, WIDE, planned
from tests.oracle.oracle import vectors
from tests.oracle.stage import FULL, Stage
from tests.oracle.worlds import catalogue
from tre.catalogue import Catalogue, Interval
from tre.privacy.blocks import Block
from tre.privacy.parts import Part, PartKind
from tre.privacy.request import Ask, Rules
from tre.privacy.weights import MOST_SHARES
from tre.sql.render import render

USUAL, PEOPLE = 4, 60


def rows() -> list[tuple[int, int | None, int]]:
    """Person, code, value: some have a row, some dozens, in few or many groups."""
    random = Random(8)
    return [
        (person, random.choice((None, 1, 2, 3) if person % 3 else (1,)), random.randrange(-5, 11))
        for person in range(1, PEOPLE)
        for _ in range(random.choice((1, 2, 5, 30)))
    ]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    made = Stage()
    for place, (person, code, value) in enumerate(rows()):
        made.connection.execute(
            f"INSERT INTO {FULL}.event (event_id, person_id, code, value) VALUES (?, ?, ?, ?)",
            [place, person, code, value],
        )
    for person in range(1, PEOPLE, 2):
        made.connection.execute(
            f"INSERT INTO {FULL}.person (person_id, sex) VALUES (?, ?)", [person, 1 + person % 4 // 2]
        )
    yield made
    made.connection.close()


def clinic(counts_kept: bool) -> Catalogue:
    given = catalogue(Random(1), plain=True)
    event = given.tables["event"]
    code = replace(event.columns["code"], domain=(1, 2, 3))
    value = replace(event.columns["value"], bounds=Interval(-5, 10))  # type: ignore[arg-type]
    event = replace(
        event,
        typical_rows=USUAL,
        counts_kept=counts_kept,
        rows_per_unit=40,
        enforced_rows=40,
        columns={**event.columns, "code": code, "value": value},
    )
    return replace(given, units=PEOPLE, tables={**given.tables, "event": event})


def block_of(
    stage: Stage,
    text: str,
    counts_kept: bool = True,
    ask: Ask | None = None,
    minimum: int | None = None,
    given: Rules = WIDE,
) -> Block:
    given = replace(given, minimum_group=minimum)
    plan = planned(text, clinic(counts_kept), stage.public_keys, ask or Ask(), given)
    assert plan is not None
    (block,) = plan.blocks
    return block


def weights(norms: dict[int, int], most: int) -> dict[int, int]:
    return {who: MOST_SHARES if norm <= most else MOST_SHARES * most // norm for who, norm in norms.items()}


def defined(part: Part) -> dict[int | None, int]:
    """Return a part by group as it is defined."""
    step = int(1 / part.granularity) if part.kind is PartKind.SUM else 1
    found: defaultdict[int | None, int] = defaultdict(int)
    norms: Counter[int] = Counter()
    for person, _, value in rows():
        norms[person] += abs(value) * step if part.kind is PartKind.SUM else 1
    weight = weights(norms, part.sensitivity // part.shares)
    for person, code, value in rows():
        found[code] += weight[person] * (value * step if part.kind is PartKind.SUM else 1)
    return dict(found)


@pytest.mark.parametrize("counts_kept", [True, False])
def test_each_person_adds_what_one_weight_leaves_of_their_rows(stage: Stage, counts_kept: bool) -> None:
    block = block_of(stage, "SELECT code, COUNT(*), SUM(value) FROM event GROUP BY code", counts_kept)
    found = vectors(block, stage.run(block.shape.relation, FULL))
    for at, part in enumerate(block.shape.parts[:2]):
        assert (part.whole, part.shares) == (True, MOST_SHARES)
        assert {key[0]: cells[at][0] for key, cells in found.items()} == defined(part)


def test_all_people_and_those_with_less_than_a_whole_weight_are_counted_once(stage: Stage) -> None:
    block = block_of(stage, "SELECT code, COUNT(*) FROM event GROUP BY code")
    found = vectors(block, stage.run(block.shape.relation, FULL))
    names = [part.name for part in block.shape.parts]
    rows_of = Counter(person for person, _, _ in rows())
    people, clipped = names.index(block.shape.people), names.index(block.shape.clipped)
    assert sum(cells[people][0] for cells in found.values()) == len(rows_of)
    assert sum(cells[clipped][0] for cells in found.values()) == sum(count > USUAL for count in rows_of.values())


PEOPLE_BY_CODE = "SELECT code, COUNT(DISTINCT person_id) FROM event GROUP BY code"
ONE_A_CODE = "SELECT code, COUNT(*) FROM (SELECT DISTINCT person_id, code FROM event) q GROUP BY code"


def test_the_people_of_few_groups_are_counted_as_bits(stage: Stage) -> None:
    block = block_of(stage, PEOPLE_BY_CODE, given=replace(WIDE, groups=None))
    found = vectors(block, stage.run(block.shape.relation, FULL))
    expected: defaultdict[int | None, set[int]] = defaultdict(set)
    for person, code, _ in rows():
        expected[code].add(person)
    assert {key[0]: cells[0][0] for key, cells in found.items()} == {key: len(who) for key, who in expected.items()}
    assert "BIT_OR" in render(block.shape.relation).sql


@pytest.mark.parametrize("given", [WIDE, replace(PURE, groups=2)])
def test_people_count_in_as_many_groups_as_the_policy_says_where_that_noise_is_seen(stage: Stage, given: Rules) -> None:
    """Broken by counting them by places whatever the policy says of groups."""
    shape = block_of(stage, PEOPLE_BY_CODE, given=given).shape
    assert shape.groups == 2
    assert "BIT_OR" not in render(shape.relation).sql
    many = block_of(stage, PEOPLE_BY_CODE, given=replace(given, units=10**9)).shape
    assert (many.groups, "BIT_OR" in render(many.relation).sql) == (4, True)


def test_one_row_of_a_person_in_each_group_changes_it_by_one(stage: Stage) -> None:
    """Two in L2 over four groups, where one weight allows for four rows."""
    shape = block_of(stage, ONE_A_CODE, given=replace(WIDE, groups=None)).shape
    (part,) = (part for part in shape.parts if part.kind is PartKind.ROWS)
    assert (part.whole, part.cap, part.proven, shape.groups) == (False, 1, True, 4)
    many = block_of(stage, ONE_A_CODE, given=replace(WIDE, groups=None, units=10**9)).shape
    assert all(part.whole for part in many.parts if part.kind is PartKind.ROWS)


def test_one_weight_is_kept_where_anything_would_be_noisier_without(stage: Stage) -> None:
    text = "SELECT code, COUNT(*), COUNT(DISTINCT person_id) FROM event GROUP BY code"
    assert any(part.whole for part in block_of(stage, text).shape.parts)


def test_kept_counts_are_read_in_place_of_rows(stage: Stage) -> None:
    def text(sql: str, counts_kept: bool) -> str:
        return render(block_of(stage, sql, counts_kept).shape.relation).sql

    assert '"tre_side"' in text("SELECT COUNT(*) FROM event", True)
    assert '"tre_side"' not in text("SELECT COUNT(*) FROM event", False)
    assert '"tre_side"' not in text("SELECT COUNT(*) FROM event WHERE code = 1", True)


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("SELECT COUNT(DISTINCT e.person_id) FROM person p JOIN event e ON e.person_id = p.person_id", True),
        (
            "SELECT sex, COUNT(DISTINCT e.person_id) FROM person p, event e WHERE e.person_id = p.person_id GROUP BY 1",
            True,
        ),
        (
            "SELECT COUNT(DISTINCT p.person_id) FROM person p JOIN event e ON e.person_id = p.person_id "
            "JOIN (SELECT person_id AS whose FROM event) f ON f.whose = p.person_id WHERE p.sex = 1",
            True,
        ),
        (
            "SELECT COUNT(DISTINCT p.person_id) FROM person p JOIN event e ON e.person_id = p.person_id AND e.code = 1",
            False,
        ),
        ("SELECT COUNT(DISTINCT p.person_id) FROM person p LEFT JOIN event e ON e.person_id = p.person_id", False),
        ("SELECT COUNT(*) FROM person p JOIN event e ON e.person_id = p.person_id", False),
    ],
)
def test_a_table_of_which_only_the_people_matter_is_read_once_a_person(stage: Stage, text: str, once: bool) -> None:
    found = []
    for counts_kept in (True, False):
        block = block_of(stage, text, counts_kept)
        assert ('"tre_side"."event"' in render(block.shape.relation).sql) is (counts_kept and once)
        found.append(vectors(block, stage.run(block.shape.relation, FULL)))
    assert found[0] == found[1]
    assert all(cells[0][0] for cells in found[0].values())


@pytest.mark.parametrize("ask", [Ask(rows=3), Ask(groups=2)])
def test_who_bounds_a_group_is_measured_by_group(stage: Stage, ask: Ask) -> None:
    shape = block_of(stage, "SELECT code, COUNT(*) FROM event GROUP BY code", ask=ask).shape
    assert not any(part.whole for part in shape.parts)


def test_a_minimum_group_counts_people_by_group(stage: Stage) -> None:
    shape = block_of(stage, "SELECT code, COUNT(*) FROM event GROUP BY code", minimum=5).shape
    whole = {part.name: part.whole for part in shape.parts}
    assert (whole[str(shape.units)], whole[str(shape.people)]) == (False, True)


def test_what_is_in_use_says_that_a_bound_is_for_all_groups_together(stage: Stage) -> None:
    text = "SELECT code, COUNT(*) AS n FROM event GROUP BY code"
    plan = planned(text, clinic(True), stage.public_keys, Ask(), WIDE)
    assert plan is not None
    assert plan.bounds["n"] == {"together": "yes", "rows": str(USUAL)}
