"""The reviewers' search finds what a reader of the whole log would, in pages that stay, from an index that mends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from audit.entries import encode_entry
from audit.reader import LogReader
from tests.control import FakeClock
from tre.base.clock import stamp
from tre.base.reasons import Refused
from tre.journal import Act, Journal, record
from tre.journal import entries as entry_constructors
from tre.journal import search as searching
from tre.journal.search import Page, Search, Wanted
from tre.store import Store
from tre.store.tables import trail, trail_terms

START = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE, PROJECTS, TABLES = ("ada", "bob", "eve"), ("P1", "P2"), ("person", "visit_occurrence", "main.death")
CODES = ("people.not-admitted", "budget.exhausted", "fault.engine")


class Entries:
    """A log in memory."""

    def __init__(self, entries: list[bytes]) -> None:
        self.entries = entries

    @property
    def size(self) -> int:
        return len(self.entries)

    def entry(self, index: int) -> bytes:
        return self.entries[index]

    def scan(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        return iter(list(enumerate(self.entries))[start:])


def _entry(number: int, **fields: Any) -> bytes:
    common = {"event_id": f"{number:032x}", "actor": "ada", "time": stamp(START + timedelta(minutes=number))}
    return encode_entry(common | fields)


def _decision(number: int, **fields: Any) -> bytes:
    facts = {"project": "P1", "request": f"q_{number}", "decision": "denied", "gates": []} | fields
    return _entry(number, event="query-decision", **facts)


@st.composite
def entries(draw: st.DrawFn) -> list[bytes]:
    """A log of decisions, bootstraps and incidents whose times do not always follow their order."""
    found = []
    for number in range(draw(st.integers(0, 25))):
        time = stamp(START + timedelta(minutes=draw(st.integers(0, 30))))
        actor = draw(st.sampled_from(PEOPLE))
        codes = draw(st.lists(st.sampled_from(CODES), max_size=2))
        kind = draw(st.integers(0, 2))
        if kind == 0:
            tables = draw(st.lists(st.sampled_from(TABLES), max_size=2, unique=True))
            gates = [{"gate": "data", "verdict": "deny", "reasons": codes}]
            project = draw(st.sampled_from(PROJECTS))
            facts = {"actor": actor, "time": time, "project": project, "tables": tables, "gates": gates}
            found.append(_decision(number, dataset="omop", **facts))
        elif kind == 1:
            subject = draw(st.sampled_from(PEOPLE))
            facts = {"actor": actor, "time": time, "subject": subject, "change": "person"}
            found.append(_entry(number, event="bootstrap", approved_by=[draw(st.sampled_from(PEOPLE))], **facts))
        else:
            found.append(_entry(number, event="incident", actor=actor, time=time, subject="P1", reasons=codes))
    return found


def _some(*values: str) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(values)


MOMENTS = st.none() | st.integers(0, 31).map(lambda minutes: START + timedelta(minutes=minutes))
WANTED = st.builds(
    Wanted,
    request=_some("q_0", "q_3"),
    reason=_some(*CODES),
    person=_some(*PEOPLE),
    table=_some(*TABLES),
    project=_some(*PROJECTS),
    dataset=_some("omop", "other"),
    event=_some("query-decision", "bootstrap", "incident"),
    since=MOMENTS,
    until=MOMENTS,
)


def _naive(log: list[bytes], wanted: Wanted) -> list[int]:
    """Read everything and keep what is wanted, by the words of `Wanted` alone."""
    found = []
    for index, entry in enumerate(log):
        fields = json.loads(entry)
        codes = fields.get("reasons", []) + [code for gate in fields.get("gates", []) for code in gate["reasons"]]
        people = [fields["actor"], fields.get("subject"), *fields.get("approved_by", [])]
        holds = (
            wanted.request in (None, fields.get("request"))
            and (wanted.reason is None or wanted.reason in codes)
            and (wanted.person is None or wanted.person in people)
            and (wanted.table is None or wanted.table in fields.get("tables", []))
            and wanted.project in (None, fields.get("project"))
            and wanted.dataset in (None, fields.get("dataset"))
            and wanted.event in (None, fields["event"])
            and (wanted.since is None or fields["time"] >= stamp(wanted.since))
            and (wanted.until is None or fields["time"] < stamp(wanted.until))
        )
        found += [index] if holds else []
    return found


def _paged(search: Search, wanted: list[Wanted], limit: int) -> list[int]:
    found, before = [], None
    while True:
        hits = search.find(wanted, Page(before, limit))
        assert len(hits.entries) <= limit
        found += [hit.index for hit in hits.entries]
        if hits.next is None:
            return found
        before = hits.next


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=entries(), wanted=st.lists(WANTED, min_size=1, max_size=6), limit=st.integers(1, 7))
def test_search_and_export_find_what_a_reader_of_the_whole_log_would(
    store: Store, log: list[bytes], wanted: list[Wanted], limit: int
) -> None:
    search = Search(store, Entries(log))
    search.forget()
    for one in wanted:
        expected = _naive(log, one)
        assert _paged(search, [one], limit) == expected[::-1]
        assert [hit.index for hit in search.everything(one)] == expected
    both = {index for one in wanted for index in _naive(log, one)}
    assert _paged(search, wanted, limit) == sorted(both, reverse=True)


def test_a_page_stays_as_it_is_while_entries_arrive(store: Store) -> None:
    log = Entries([_decision(number) for number in range(10)])
    search = Search(store, log)
    first = search.find([Wanted(project="P1")], Page(limit=4))
    log.entries += [_decision(number) for number in range(10, 15)]
    second = search.find([Wanted(project="P1")], Page(first.next, 4))
    assert [hit.index for hit in first.entries + second.entries] == [9, 8, 7, 6, 5, 4, 3, 2]
    assert search.find([Wanted(project="P1")], Page(limit=1)).entries[0].index == 14


def test_what_is_written_is_found_at_the_next_search(home: Path, store: Store, journal: Journal) -> None:
    with LogReader(home / "log") as log:
        search = Search(store, log)
        assert search.find([Wanted()], Page()).entries == ()
        with store.transaction() as tx:
            event = record(tx, entry_constructors.project_unlocked(Act.by("ada", FakeClock()), "P1"))
        journal.settle([event])
        found = search.find([Wanted(event="project-unlocked")], Page()).entries
    assert [(hit.index, hit.fields["event_id"]) for hit in found] == [(0, event)]


DAMAGE = {
    "a row lost": delete(trail).where(trail.c.log_index == 3),
    "a term lost": delete(trail_terms).where(trail_terms.c.log_index == 5, trail_terms.c.kind == "project"),
    "a row too many": insert(trail).values(log_index=12, time=stamp(START), terms=0),
    "a term too many": insert(trail_terms).values(log_index=3, kind="table", term="person"),
    "the newest lost": delete(trail).where(trail.c.log_index > 7),
    "a count changed": update(trail).where(trail.c.log_index == 2).values(terms=0),
    "all terms lost": delete(trail_terms),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_index_is_made_again_from_the_log(store: Store, damage: str) -> None:
    search = Search(store, Entries([_decision(number) for number in range(10)]))
    search.catch_up()
    whole = _rows(store)
    with store.transaction() as tx:
        tx.execute(DAMAGE[damage])
    search.mend()
    search.catch_up()
    assert _rows(store) == whole


def _rows(store: Store) -> list[Any]:
    with store.reading() as tx:
        rows = tx.execute(trail.select().order_by(trail.c.log_index)).all()
        return rows + sorted(tx.execute(trail_terms.select()).all())


def test_a_search_that_would_miss_entries_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_BEHIND", 5)
    search = Search(store, Entries([_decision(number) for number in range(10)]))
    with pytest.raises(Refused) as refused:
        search.find([Wanted()], Page())
    assert refused.value.refusals[0].reason.code == "journal.search-behind"
    search.catch_up()
    assert len(search.find([Wanted()], Page()).entries) == 10


def test_a_page_has_an_end() -> None:
    for limit in (0, -1, 201):
        with pytest.raises(ValueError, match="1 to 200"):
            Page(limit=limit)
