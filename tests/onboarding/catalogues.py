"""Catalogues for these tests, written by hand: what a policy for OMOP compiles to, without the policy."""

from collections.abc import Iterable
from types import MappingProxyType

from tre.catalogue import Access, Catalogue, Column, ColumnClass, Kind, Link, Table, Type

INTEGER, TEXT, DATE = Type(Kind.INTEGER), Type(Kind.TEXT), Type(Kind.DATE)
TIMESTAMP, DOUBLE = Type(Kind.TIMESTAMP), Type(Kind.DOUBLE)
MONEY = Type(Kind.DECIMAL, 12, 2)
IDENTIFIER = ColumnClass.DIRECT_IDENTIFIER
VISIT = Link(("visit_occurrence_id",), "visit_occurrence", ("visit_occurrence_id",))


def unit(name: str = "person_id") -> Column:
    return Column(name, INTEGER, ColumnClass.UNIT_KEY, nullable=False)


def columns(kind: Type, *names: str, klass: ColumnClass = ColumnClass.ORDINARY) -> tuple[Column, ...]:
    return tuple(Column(name, kind, klass) for name in names)


def table(name: str, access: Access, found: Iterable[Column], **more: object) -> Table:
    by_name = MappingProxyType({column.name: column for column in found})
    return Table(name, access, by_name, **more)  # type: ignore[arg-type]


def private(name: str, *found: Column, key: str = "", links: tuple[Link, ...] = (), **more: object) -> Table:
    unique = (frozenset([key]),) if key else ()
    return table(name, Access.PRIVATE, found, unit="person_id", unique=unique, links=links, **more)


def catalogue(*tables: Table, units: int = 10**7) -> Catalogue:
    by_name = MappingProxyType({one.name: one for one in tables})
    return Catalogue("demo", "person", "person_id", units, by_name, digest="d" * 64)


def omop(*, people: int = 10**7, cap: int = 2_000, rows: int = 10**9) -> Catalogue:
    """OMOP as the demonstration's population has it; right for GiBleed too."""
    limits = {"rows_per_unit": cap, "magnitude": rows}
    return catalogue(
        private(
            "person",
            unit(),
            *columns(INTEGER, "gender_concept_id", "year_of_birth", "race_concept_id", "location_id"),
            *columns(TEXT, "person_source_value", "nhs_number", "postcode", klass=IDENTIFIER),
            Column("date_of_birth", DATE, IDENTIFIER),
            Column("birth_datetime", TIMESTAMP, IDENTIFIER),
            key="person_id",
            links=(Link(("location_id",), "location", ("location_id",)),),
            rows_per_unit=1,
            magnitude=rows,
        ),
        private(
            "visit_occurrence",
            unit(),
            *columns(INTEGER, "visit_occurrence_id", "visit_concept_id", "provider_id", "care_site_id"),
            *columns(DATE, "visit_start_date", "visit_end_date"),
            *columns(TIMESTAMP, "visit_start_datetime"),
            key="visit_occurrence_id",
            **limits,
        ),
        *(_events(*line, **limits) for line in EVENTS),
        private("death", unit(), *columns(DATE, "death_date"), *columns(INTEGER, "cause_concept_id"), **limits),
        private(
            "observation_period",
            unit(),
            *columns(INTEGER, "observation_period_id"),
            *columns(DATE, "observation_period_start_date", "observation_period_end_date"),
            drop_unknown_units=True,  # GiBleed has 2,649 periods of people who are not in its person table
            **limits,
        ),
        private(
            "cost",
            unit(),
            *columns(INTEGER, "cost_id", "cost_event_id"),
            *columns(MONEY, "total_cost", "total_paid"),
            key="cost_id",
            unit_via=Link(("cost_event_id",), "visit_occurrence", ("visit_occurrence_id",)),
            **limits,
        ),
        table(
            "location",
            Access.ATTRIBUTE,
            [Column("location_id", INTEGER, nullable=False), *columns(TEXT, "county", "location_source_value")],
            unique=(frozenset(["location_id"]),),
        ),
        table(
            "concept",
            Access.PUBLIC,
            [Column("concept_id", INTEGER, nullable=False), *columns(TEXT, "concept_name", "domain_id")],
            unique=(frozenset(["concept_id"]),),
        ),
        table("fact_relationship", Access.HIDDEN, []),
        units=people,
    )


EVENTS = (
    ("condition_occurrence", "condition_concept_id", "condition_start_date", ()),
    ("drug_exposure", "drug_concept_id", "drug_exposure_start_date", ("quantity",)),
    ("procedure_occurrence", "procedure_concept_id", "procedure_date", ()),
    ("measurement", "measurement_concept_id", "measurement_date", ("value_as_number",)),
    ("observation", "observation_concept_id", "observation_date", ()),
)


def _events(name: str, concept: str, day: str, numbers: tuple[str, ...], **limits: object) -> Table:
    """No key: GiBleed repeats drug_exposure_id, measurement_id and observation_id."""
    return private(
        name,
        unit(),
        *columns(INTEGER, f"{name}_id", concept, "visit_occurrence_id", "provider_id"),
        *columns(DATE, day),
        *columns(DOUBLE, *numbers),
        links=(VISIT,),
        **limits,
    )
