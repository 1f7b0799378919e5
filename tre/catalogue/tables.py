"""Tables, columns, links and bounds as a policy declares them: never inferred from data (PRIVACY §1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

SIDE_SCHEMA = "tre_side"
"""Schema of a version's side tables, one a private table: (unit, n), n the unit's rows. No query names it."""

Value = bool | int | Decimal | str | date | datetime
"""A literal value of a domain. Doubles have none: equality on doubles groups nothing."""


class Kind(StrEnum):
    """The types that every engine treats alike."""

    BOOLEAN = "boolean"
    INTEGER = "integer"  # signed 64 bits
    DECIMAL = "decimal"
    DOUBLE = "double"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"  # without zone, microseconds


@dataclass(frozen=True, slots=True)
class Type:
    """A kind; `precision` and `scale` for decimals only."""

    kind: Kind
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        return self.kind.value


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval on the number line. Dates count days, timestamps microseconds, since 1970-01-01."""

    low: Fraction
    high: Fraction

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("an interval's low end lies above its high end")

    @property
    def magnitude(self) -> Fraction:
        """The largest absolute value inside."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True, slots=True)
class Usual:
    """What the rows of one person are taken to add up to: Σ|x| to `total` and `each` a row, Σx² to `squares`.

    `mean` is about what a row holds on average, zero where that is not known; `ranked` how many rows of a person count
    for quantiles, where that is not as many as for sums. Bounds in use, chosen from what was released of the data
    (PRIVACY §3.2), and no proofs: who exceeds them is clipped.
    """

    total: Fraction
    each: Fraction = Fraction(0)
    squares: Fraction | None = None
    mean: Fraction = Fraction(0)
    ranked: int | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """Released of a version (PRIVACY §1): the noisy numbers of a table's rows and of the people who have any.

    `rows_within` and `people_within` are the half-widths of their 95 % intervals; of one person `counted` rows at most
    are among `rows`.
    """

    rows: int
    rows_within: float
    people: int
    people_within: float
    counted: int

    @property
    def least_people(self) -> float:
        """The lower end of the interval of people."""
        return self.people - self.people_within

    @property
    def most_people(self) -> float:
        """The upper end of the interval of people."""
        return self.people + self.people_within

    def least_rows(self, cap: int) -> float:
        """Return how many rows there are at least, of one person `cap`: a lower cap keeps at least its part of them.

        For min(n, cap) ≥ min(n, c) · cap/c where cap ≤ c, and everybody has a row.
        """
        rows = (self.rows - self.rows_within) * min(1.0, cap / self.counted)
        return max(rows, self.least_people)


class Access(StrEnum):
    """How a table may be used (PRIVACY §2). A table that the policy does not name is refused."""

    PRIVATE = "private"
    ATTRIBUTE = "attribute"
    PUBLIC = "public"
    HIDDEN = "hidden"


class ColumnClass(StrEnum):
    """What a column says about a person. A column that the policy does not list is an identifier."""

    UNIT_KEY = "unit key"
    DIRECT_IDENTIFIER = "direct identifier"
    QUASI_IDENTIFIER = "quasi-identifier"
    SENSITIVE = "sensitive"
    ORDINARY = "ordinary"


class IdentifierType(StrEnum):
    """What a direct identifier is: by declaration, never by its look (GOVERNANCE §5). The value is its name in keys."""

    NHS_NUMBER = "nhs-number"
    LOCAL_NUMBER = "local-number"


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column.

    `bounds` clamp in the scan; a value outside `domain` becomes NULL in the scan, which groups as "other";
    `calendar` is the range of dates that grouping by date may enumerate; `granularity` is the grid on which
    sums are exact; `max_length` bounds text in characters, longer text is cut in the scan; a source may lack an
    `optional` column, and then no query can name it. `identifier` is the type of a direct identifier in whose place
    onboarding makes tokens. `found` says that bounds are looked for in a release of the data set (PRIVACY §3.2), which
    then stand in `bounds`, with what a person's values `usually` add up to.
    """

    name: str
    type: Type
    klass: ColumnClass = ColumnClass.ORDINARY
    nullable: bool = True
    bounds: Interval | None = None
    granularity: Fraction | None = None
    domain: tuple[Value, ...] | None = None
    calendar: tuple[date, date] | None = None
    max_length: int | None = None
    optional: bool = False
    identifier: IdentifierType | None = None
    found: bool = False
    usually: Usual | None = None

    @property
    def visible(self) -> bool:
        """Whether a query may name the column: direct identifiers are never in a version."""
        return self.klass is not ColumnClass.DIRECT_IDENTIFIER


@dataclass(frozen=True, slots=True)
class Link:
    """An enforced N:1 link: the target's columns are unique, and where a target exists it has the same unit."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A declared table.

    `unit` names the column that holds the unit key (private tables only); `unique` lists declared unique keys;
    `rows_per_unit` is the cap enforced in the scan; `typical_rows` the contribution bound used for clipping
    when the request names none; `magnitude` the declared upper bound of rows; `enforced_rows` the cap that the
    version at hand has already enforced, if any; `counts_kept` whether it keeps the number of rows of each unit;
    `public_rows` the exact size of a public table, `public_fans` the most of its rows that have one value of a column;
    `unit_via` the link through which onboarding fills the unit column of a table whose source has none (`cost`, by
    its visit);
    `drop_unknown_units` lets onboarding leave out rows of people whom the unit table does not have, else it refuses.
    A source may lack an `optional` table, and then no query can name it. `only_rows` are columns with the values that
    they must have: onboarding leaves out every other row, before it follows `unit_via` (a cost's event is a visit only
    where its domain says so). `size` is what was released of the version at hand, if anything was; `rows_found` says
    that `typical_rows` follows from a release too, and not from the policy.
    """

    name: str
    access: Access
    columns: Mapping[str, Column]
    unit: str | None = None
    unique: tuple[frozenset[str], ...] = ()
    links: tuple[Link, ...] = ()
    rows_per_unit: int | None = None
    typical_rows: int | None = None
    magnitude: int = 0
    enforced_rows: int | None = None
    counts_kept: bool = False
    public_rows: int | None = None
    public_fans: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    unit_via: Link | None = None
    drop_unknown_units: bool = False
    optional: bool = False
    only_rows: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    size: Size | None = None
    rows_found: bool = False

    @property
    def capped_in_scan(self) -> bool:
        """Whether the scan itself must cut rows beyond the cap: not where the version already has."""
        if self.rows_per_unit is None:
            return False
        return self.enforced_rows is None or self.enforced_rows > self.rows_per_unit


@dataclass(frozen=True)
class Catalogue:
    """What a data set's policy declares, and at which version; `units` bounds the number of people."""

    dataset: str
    unit_table: str
    unit_key: str
    units: int
    tables: Mapping[str, Table] = field(default_factory=lambda: MappingProxyType({}))
    digest: str = ""
    version: str = ""

    def table(self, name: str) -> Table | None:
        """Return a table that a query may name; hidden and unknown answer alike."""
        found = self.tables.get(name)
        return None if found is None or found.access is Access.HIDDEN else found
