"""Random data sets: what a policy may declare, and rows that an onboarded version may hold under it.

Rows keep what onboarding refuses (types, NULL keys, uniqueness, links, magnitudes) and break all that it lets pass:
values beyond bounds and domains, rows beyond caps, NaN, infinities, 64-bit limits, long and look-alike texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import inf, nan
from random import Random
from types import MappingProxyType
from typing import Any

from tre.catalogue import Access, Catalogue, Column, ColumnClass, Interval, Kind, Link, Table, Type, Usual

INTEGER, TEXT, DATE, DOUBLE = Type(Kind.INTEGER), Type(Kind.TEXT), Type(Kind.DATE), Type(Kind.DOUBLE)
BOOLEAN, TIMESTAMP, MONEY = Type(Kind.BOOLEAN), Type(Kind.TIMESTAMP), Type(Kind.DECIMAL, 8, 2)

PEOPLE = 5
"""People in the largest data set; each is the neighbour's missing one in turn."""

Row = dict[str, Any]
Rows = Mapping[str, tuple[Row, ...]]


@dataclass(frozen=True)
class World:
    """A catalogue and rows that a version under it may hold; `people` are the units that have any row."""

    catalogue: Catalogue
    rows: Rows

    @property
    def people(self) -> tuple[int, ...]:
        """Every unit with a row in any private table."""
        tables = self.catalogue.tables.values()
        found = {row[table.unit] for table in tables if table.unit for row in self.rows[table.name]}
        return tuple(sorted(found))

    def without(self, unit: int) -> World:
        """The neighbour: `unit` and all that unit's rows removed from every private table."""
        tables = self.catalogue.tables
        kept = {
            name: tuple(row for row in rows if tables[name].unit is None or row[tables[name].unit] != unit)
            for name, rows in self.rows.items()
        }
        return replace(self, rows=kept)

    def shuffled(self, random: Random) -> World:
        """The same rows in another physical order."""
        return replace(self, rows={name: tuple(random.sample(rows, len(rows))) for name, rows in self.rows.items()})

    def clustered(self) -> World:
        """The same rows, those of a unit side by side."""
        tables = self.catalogue.tables
        return replace(
            self,
            rows={
                name: tuple(sorted(rows, key=lambda row: row.get(tables[name].unit or "", 0)))
                for name, rows in self.rows.items()
            },
        )


# --- declarations -----------------------------------------------------------------------------------------


def _between(low: int, high: int) -> Interval:
    return Interval(Fraction(low), Fraction(high))


def _named(columns: Iterable[Column]) -> Mapping[str, Column]:
    return MappingProxyType({column.name: column for column in columns})


def _unit() -> Column:
    return Column("person_id", INTEGER, ColumnClass.UNIT_KEY, nullable=False)


def _id(name: str, nullable: bool = True) -> Column:
    return Column(name, INTEGER, nullable=nullable)


def _private(name: str, columns: Iterable[Column], cap: int, typical: int | None, **more: Any) -> Table:
    return Table(
        name,
        Access.PRIVATE,
        _named(columns),
        unit="person_id",
        rows_per_unit=cap,
        typical_rows=typical,
        magnitude=60,
        **more,
    )


def catalogue(random: Random, plain: bool = False) -> Catalogue:
    """Return a catalogue; a `plain` one declares nothing that changes a value, so that plain SQL is the truth."""
    chance = (lambda: False) if plain else (lambda: random.random() < 0.5)
    cap = 60 if plain else random.choice((1, 2, 3, 6))
    typical = 60 if plain else random.choice((None, 1, 2, cap, 10))
    both = (chance(), chance())
    person = _private(
        "person",
        (
            _unit(),
            Column("sex", INTEGER, nullable=not chance(), domain=(1, 2) if plain or chance() else None),
            Column("born", INTEGER, bounds=_between(*(0, 200) if plain else (20, 90)), granularity=Fraction(1)),
            _id("place_id"),
            Column("score", DOUBLE, bounds=_between(-20, 20) if plain else _between(-3, 7), granularity=Fraction(1, 4)),
            Column("note", TEXT, max_length=40 if plain else 3),
        ),
        1,
        random.choice((None, 1)),
        unique=(frozenset({"person_id"}),),
    )
    visit = _private(
        "visit",
        (
            _id("visit_id", nullable=False),
            _unit(),
            _id("kind"),
            Column(
                "start",
                DATE,
                calendar=(date(2020, 1, 1), date(2020, 1, 3)) if both[0] else None,
                bounds=None if plain or both[0] else _between(0, 20_000),
            ),
            Column(
                "paid",
                MONEY,
                bounds=_between(-20, 20) if plain else _between(-5, 100),
                granularity=Fraction(1, 100) if chance() else None,
            ),
        ),
        cap,
        typical,
        unique=(frozenset({"visit_id"}),),
        enforced_rows=cap if chance() else None,
        counts_kept=random.random() < 0.5,
    )
    event = _private(
        "event",
        (
            _id("event_id", nullable=False),
            _unit(),
            _id("visit_id"),
            Column("code", INTEGER, nullable=True, domain=(1, 2, 3) if both[1] else None),
            Column(
                "value",
                DOUBLE,
                bounds=_between(-20, 20) if plain else _between(0, 10),
                granularity=Fraction(1, 8) if plain or chance() else None,
            ),
            _id("big"),
            Column("label", TEXT, domain=("a", "b") if chance() else None, max_length=40 if plain else 4),
            Column("flag", BOOLEAN, nullable=True, domain=(False, True) if chance() else None),
            Column("at", TIMESTAMP),
        ),
        60 if plain else random.choice((1, 2, 3, 6)),
        typical,
        unique=(frozenset({"event_id"}),),
        enforced_rows=60 if plain else random.choice((None, None, 3)),
        counts_kept=random.random() < 0.5,
        links=(Link(("visit_id",), "visit", ("visit_id",)),),
    )
    death = _private(
        "death",
        (_unit(), _id("cause"), Column("day", DATE, bounds=None if plain else _between(0, 20_000))),
        1,
        random.choice((None, 1)),
        unique=(frozenset({"person_id"}),),
    )
    episode = _private(
        "episode",
        (
            _unit(),
            Column("number", INTEGER, nullable=False, bounds=_between(0, 2) if chance() else None),
            _id("kind"),
            Column(
                "weight", INTEGER, bounds=_between(-1000, 1000) if plain else _between(-2, 4), granularity=Fraction(1)
            ),
        ),
        cap,
        typical,
        unique=(frozenset({"person_id", "number"}),),
    )
    place = Table(
        "place",
        Access.ATTRIBUTE,
        _named(
            (
                _id("place_id", nullable=False),
                Column("region", TEXT, domain=("north", "south") if chance() else None, max_length=10),
                _id("size"),
            )
        ),
        unique=(frozenset({"place_id"}),),
        magnitude=20,
    )
    concept = Table(
        "concept",
        Access.PUBLIC,
        _named((_id("concept_id", nullable=False), Column("name", TEXT, max_length=10), _id("class_id"))),
        unique=(frozenset({"concept_id"}),),
        magnitude=20,
        public_rows=5,
        public_fans=MappingProxyType({"concept_id": 1, "name": 2, "class_id": 2}),
    )
    ancestor = Table(
        "ancestor",
        Access.PUBLIC,
        _named((_id("above", nullable=False), _id("below", nullable=False))),
        unique=(frozenset({"above", "below"}),),
        magnitude=20,
        public_rows=4,
        public_fans=MappingProxyType({"above": 2, "below": 2}),
    )
    private = (person, visit, event, death, episode)
    if not plain:
        private = tuple(_with_usual(table, Random(f"{cap} {typical} {both}")) for table in private)
    tables = (*private, place, concept, ancestor)
    return Catalogue(
        "world",
        "person",
        "person_id",
        PEOPLE + 1,
        MappingProxyType({table.name: table for table in tables}),
        digest="world",
        version="v1",
    )


def _with_usual(table: Table, random: Random) -> Table:
    """Give some bounded numbers what a person's are taken to add up to, as a release would; it proves nothing."""
    columns = {
        name: replace(column, usually=_usual(random)) if column.bounds and random.random() < 0.5 else column
        for name, column in table.columns.items()
        if column.name != table.unit
    }
    return replace(table, columns=MappingProxyType({**table.columns, **columns}))


def _usual(random: Random) -> Usual:
    total = Fraction(random.choice((1, 4, 20)))
    return Usual(total, squares=random.choice((None, Fraction(1), total**2)))


# --- rows -------------------------------------------------------------------------------------------------

_WILD: dict[str, tuple[Any, ...]] = {
    "sex": (None, 1, 2, 2, 3, -(2**63)),
    "born": (None, 20, 55, 90, 2**63 - 1, -(2**63), 0),
    "place_id": (None, 10, 20, 99, 10),
    "score": (None, 1.25, -3.0, nan, inf, -inf, -0.0, 0.0, 1e300, 0.1),
    "note": (None, "", "abc", "abcd", "áb", "a\u0301b", "\u0430bc", "ABC", "a ", "'", "0"),
    "kind": (None, 1, 2, 3, 2**63 - 1),
    "start": (None, date(2020, 1, 1), date(2020, 1, 2), date(2019, 12, 31), date(1, 1, 1), date(9999, 12, 31)),
    "paid": (None, Decimal("0.01"), Decimal("-5.00"), Decimal("999999.99"), Decimal("10.50"), Decimal("-999999.99")),
    "code": (None, 1, 2, 3, 7, 1),
    "value": (None, 0.0, -0.0, 9.99, 0.1, 0.2, 0.3, nan, inf, -inf, 1e308, 5e-324),
    "big": (None, 0, 1, -1, 2**63 - 1, -(2**63), 2**62, 3),
    "label": (None, "a", "b", "A", "a ", "\u0430", "ab\u0301cdef", "12", "2020-01-01", "%"),
    "flag": (None, True, False),
    "at": (None, datetime(2020, 1, 1), datetime(2020, 1, 1, 0, 0, 0, 1), datetime(1, 1, 1), datetime(9999, 12, 31, 23)),
    "cause": (None, 1, 2),
    "day": (None, date(2020, 1, 1), date(2021, 6, 1), date(9999, 12, 31)),
    "weight": (None, 1, 4, -2, 100, -(2**63)),
}
_TAME: dict[str, tuple[Any, ...]] = {
    **_WILD,
    "sex": (None, 1, 2, 2),
    "born": (None, 20, 55, 90, 0),
    "score": (None, 1.25, -3.0, 7.5, 0.0),
    "kind": (None, 1, 2, 3),
    "start": (None, date(2020, 1, 1), date(2020, 1, 2), date(2019, 12, 31)),
    "paid": (None, Decimal("0.01"), Decimal("-5.00"), Decimal("10.50")),
    "value": (None, 0.0, 9.5, 0.125, 0.25, -2.0),
    "big": (None, 0, 1, -1, 3),
    "note": (None, "", "abc", "abcd", "ABC", "a ", "0"),
    "at": (None, datetime(2020, 1, 1), datetime(2020, 1, 1, 5, 6, 7)),
    "weight": (None, 1, 4, -2, 100),
}


def rows(random: Random, catalogue: Catalogue, tame: bool = False) -> Rows:
    """Return rows for every table; `tame` ones have no value that an engine's plain arithmetic may trip over."""
    values = _TAME if tame else _WILD

    def filled(table: str, given: Row) -> Row:
        columns = catalogue.tables[table].columns.values()
        return {one.name: given[one.name] if one.name in given else _value(random, one, values) for one in columns}

    people = range(1, 1 + random.choice((0, 1, 2, 3, PEOPLE)))
    here = [unit for unit in people if random.random() < 0.9]
    numbers = iter(random.sample(range(1, 1000), 200))
    visits = [filled("visit", {"visit_id": next(numbers), "person_id": unit}) for unit in people for _ in _some(random)]
    events = []
    for unit in people:
        linked = [None, 5000, *(one["visit_id"] for one in visits if one["person_id"] == unit)]
        for _ in _some(random):
            given = {"event_id": next(numbers), "person_id": unit, "visit_id": random.choice(linked)}
            events.append(filled("event", given))
    events = [_twin(random, events, one) for one in events]
    return within_caps(
        catalogue,
        {
            "person": tuple(filled("person", {"person_id": unit}) for unit in here),
            "visit": tuple(visits),
            "event": tuple(events),
            "death": tuple(filled("death", {"person_id": unit}) for unit in people if random.random() < 0.4),
            "episode": tuple(
                filled("episode", {"person_id": unit, "number": number}) for unit in people for number in _some(random)
            ),
            "place": (
                {"place_id": 10, "region": "north", "size": 1},
                {"place_id": 20, "region": "south", "size": None},
                {"place_id": 30, "region": None, "size": 2**62},
            ),
            "concept": (
                {"concept_id": 1, "name": "one", "class_id": 1},
                {"concept_id": 2, "name": "two", "class_id": 1},
                {"concept_id": 3, "name": None, "class_id": 2},
                {"concept_id": 4, "name": "one", "class_id": None},
                {"concept_id": 9, "name": "nine", "class_id": 2},
            ),
            "ancestor": (
                {"above": 9, "below": 1},
                {"above": 9, "below": 2},
                {"above": 1, "below": 1},
                {"above": 3, "below": 3},
            ),
        },
    )


def within_caps(catalogue: Catalogue, given: Rows) -> Rows:
    """Leave out rows beyond the caps that a version has already enforced."""
    kept: dict[str, tuple[Row, ...]] = {}
    for name, table in catalogue.tables.items():
        counts: Counter[Any] = Counter()
        found = []
        for row in given[name]:
            counts[row.get(table.unit or "")] += 1
            if table.enforced_rows is None or counts[row.get(table.unit or "")] <= table.enforced_rows:
                found.append(row)
        kept[name] = tuple(found)
    return kept


def _value(random: Random, column: Column, values: Mapping[str, tuple[Any, ...]]) -> Any:
    choices = values[column.name]
    return random.choice(choices if column.nullable else [one for one in choices if one is not None])


def _some(random: Random) -> range:
    return range(random.choice((0, 1, 1, 2, 3, 4, 7)))


def _twin(random: Random, events: list[Row], one: Row) -> Row:
    """Now and then a row equal to another one of the same person in all but its id: a tie."""
    same = [other for other in events if other["person_id"] == one["person_id"]]
    if same and random.random() < 0.3:
        return {**random.choice(same), "event_id": one["event_id"]}
    return one


def world(random: Random, plain: bool = False) -> World:
    """Return a random data set."""
    made = catalogue(random, plain)
    return World(made, rows(random, made, tame=plain))
