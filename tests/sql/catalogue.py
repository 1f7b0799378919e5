"""A small OMOP-like catalogue for tests, and tables that satisfy it."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from tre.catalogue import Access, Catalogue, Column, ColumnClass, Interval, Kind, Link, Table, Type
from tre.sql.functions import rendering

INTEGER, TEXT, DATE, DOUBLE = Type(Kind.INTEGER), Type(Kind.TEXT), Type(Kind.DATE), Type(Kind.DOUBLE)
MONEY = Type(Kind.DECIMAL, 12, 2)


def _interval(low: int, high: int) -> Interval:
    return Interval(Fraction(low), Fraction(high))


def _key(name: str = "person_id") -> Column:
    return Column(name, INTEGER, ColumnClass.UNIT_KEY, nullable=False)


def _id(name: str, nullable: bool = True) -> Column:
    return Column(name, INTEGER, nullable=nullable)


def _named(*columns: Column) -> MappingProxyType[str, Column]:
    return MappingProxyType({column.name: column for column in columns})


PERSON = Table(
    "person",
    Access.PRIVATE,
    _named(
        _key(),
        Column("gender_concept_id", INTEGER, domain=(8507, 8532)),
        Column("year_of_birth", INTEGER, bounds=_interval(1900, 2025), granularity=Fraction(1)),
        _id("location_id"),
        Column("postcode", TEXT, ColumnClass.DIRECT_IDENTIFIER),
    ),
    unit="person_id",
    unique=(frozenset({"person_id"}),),
    rows_per_unit=1,
    typical_rows=1,
    magnitude=10_000,
)
VISIT = Table(
    "visit_occurrence",
    Access.PRIVATE,
    _named(
        _id("visit_occurrence_id", nullable=False),
        _key(),
        _id("visit_concept_id"),
        Column("visit_start_date", DATE, bounds=_interval(0, 20_000)),
    ),
    unit="person_id",
    unique=(frozenset({"visit_occurrence_id"}),),
    rows_per_unit=200,
    typical_rows=20,
    magnitude=200_000,
)
CONDITION = Table(
    "condition_occurrence",
    Access.PRIVATE,
    _named(
        _id("condition_occurrence_id", nullable=False),
        _key(),
        _id("condition_concept_id"),
        _id("visit_occurrence_id"),
        Column("condition_start_date", DATE, calendar=(date(2020, 1, 1), date(2021, 12, 31))),
        Column("condition_status", TEXT, max_length=8),
    ),
    unit="person_id",
    unique=(frozenset({"condition_occurrence_id"}),),
    links=(Link(("visit_occurrence_id",), "visit_occurrence", ("visit_occurrence_id",)),),
    rows_per_unit=100,
    typical_rows=20,
    magnitude=100_000,
)
MEASUREMENT = Table(
    "measurement",
    Access.PRIVATE,
    _named(
        _id("measurement_id", nullable=False),
        _key(),
        _id("measurement_concept_id"),
        Column("value_as_number", DOUBLE, bounds=_interval(0, 300), granularity=Fraction(1, 10)),
        Column("paid", MONEY, bounds=_interval(0, 1000), granularity=Fraction(1, 100)),
    ),
    unit="person_id",
    unique=(frozenset({"measurement_id"}),),
    rows_per_unit=500,
    typical_rows=50,
    magnitude=500_000,
)
DEATH = Table(
    "death",
    Access.PRIVATE,
    _named(_key(), Column("death_date", DATE, bounds=_interval(0, 20_000)), _id("cause_concept_id")),
    unit="person_id",
    unique=(frozenset({"person_id"}),),
    rows_per_unit=1,
    typical_rows=1,
    magnitude=10_000,
)
LOCATION = Table(
    "location",
    Access.ATTRIBUTE,
    _named(
        _id("location_id", nullable=False),
        Column("state", TEXT, domain=("north", "south"), max_length=10),
        _id("deprivation"),
    ),
    unique=(frozenset({"location_id"}),),
    magnitude=1_000,
)
CONCEPT = Table(
    "concept",
    Access.PUBLIC,
    _named(
        _id("concept_id", nullable=False),
        Column("concept_name", TEXT, max_length=100),
        Column("domain_id", TEXT, max_length=20),
    ),
    unique=(frozenset({"concept_id"}),),
    magnitude=1_000,
    public_rows=6,
)
ANCESTOR = Table(
    "concept_ancestor",
    Access.PUBLIC,
    _named(_id("ancestor_concept_id", nullable=False), _id("descendant_concept_id", nullable=False)),
    unique=(frozenset({"ancestor_concept_id", "descendant_concept_id"}),),
    magnitude=1_000,
    public_rows=4,
)
COST = Table("cost", Access.HIDDEN, _named(_id("cost_id"), _id("person_id")))

CATALOGUE = Catalogue(
    dataset="small",
    unit_table="person",
    unit_key="person_id",
    units=10_000,
    tables=MappingProxyType(
        {
            table.name: table
            for table in (PERSON, VISIT, CONDITION, MEASUREMENT, DEATH, LOCATION, CONCEPT, ANCESTOR, COST)
        }
    ),
    digest="small",
    version="v1",
)

ROWS: dict[str, str] = {
    "person": "(1, 8507, 1950, 10), (2, 8532, 1960, 10), (3, 8532, 1970, 20), (4, NULL, 1980, NULL), "
    "(5, 8507, 1990, 99)",
    "visit_occurrence": "(101, 1, 9201, DATE '2020-01-05'), (102, 1, 9202, DATE '2020-02-05'), "
    "(103, 2, 9202, DATE '2021-03-05'), (104, 3, NULL, NULL)",
    "condition_occurrence": "(1001, 1, 201826, 101, DATE '2020-01-05', 'active'), "
    "(1002, 1, 201826, 999, DATE '2020-02-05', 'resolved'), (1003, 1, 320128, NULL, DATE '2020-02-07', NULL), "
    "(1004, 2, 320128, 103, DATE '2021-03-05', 'active'), (1005, 3, NULL, 104, NULL, 'x'), "
    "(1006, 5, 201826, NULL, DATE '2021-12-31', 'active')",
    "measurement": "(1, 1, 3004249, 120.5, 10.25), (2, 1, 3004249, 130.0, NULL), (3, 2, 3004249, NULL, 1.00), "
    "(4, 3, 3012888, 80.0, 999.99)",
    "death": "(2, DATE '2021-06-01', 320128), (5, NULL, NULL)",
    "location": "(10, 'north', 1), (20, 'south', 5), (30, 'north', NULL)",
    "concept": "(8507, 'MALE', 'Gender'), (8532, 'FEMALE', 'Gender'), (201826, 'Type 2 diabetes', 'Condition'), "
    "(320128, 'Hypertension', 'Condition'), (9201, 'Inpatient', 'Visit'), (9202, 'Outpatient', 'Visit')",
    "concept_ancestor": "(201826, 201826), (320128, 320128), (1, 201826), (1, 320128)",
}


def columns_of(table: Table) -> tuple[Column, ...]:
    """The columns that a version of `table` holds: direct identifiers are not copied."""
    return tuple(column for column in table.columns.values() if column.visible)


def fill(connection: Any, catalogue: Catalogue = CATALOGUE) -> None:
    """Create every table of `catalogue` that has rows here, on an engine of the tests or a connection to DuckDB."""
    type_name = getattr(connection, "type_name", rendering.type_name)
    for name, rows in ROWS.items():
        columns = ", ".join(f"{one.name} {type_name(one.type)}" for one in columns_of(catalogue.tables[name]))
        connection.execute(f"CREATE TABLE {name} ({columns})")
        connection.execute(f"INSERT INTO {name} VALUES {rows}")
