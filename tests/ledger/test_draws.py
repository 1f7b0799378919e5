"""Draws: one per question and position, whoever asks for it at once; every payer's prefix is known (PRIVACY §4)."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.control import DATASET, PROJECT, open_ledgers, zcdp
from tre import ledger
from tre.base.passage import Release
from tre.store import Store

QUESTION = "c" * 64
RELEASE = Release(((1, None), (2, "x")), {"n": (12, 7)}, {"n": Fraction(9, 4)}, Fraction(1, 100))


def test_identical_questions_in_flight_share_one_draw(store: Store) -> None:
    with store.transaction() as tx:
        first = ledger.begin_draw(tx, QUESTION, 0, "q_1", zcdp(10))
    with store.transaction() as tx:
        second = ledger.begin_draw(tx, QUESTION, 0, "q_2", zcdp(99))
    assert isinstance(first, ledger.Lead)
    assert isinstance(second, ledger.Follow)
    assert (second.draw.leader, second.draw.cost) == ("q_1", zcdp(10))


def test_a_stored_draw_is_read_back_equal_and_cannot_change(store: Store) -> None:
    with store.transaction() as tx:
        ledger.begin_draw(tx, QUESTION, 0, "q_1", zcdp(10))
        ledger.store_draw(tx, QUESTION, 0, "q_1", RELEASE)
    with store.transaction() as tx:
        (draw,) = ledger.draws(tx, QUESTION)
        assert (draw.state, draw.release) == (ledger.DrawState.STORED, RELEASE)
        for change in (ledger.fail_draw, ledger.drop_draw):
            with pytest.raises(LookupError):
                change(tx, QUESTION, 0, "q_1")
        with pytest.raises(LookupError):
            ledger.store_draw(tx, QUESTION, 0, "q_1", RELEASE)


def test_only_the_leader_ends_a_draw(store: Store) -> None:
    with store.transaction() as tx:
        ledger.begin_draw(tx, QUESTION, 0, "q_1", zcdp(10))
        with pytest.raises(LookupError):
            ledger.store_draw(tx, QUESTION, 0, "q_2", RELEASE)


def test_a_failed_draw_keeps_its_place_and_a_voided_one_frees_it(store: Store) -> None:
    with store.transaction() as tx:
        ledger.begin_draw(tx, QUESTION, 0, "q_1", zcdp(10))
        ledger.fail_draw(tx, QUESTION, 0, "q_1")
        assert isinstance(ledger.begin_draw(tx, QUESTION, 0, "q_2", zcdp(10)), ledger.Follow)
        ledger.begin_draw(tx, QUESTION, 1, "q_2", zcdp(10))
        ledger.drop_draw(tx, QUESTION, 1, "q_2")
        assert isinstance(ledger.begin_draw(tx, QUESTION, 1, "q_3", zcdp(10)), ledger.Lead)


def test_each_payer_s_prefix_is_known_and_a_voided_payment_is_forgotten(store: Store) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 100)
        ledger.pay(tx, PROJECT, QUESTION, [0, 1], "q_1")
        ledger.pay(tx, PROJECT, QUESTION, [0], "q_2")
        assert ledger.paid(tx, PROJECT, QUESTION) == {0: {"q_1", "q_2"}, 1: {"q_1"}}
        assert ledger.paid(tx, DATASET, QUESTION) == {}
        ledger.unpay(tx, "q_1")
        assert ledger.paid(tx, PROJECT, QUESTION) == {0: {"q_2"}}
