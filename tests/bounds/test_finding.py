"""From a version to bounds in use: paid once by everybody, measured once, used by every question, told with answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import select

from audit import Demands, load_verifier, verify_folder
from audit.ledgers import parse_ledgers
from tests.bounds.homes import DATASET, OKAFOR, POLICY, PROJECT, add_project, add_version, furnish
from tre import governance, ledger
from tre.app.admin import HomeAdmin, open_admin
from tre.app.compose import House
from tre.base.cost import Cost, Measure
from tre.base.reasons import Refused
from tre.broker import Parts
from tre.broker.asking import check
from tre.broker.standing import ground_of, question_digest, standing
from tre.catalogue import Interval
from tre.client.listings import dataset_from
from tre.decide import Decision, Question
from tre.ledger import LedgerId
from tre.policy import compile_policy, load_policy
from tre.privacy.histograms import Histogram, Subject
from tre.privacy.request import Ask
from tre.privacy.told import FOUND, REQUEST
from tre.store.tables import movements
from tre.web.adapter.dictionary import dictionary

OF_DATASET, OF_PROJECT = LedgerId.of_dataset(DATASET), LedgerId.of_project(PROJECT, DATASET)
PRICE = compile_policy(load_policy(POLICY), DATASET).rules.bounds or Cost(Measure.ZCDP, 0)
SIZES = Cost(PRICE.measure, PRICE.amount // 25)
"""What the sizes of each version cost."""
SUM = "SELECT sex, COUNT(*) AS n, SUM(cost) AS s, AVG(cost) AS a FROM person JOIN visit USING (person_id) GROUP BY sex"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bounds") / "home"
    furnish(root).house.close()
    return root


@pytest.fixture
def admin(made: Path, tmp_path: Path) -> Iterator[HomeAdmin]:
    shutil.copytree(made, tmp_path / "home")
    found = open_admin(tmp_path / "home")
    found.house.journal.recover()
    yield found
    found.house.close()


@contextmanager
def parts_of(house: House) -> Iterator[Parts]:
    parts = house.parts()
    try:
        yield parts
    finally:
        parts.engine.close()


def decided(house: House, sql: str, **ask: object) -> Decision:
    with parts_of(house) as parts:
        return check(parts, OKAFOR, PROJECT, DATASET, Question(sql, "postgres", Ask(Fraction(1), **ask)))[0]


def spent(house: House, account: LedgerId) -> Cost:
    with house.store.reading() as tx:
        found = ledger.balance(tx, account)
    assert found.reserved == Cost.zero(found.reserved.measure)
    return found.spent


def found_in(house: House) -> dict[Subject, Histogram]:
    with house.store.reading() as tx:
        return dict(governance.found_bounds(tx, DATASET))


def test_a_release_is_charged_to_the_data_set_and_to_each_project_once(admin: HomeAdmin) -> None:
    price = PRICE + SIZES
    assert (spent(admin.house, OF_DATASET), spent(admin.house, OF_PROJECT)) == (price, price)
    add_project(admin, "another")
    assert spent(admin.house, LedgerId.of_project("another", DATASET)) == price
    assert spent(admin.house, OF_DATASET) == price


def test_a_later_version_reuses_what_was_found(admin: HomeAdmin) -> None:
    before = found_in(admin.house)
    add_version(admin)
    assert found_in(admin.house) == before
    price = PRICE + SIZES + SIZES
    assert (spent(admin.house, OF_DATASET), spent(admin.house, OF_PROJECT)) == (price, price)


def test_a_column_that_is_opened_later_pays_its_part_of_the_price(admin: HomeAdmin) -> None:
    add_version(admin, POLICY.replace(", bounds: [0, 100]}", "}"))
    expected = PRICE + Cost(PRICE.measure, PRICE.amount * 2 // 6) + SIZES + SIZES
    assert (spent(admin.house, OF_DATASET), spent(admin.house, OF_PROJECT)) == (expected, expected)
    assert {one.column for one in found_in(admin.house)} == {"", "cost", "day", "fee"}


@pytest.mark.parametrize("priced", ["", "  bounds: {epsilon: 2}\n"])
def test_what_the_policy_declares_costs_nothing_but_the_sizes_that_it_names_a_price_for(
    tmp_path: Path, priced: str
) -> None:
    closed = POLICY.replace(", bounds: automatic}", ", bounds: [2000-01-01, 2029-12-31]}")
    closed = closed.replace('cost: {class: sensitive, type: "decimal(12, 2)"}', "cost: {is: fee}")
    closed = closed.replace(
        "tables:\n", 'kinds: {fee: {class: sensitive, type: "decimal(12, 2)", bounds: [0, 9]}}\ntables:\n'
    )
    closed = closed.replace("rows per person: 200", "rows per person: 200\n    usual rows: 16")
    admin = furnish(tmp_path / "home", closed.replace("  bounds: {epsilon: 2}\n", priced))
    assert spent(admin.house, OF_DATASET) == (Cost(Measure.ZCDP, 0) if priced == "" else SIZES)
    assert found_in(admin.house) == {}
    admin.house.close()


def test_the_bounds_fit_the_data_and_are_told(admin: HomeAdmin) -> None:
    """16 visits at most; visits of most people add up to some 800, of a few to 80,000."""
    decision = decided(admin.house, SUM)
    assert decision.allowed
    assert decision.plan is not None
    told = decision.plan.bounds
    assert 12 <= int(told["n"]["rows"]) <= 20
    assert 500 < Fraction(told["s"]["high"]) < 5000
    assert told["s"]["low"] == f"-{told['s']['high']}"
    assert told["a"]["total_high"] == told["s"]["high"]
    assert decision.plan.measured[0].shape.clipped is not None


def test_a_request_narrows_them(admin: HomeAdmin) -> None:
    decision = decided(admin.house, SUM, rows=3)
    assert decision.plan is not None
    assert decision.plan.bounds["n"]["rows"] == "3"


def test_nothing_that_is_not_bounded_is_answered_without_a_release(tmp_path: Path) -> None:
    """A data set whose budget cannot pay keeps what is open open, and refuses it."""
    poor = POLICY.replace("data set: {epsilon: 40", "data set: {epsilon: 20").replace(
        "bounds: {epsilon: 2}", "bounds: {epsilon: 20}"
    )
    admin = furnish(tmp_path / "home", poor)
    add_version(admin, poor.replace("cost: {", "cost: {granularity: 0.01, ").replace(", bounds: [0, 100]}", "}"))
    assert {one.column for one in found_in(admin.house)} == {"", "cost", "day"}
    codes = [one.reason.code for one in decided(admin.house, "SELECT SUM(fee) AS s FROM visit").refusals]
    assert "privacy.no-bound" in codes
    admin.house.close()


def test_the_log_says_what_the_ledgers_say(admin: HomeAdmin) -> None:
    add_project(admin, "another")
    home = admin.house.home
    with admin.house.store.reading() as tx:
        demanded = parse_ledgers(json.dumps(ledger.export(tx)).encode())
    verifier = load_verifier(home.vkey)
    report = verify_folder(home.root / "log", verifier, Demands(ledger=demanded), head_folder=home.root / "head")
    assert report.ok, report


def test_a_restored_back_up_has_paid_what_the_log_says(admin: HomeAdmin, tmp_path: Path) -> None:
    """A database from before a release meets the log from after it."""
    root = admin.house.home.root
    admin.house.close()
    shutil.copy(root / "control.db", tmp_path / "old.db")
    add_version(admin, POLICY.replace(", bounds: [0, 100]}", "}"))
    paid = spent(admin.house, OF_DATASET), spent(admin.house, OF_PROJECT)
    admin.house.close()
    for left in root.glob("control.db*"):
        left.unlink()
    shutil.copy(tmp_path / "old.db", root / "control.db")
    admin.house.journal.recover()
    assert (spent(admin.house, OF_DATASET), spent(admin.house, OF_PROJECT)) == paid
    with admin.house.store.reading() as tx:
        kinds = set(tx.execute(select(movements.c.kind).where(movements.c.ledger == OF_DATASET.text)).scalars())
    assert kinds == {"charge"}


def test_a_project_that_cannot_pay_is_not_given_the_data_set(admin: HomeAdmin) -> None:
    with pytest.raises(Refused) as refused:
        add_project(admin, "poor", "0.5")
    assert [one.reason.code for one in refused.value.refusals] == ["budget.exhausted"]


def test_other_bounds_make_another_question(admin: HomeAdmin) -> None:
    """Clamps of the scan stand in no question's text, so a draw under other bounds must not serve."""
    with parts_of(admin.house) as parts, admin.house.store.reading() as tx:
        at = standing(tx, parts, OKAFOR, PROJECT, DATASET)
        without = replace(at, ground=ground_of(at.policy, at.version, (), ()))
        assert question_digest(parts, at, "one") != question_digest(parts, without, "one")


@pytest.mark.parametrize(("ask", "rows"), [({}, f"{FOUND}: usual rows"), ({"rows": 3}, REQUEST)])
def test_every_bound_says_where_it_is_from(admin: HomeAdmin, ask: dict[str, int], rows: str) -> None:
    """Broken by taking what was found for what the policy says, or for what the request does."""
    text = "SELECT COUNT(cost) AS n, SUM(cost) AS s, AVG(cost) AS a FROM visit"
    decision = decided(admin.house, text, **ask)
    assert decision.plan is not None
    told = {bound.of: bound.source for every in decision.plan.sourced.values() for bound in every}
    told = {of: source for of, source in told.items() if source not in ("no groups", "rows times values")}
    assert told.pop("rows of one person in a group") == rows
    assert told.pop("values of visit.cost") == f"{FOUND}: values of visit.cost"
    assert set(told.values()) == {FOUND}
    named = Question(text, "postgres", Ask(Fraction(1), totals={"s": Interval(Fraction(0), Fraction(9))}))
    with parts_of(admin.house) as parts:
        found = check(parts, OKAFOR, PROJECT, DATASET, named)[0].plan
    assert found is not None
    assert [one.source for one in found.sourced["s"] if one.of == "one person's sum of visit.cost"] == [REQUEST]


def test_the_dictionary_shows_what_was_found_and_noisy_sizes(admin: HomeAdmin) -> None:
    with parts_of(admin.house) as parts, admin.house.store.reading() as tx:
        at = standing(tx, parts, OKAFOR, PROJECT, DATASET)
    shown = {table.name: table for table in dictionary(at, at.ground.catalogue).tables}
    visit = shown["visit"]
    assert visit.found
    assert visit.size is not None
    assert visit.size.rows_within > 0
    found = {column.name for column in visit.columns if column.found}
    assert "cost" in found
    assert all(column.bounds for column in visit.columns if column.found)
    listing = dataset_from(dictionary(at, at.ground.catalogue).model_dump(mode="json"))
    assert "±" in repr(listing.sizes)
