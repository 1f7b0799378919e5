"""The filter: the sum never passes the limit of any ledger, whoever asks and however many at once (PRIVACY §1)."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.control import DATASET, PROJECT, open_ledgers, url_of, zcdp
from tests.ledger.racing import race
from tre import ledger
from tre.base.cost import Cost, Measure
from tre.base.reasons import Refused
from tre.store import Store
from tre.store.tables import LARGEST, ledger_limits, ledgers, movements

RACERS = 16


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [one.reason.code for one in refused.value.refusals]


def test_sixteen_racing_processes_get_exactly_what_fits(home: Path, store: Store) -> None:
    """The data set holds 40 answers, the project 43: forty are granted, by whomever, and not one more."""
    with store.transaction() as tx:
        ledger.ensure(tx, DATASET, zcdp(407), "0" * 32)
        ledger.ensure(tx, PROJECT, zcdp(435), "0" * 32)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.ledger.racing"])
    start = context.Barrier(RACERS)
    pipes = [context.Pipe(duplex=False) for _ in range(RACERS)]
    racers = [
        context.Process(target=race, args=(url_of(home), number, 10, start, pipe[1]))
        for number, pipe in enumerate(pipes)
    ]
    for racer in racers:
        racer.start()
    answers = [pipe[0].recv() for pipe in pipes]
    for racer in racers:
        racer.join()
    assert sum(granted for granted, _ in answers) == 40
    assert all(why == ["budget.exhausted"] for _, why in answers)
    with store.reading() as tx:
        for one in (DATASET, PROJECT):
            found = ledger.balance(tx, one)
            assert (found.reserved, found.spent, found.seq) == (zcdp(400), zcdp(0), 40)
        # The refused ones raised no ledger on the way, not even the one that had room.
        assert len(tx.execute(select(movements)).all()) == 80


def test_a_refusal_names_every_ledger_that_lacks_something_and_grants_nothing(store: Store) -> None:
    third = ledger.LedgerId.of_researcher("ada", "omop")
    with store.transaction() as tx:
        open_ledgers(tx, 5)
        ledger.ensure(tx, third, zcdp(1000), "0" * 32)
        before = ledger.balances(tx)
        with pytest.raises(Refused) as refused:
            ledger.reserve(tx, "q", {DATASET: zcdp(6), PROJECT: zcdp(6), third: zcdp(6)})
        assert codes(refused) == ["budget.exhausted"] * 2
        assert refused.value.refusals[0].sentence == (
            "This answer costs 0.000000006 rho, and the budget dataset/omop has "
            "0.000000005 rho and delta 0.000000000000000005 left."
        )
        assert ledger.balances(tx) == before
        ledger.reserve(tx, "smaller", {DATASET: zcdp(5), PROJECT: zcdp(5)})


@pytest.mark.parametrize("cost", [zcdp(6, 0), zcdp(0, 6)])
def test_each_part_of_a_cost_has_its_own_limit(store: Store, cost: Cost) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 5)
        with pytest.raises(Refused):
            ledger.reserve(tx, "q", {DATASET: cost})
        ledger.reserve(tx, "q", {DATASET: zcdp(5, 5)})


def test_movements_are_numbered_and_say_what_stood_before_and_after(store: Store) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 100)
        (kept,) = ledger.reserve(tx, "kept", {DATASET: zcdp(10, 1)})
        (gone,) = ledger.reserve(tx, "gone", {DATASET: zcdp(20)})
        (voided,) = ledger.void(tx, "gone")
        (committed,) = ledger.commit(tx, "kept")
    assert [one.seq for one in (kept, gone, voided, committed)] == [1, 2, 3, 4]
    assert (kept.before, kept.after) == (zcdp(0), zcdp(10, 1))
    assert (gone.before, gone.after) == (zcdp(10, 1), zcdp(30, 1))
    assert (voided.before, voided.after) == (zcdp(30, 1), zcdp(10, 1))
    assert (committed.before, committed.after) == (zcdp(10, 1), zcdp(10, 1))
    assert committed.as_entry() == {
        "ledger": "dataset/omop",
        "ledger_seq": 4,
        "measure": "zcdp",
        "before": {"amount": "10", "delta": "1"},
        "after": {"amount": "10", "delta": "1"},
    }


def test_ledgers_move_in_ascending_id(store: Store) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 100)
        moved = ledger.reserve(tx, "q", {PROJECT: zcdp(1), DATASET: zcdp(1)})
        assert [one.ledger for one in moved] == [DATASET, PROJECT]
        assert [one.ledger for one in ledger.burn(tx, "q")] == [DATASET, PROJECT]


def test_what_is_burned_stays_spent_and_closing_twice_moves_nothing(store: Store) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 10)
        ledger.reserve(tx, "q", {DATASET: zcdp(10)})
        ledger.burn(tx, "q")
        assert ledger.commit(tx, "q") == ledger.void(tx, "q") == ()
        assert ledger.balance(tx, DATASET).spent == zcdp(10)
        with pytest.raises(Refused):
            ledger.reserve(tx, "r", {DATASET: zcdp(1)})


def test_a_free_answer_moves_nothing(store: Store) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 0)
        assert ledger.reserve(tx, "replay", {DATASET: zcdp(0), PROJECT: zcdp(0)}) == ()


def test_a_ledger_keeps_its_measure_for_life(store: Store) -> None:
    with store.transaction() as tx:
        ledger.ensure(tx, DATASET, zcdp(10), "0" * 32)
        with pytest.raises(Refused) as refused:
            ledger.ensure(tx, DATASET, Cost(Measure.PURE, 10), "1" * 32)
        assert codes(refused) == ["budget.measure-fixed"]
        with pytest.raises(TypeError, match="bug"):
            ledger.reserve(tx, "q", {DATASET: Cost(Measure.PURE, 1)})


def test_a_changed_limit_is_recorded_and_forgets_no_spending(store: Store) -> None:
    with store.transaction() as tx:
        ledger.ensure(tx, DATASET, zcdp(10), "0" * 32)
        ledger.reserve(tx, "q", {DATASET: zcdp(8)})
        ledger.commit(tx, "q")
        ledger.ensure(tx, DATASET, zcdp(10), "1" * 32)
        found = ledger.ensure(tx, DATASET, zcdp(5), "2" * 32)
        assert (found.spent, found.left) == (zcdp(8), zcdp(0))
        with pytest.raises(Refused):
            ledger.reserve(tx, "r", {DATASET: zcdp(1)})
        rows = tx.execute(select(ledger_limits).order_by(ledger_limits.c.number)).all()
    assert [(row.limit_amount, row.event[0]) for row in rows] == [(10, "0"), (5, "2")]


def test_a_ledger_that_does_not_exist_grants_nothing(store: Store) -> None:
    with store.transaction() as tx, pytest.raises(Refused) as refused:
        ledger.reserve(tx, "q", {DATASET: zcdp(1)})
    assert codes(refused) == ["budget.unknown-ledger"]


def test_amounts_stay_exact_at_the_ends_of_their_range(store: Store) -> None:
    with store.transaction() as tx:
        ledger.ensure(tx, DATASET, zcdp(LARGEST, 10**18), "0" * 32)
        ledger.reserve(tx, "q", {DATASET: zcdp(LARGEST - 1, 10**18 - 1)})
        assert ledger.balance(tx, DATASET).left == zcdp(1, 1)
        with pytest.raises(Refused):
            ledger.reserve(tx, "r", {DATASET: zcdp(2)})
        with pytest.raises(Refused):
            ledger.reserve(tx, "r", {DATASET: zcdp(LARGEST)})
        for too_much in (zcdp(LARGEST + 1), zcdp(0, LARGEST + 1)):
            with pytest.raises(ValueError, match="bug"):
                ledger.reserve(tx, "r", {DATASET: too_much})


def test_the_database_itself_refuses_a_second_closing_and_a_negative_balance(store: Store) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 10)
        ledger.reserve(tx, "q", {DATASET: zcdp(10)})
        ledger.commit(tx, "q")
        row = dict(tx.execute(select(movements).where(movements.c.kind == "commit")).one()._mapping)
        assert not tx.insert_new(movements, row | {"kind": "void", "seq": 99})
    with pytest.raises(Exception, match=r"(?i)check"), store.transaction() as tx:
        tx.execute(update(ledgers).values(spent_amount=-1))


def test_a_restored_ledger_file_is_no_float(file_home: Path, file_store: Store) -> None:
    with file_store.transaction() as tx:
        ledger.ensure(tx, DATASET, zcdp(LARGEST), "0" * 32)
    with sqlite3.connect(file_home / "control.db") as raw:
        assert raw.execute("SELECT typeof(limit_amount) FROM ledgers").fetchone() == ("integer",)
    raw.close()


@pytest.mark.parametrize("part", ["", "a/b", "é", "a b", "-a", "a" * 41])
def test_a_ledger_is_named_by_ids_alone(part: str) -> None:
    with pytest.raises(ValueError, match="ids"):
        ledger.LedgerId.of_project(part, "omop")
