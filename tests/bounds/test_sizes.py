"""Noisy sizes: paid and measured once a version, used for averages and for shares of a number, never the exact ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select

from audit import Demands, load_verifier, verify_folder
from audit.ledgers import parse_ledgers
from tests.bounds.homes import DATASET, PEOPLE, PROJECT, add_project, add_version, furnish
from tests.bounds.test_finding import SIZES, decided, spent
from tests.oracle.oracle import Oracle
from tests.oracle.stage import partials
from tests.oracle.worlds import world
from tests.privacy.blocks import rules
from tests.sql.catalogue import CATALOGUE
from tre import governance, ledger
from tre.app.admin import HomeAdmin
from tre.base.cost import Cost, Measure
from tre.catalogue import Catalogue, Size
from tre.ledger import LedgerId
from tre.privacy.accuracy import Accuracy
from tre.privacy.answer import answer
from tre.privacy.mechanisms import OpenDPNoise
from tre.privacy.plan import PrivatePlan, plan, privacy_map
from tre.privacy.release import release
from tre.privacy.request import Ask
from tre.privacy.sizes import Sizes, blocks, question, wanted
from tre.sql.binding import bind
from tre.sql.plan import Relation
from tre.store.tables import bounds_releases, versions

ROWS = sum(1 + i % 16 for i in range(PEOPLE))
AVERAGE = "SELECT AVG(COALESCE(fee, 0)) AS a FROM visit"


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAdmin]:
    found = furnish(tmp_path_factory.mktemp("sizes") / "home")
    yield found
    found.house.close()


def sizes_of(admin: HomeAdmin, version: str | None = None) -> Sizes:
    with admin.house.store.reading() as tx:
        return governance.found_sizes(tx, version or governance.current_version(tx, DATASET).name)


# --- what is released -------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["visit", "event", "death"])
def test_what_one_person_changes_in_a_size_is_paid_for(table: str) -> None:
    """Broken by counting a person's rows above the bound."""
    oracle, random = Oracle(), Random(5)
    for _ in range(6):
        made = world(random)
        oracle.load(made, random)
        query = bind(question(table, "person_id"), made.catalogue, date(2000, 1, 1))
        assert not oracle.violations(plan(query, Ask(rows=2), rules(units=64), lambda _keys: ()))


@pytest.mark.parametrize("measure", Measure)
def test_the_release_costs_no_more_than_its_price(measure: Measure) -> None:
    conversion = Fraction(1, 10**7) if measure is Measure.ZCDP else Fraction(0)
    whole = Cost(measure, 10**10)
    given = rules(measure=measure, per_answer=whole, conversion_delta=conversion, units=10_000)
    tables, price = wanted(CATALOGUE), Cost(measure, 10**7)
    measured = blocks(tables, CATALOGUE, given, price)
    assert set(tables) == {"person", "visit_occurrence", "condition_occurrence", "measurement", "death"}
    assert sum((privacy_map(one)[0] for one in measured), Fraction(0)) <= price.rho
    assert all(privacy_map(one)[1] == 0 for one in measured)


def test_a_size_is_near_the_truth_and_is_not_it(admin: HomeAdmin) -> None:
    """That all four numbers hit the truth by chance happens once in many millions of runs."""
    found = sizes_of(admin)
    visit, person = found["visit"], found["person"]
    assert abs(visit.people - PEOPLE) < 4 * visit.people_within
    assert abs(person.rows - PEOPLE) < 4 * person.rows_within
    assert ROWS - 8 * visit.rows_within < visit.rows < ROWS + 4 * visit.rows_within
    assert (visit.rows, visit.people, person.rows, person.people) != (ROWS, PEOPLE, PEOPLE, PEOPLE)
    assert min(visit.rows_within, visit.people_within, person.rows_within) > 0


def test_every_version_pays_for_its_own_and_a_newcomer_for_the_newest(tmp_path: Path) -> None:
    """Who is given the data later pays for bounds, which serve them, and not for sizes of what is past."""
    admin = furnish(tmp_path / "home")
    first = sizes_of(admin)
    before = spent(admin.house, LedgerId.of_dataset(DATASET))
    (paid,) = add_version(admin).paid
    assert (paid.what, paid.each) == ("sizes", True)
    with admin.house.store.reading() as tx:
        whole = ledger.balance(tx, LedgerId.of_dataset(DATASET)).limit
    assert paid.dataset == pytest.approx(SIZES.amount / whole.amount)
    assert sizes_of(admin) != first
    for account in (LedgerId.of_dataset(DATASET), LedgerId.of_project(PROJECT, DATASET)):
        assert spent(admin.house, account) == before + SIZES
    add_project(admin, "another")
    assert spent(admin.house, LedgerId.of_project("another", DATASET)) == before
    with admin.house.store.reading() as tx:
        demanded = parse_ledgers(json.dumps(ledger.export(tx)).encode())
    home = admin.house.home
    report = verify_folder(
        home.root / "log", load_verifier(home.vkey), Demands(ledger=demanded), head_folder=home.root / "head"
    )
    assert report.ok, report
    admin.house.close()


def test_a_release_of_sizes_stands_in_the_log_and_is_kept_with_its_version(admin: HomeAdmin) -> None:
    with admin.house.store.reading() as tx:
        released = tx.execute(select(bounds_releases.c.released, bounds_releases.c.version)).all()
        names = set(tx.execute(select(versions.c.name)).scalars())
    assert len(released) == 2
    assert all(event is not None and version in names for event, version in released)


# --- what is promised by it -------------------------------------------------------------------------------


def sized(rows: int = 40_000, within: float = 100.0, people: int = 5_000) -> Catalogue:
    """The small catalogue, whose measurements have a value each, with a released size of theirs."""
    table = CATALOGUE.tables["measurement"]
    columns = {name: replace(one, nullable=False) for name, one in table.columns.items()}
    size = Size(rows, within, people, 20.0, 50)
    made = replace(table, columns=MappingProxyType(columns), size=size, counts_kept=True)
    return replace(CATALOGUE, tables=MappingProxyType({**CATALOGUE.tables, "measurement": made}))


def planned(sql: str, ask: Ask | None = None, catalogue: Catalogue | None = None) -> PrivatePlan:
    query = bind(sql, catalogue or sized(), date(2024, 1, 1))
    return plan(query, ask or Ask(), rules(units=10_000), lambda _keys: ())


MEAN = "SELECT AVG(paid) AS a FROM measurement"


def told(found: PrivatePlan, count: int, total: int) -> tuple[float, float]:
    """Return an answer's average and half-width, with `count` rows that hold `total` cents above the centre."""
    (block,) = found.blocks
    parts = {part.kind.value: part.shares for part in block.shape.parts}
    exact: Mapping[str, int] = {"rows": count, "centred": total, "units": 5000, "clipped": 0}
    row = {one.name: [exact[one.kind.value] * one.shares] for one in block.shape.parts}
    assert set(parts) <= exact.keys()

    def evaluate(_relation: Relation, inputs: Mapping[str, Any]) -> pa.Table:
        return next(iter(inputs.values()))

    made = answer(found, [release(block, partials(pa.table(row)), OpenDPNoise())], evaluate)
    ((low, high),) = made.intervals[0] or ()
    value = float(str(made.rows[0][0]))
    return value, max(float(str(high)) - value, value - float(str(low)))


@pytest.mark.parametrize("mean", [500, 120, 980])
def test_an_average_of_a_whole_table_is_promised_an_error_that_its_answer_keeps(mean: int) -> None:
    """Wherever the average lies: the promise is as wide as the answer's interval and at most twice that."""
    found = planned(MEAN)
    promised = found.errors["a"]
    assert promised is not None
    _, half = told(found, 40_000, 40_000 * (mean - 500) * 100)
    assert half * 0.93 < promised < 2.1 * half
    assert found.notes["a"] == "no wider than this, with about 40,000 rows of measurement (its noisy size)"


def test_an_accuracy_of_an_average_is_priced_in_one_step() -> None:
    asked = planned(MEAN, Ask(accuracy=Accuracy.read("±2")))
    assert asked.most is None
    assert asked.errors["a"] is not None
    assert 1.9 < asked.errors["a"] <= 2
    dearer = planned(MEAN, Ask(accuracy=Accuracy.read("±1")))
    assert dearer.cost.amount == pytest.approx(4 * asked.cost.amount, rel=0.02)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT AVG(paid) AS a FROM measurement WHERE measurement_id > 7", "if all of the about 40,000 rows"),
        ("SELECT AVG(paid) FILTER (WHERE measurement_id > 7) AS a FROM measurement", "if all of the about 40,000"),
        ("SELECT AVG(NULLIF(paid, 0)) AS a FROM measurement", "if all of the about 40,000 rows"),
        (
            "SELECT measurement_concept_id = 7 AS k, AVG(paid) AS a FROM measurement GROUP BY 1",
            "lay evenly in the 2 groups, which is an assumption",
        ),
        ("SELECT measurement_concept_id AS k, AVG(paid) AS a FROM measurement GROUP BY 1", "none is known beforehand"),
    ],
)
def test_what_nobody_has_measured_is_said_and_not_promised(sql: str, said: str) -> None:
    """Broken by taking a filter, or a group, for the whole table: a pilot prices what is asked of it."""
    found = planned(sql)
    assert found.errors["a"] is None
    assert said in found.notes["a"]
    piloted = planned(sql, Ask(accuracy=Accuracy.read("±2")))
    assert piloted.most is not None
    assert piloted.cost.amount == pytest.approx(piloted.most.amount / 16, abs=16)


@pytest.mark.parametrize(("rows", "people"), [(150, 60), (-3, 60), (0, 0), (40_000, -10)])
def test_a_size_that_its_noise_may_have_made_prices_nothing(rows: int, people: int) -> None:
    found = planned(MEAN, catalogue=sized(rows, 100.0, people))
    assert found.errors["a"] is None
    assert "not clear of its own noise" in found.notes["a"]
    assert planned(MEAN, Ask(accuracy=Accuracy.read("±2")), sized(rows, 100.0, people)).most is not None
    share = planned(
        "SELECT COUNT(*) AS n FROM measurement", Ask(accuracy=Accuracy.read("±5%")), sized(rows, 99, people)
    )
    assert share.most is not None, "a pilot, as where no size is known"


@pytest.mark.parametrize(("sql", "least"), [("COUNT(*)", 39_900), ("COUNT(DISTINCT person_id)", 4_980)])
def test_a_share_of_a_known_size_needs_no_pilot(sql: str, least: int) -> None:
    """The share is one of the least that the number may be."""
    found = planned(f"SELECT {sql} AS n FROM measurement", Ask(accuracy=Accuracy.read("±2%")))
    assert found.most is None
    assert found.errors["n"] is not None
    assert 0.9 * least * 0.02 < found.errors["n"] <= least * 0.02


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) AS n FROM measurement WHERE measurement_id > 7",
        "SELECT measurement_concept_id = 7 AS k, COUNT(*) AS n FROM measurement GROUP BY 1",
        "SELECT SUM(paid) AS n FROM measurement",
        "SELECT COUNT(*) AS n FROM measurement JOIN person USING (person_id)",
        "SELECT 2 * COUNT(*) AS n FROM measurement",
    ],
)
def test_a_share_of_anything_else_does(sql: str) -> None:
    assert planned(sql, Ask(accuracy=Accuracy.read("±2%"))).most is not None


def test_fewer_rows_of_a_person_are_at_least_their_part_of_the_rows() -> None:
    """min(n, cap) ≥ min(n, 50) · cap/50; and nobody counted has none."""
    size = Size(40_000, 100.0, 5_000, 20.0, 50)
    assert size.least_rows(50) == size.least_rows(500) == 39_900
    assert size.least_rows(25) == 19_950
    assert size.least_rows(1) == 4_980


def test_a_check_tells_it_at_home(admin: HomeAdmin) -> None:
    found = decided(admin.house, AVERAGE)
    assert found.plan is not None
    assert found.plan.errors["a"] is not None
    assert f"{sizes_of(admin)['visit'].rows:,}" in found.plan.notes["a"]
