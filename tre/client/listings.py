"""Projects, data sets and budgets, as typed records that print as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar, overload

from tre.client.display import table_html, table_text


@dataclass(frozen=True, slots=True)
class Project:
    """A project of one's own."""

    id: str
    state: str
    datasets: tuple[str, ...]
    purposes: tuple[str, ...]
    members: tuple[str, ...]
    expires: str | None


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """A data set by name, with its version and the policy in force."""

    name: str
    version: str
    policy: str


@dataclass(frozen=True, slots=True)
class DictionaryColumn:
    """A column that a query may name; `found` says that its bounds follow from a release, not from the policy."""

    table: str
    name: str
    type: str
    klass: str
    nullable: bool
    bounds: tuple[float, float] | None
    domain: tuple[Any, ...] | None
    found: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """The noisy size of a table of the version: rows and people, each within so much of the truth in 95 of 100.

    Of one person `counted` rows at most are among `rows`.
    """

    table: str
    rows: int
    rows_within: float
    people: int
    people_within: float
    counted: int


@dataclass(frozen=True, slots=True)
class Loss:
    """A privacy loss: epsilon by conversion, rho (None under pure DP) and delta exact."""

    epsilon: float
    rho: Decimal | None
    delta: Decimal


@dataclass(frozen=True, slots=True)
class Account:
    """What a project may spend on a data set, has spent, holds reserved and has left. Rho adds up, epsilon does not."""

    dataset: str
    measure: str
    limit: Loss
    spent: Loss
    reserved: Loss
    left: Loss


Record = TypeVar("Record")


class Listing(Sequence[Record], Generic[Record]):
    """Records in a row, which print as a table of `names`, cells from `cells`."""

    def __init__(self, records: Sequence[Record], names: Sequence[str], cells: Sequence[Sequence[object]]) -> None:
        self._records = tuple(records)
        self._names, self._cells = names, cells

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | Sequence[Record]:
        return self._records[place]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __repr__(self) -> str:
        return table_text(self._names, self._cells)

    def _repr_html_(self) -> str:
        return table_html(self._names, self._cells)


@dataclass(frozen=True, slots=True, repr=False)
class Dataset:
    """A data dictionary: the person's table and key, every column that a query may name, and the noisy `sizes`."""

    name: str
    version: str
    policy: str
    unit_table: str
    unit_key: str
    columns: Listing[DictionaryColumn]
    sizes: Listing[Size]

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables."""
        return tuple(dict.fromkeys(column.table for column in self.columns))

    def __repr__(self) -> str:
        return f"{self.name}, version {self.version}; a person is {self.unit_table}.{self.unit_key}\n{self.columns!r}"

    def _repr_html_(self) -> str:
        return self.columns._repr_html_()


@dataclass(frozen=True, slots=True, repr=False)
class Budget:
    """A project's accounts, one for each data set."""

    project: str
    accounts: Listing[Account]

    def __repr__(self) -> str:
        return f"Budget of {self.project}\n{self.accounts!r}"

    def _repr_html_(self) -> str:
        return self.accounts._repr_html_()


def projects_from(found: Mapping[str, Any]) -> Listing[Project]:
    """Return the projects that the JSON says."""
    made = [
        Project(
            id=one["id"],
            state=one["state"],
            datasets=tuple(one["datasets"]),
            purposes=tuple(one.get("purposes") or ()),
            members=tuple(one.get("members") or ()),
            expires=one.get("expires"),
        )
        for one in found["projects"]
    ]
    cells = [(one.id, one.state, ", ".join(one.datasets), one.expires or "") for one in made]
    return Listing(made, ("project", "state", "data sets", "expires"), cells)


def datasets_from(found: Mapping[str, Any]) -> Listing[DatasetSummary]:
    """Return the data sets that the JSON says."""
    made = [DatasetSummary(one["name"], one["version"], one["policy"]) for one in found["datasets"]]
    return Listing(made, ("data set", "version"), [(one.name, one.version) for one in made])


def dataset_from(found: Mapping[str, Any]) -> Dataset:
    """Return the data dictionary that the JSON says."""
    made = [_column(table["name"], column) for table in found["tables"] for column in table["columns"]]
    cells = [(one.table, one.name, one.type, one.klass, _values(one)) for one in made]
    columns = Listing(made, ("table", "column", "type", "class", "values"), cells)
    names = {name: found[name] for name in ("name", "version", "policy", "unit_table", "unit_key")}
    return Dataset(**names, columns=columns, sizes=_sizes(found["tables"]))


def _sizes(tables: Sequence[Mapping[str, Any]]) -> Listing[Size]:
    made = [Size(table["name"], **table["size"]) for table in tables if table.get("size")]
    cells = [
        (one.table, f"{one.rows:,} ±{one.rows_within:,.0f}", f"{one.people:,} ±{one.people_within:,.0f}")
        for one in made
    ]
    return Listing(made, ("table", "noisy rows", "noisy people"), cells)


def _column(table: str, found: Mapping[str, Any]) -> DictionaryColumn:
    bounds, domain = found.get("bounds"), found.get("domain")
    return DictionaryColumn(
        table,
        found["name"],
        found["type"],
        found["klass"],
        found["nullable"],
        (bounds[0], bounds[1]) if bounds else None,
        tuple(domain) if domain is not None else None,
        bool(found.get("found")),
    )


def _values(column: DictionaryColumn) -> str:
    if column.bounds is not None:
        return f"{column.bounds[0]:g} to {column.bounds[1]:g}{', found' * column.found}"
    return ", ".join(str(value) for value in column.domain or ())


def budget_from(found: Mapping[str, Any]) -> Budget:
    """Return the budget that the JSON says."""
    made = [
        Account(one["dataset"], one["measure"], *(_loss(one[name]) for name in ("limit", "spent", "reserved", "left")))
        for one in found["accounts"]
    ]
    cells = [
        (one.dataset, *(f"{loss.epsilon:.3g}" for loss in (one.limit, one.spent, one.reserved, one.left)), _share(one))
        for one in made
    ]
    names = ("data set", "epsilon", "spent", "reserved", "left", "spent of the budget")
    return Budget(found["project"], Listing(made, names, cells))


def _loss(found: Mapping[str, Any]) -> Loss:
    rho = found.get("rho")
    return Loss(found["epsilon"], None if rho is None else Decimal(rho), Decimal(found["delta"]))


def _share(account: Account) -> str:
    """Return the share that is spent: of rho where there is one, because epsilon does not add."""
    spent, limit = account.spent.rho, account.limit.rho
    if spent is not None and limit:
        return f"{spent / limit:.1%}"
    return f"{account.spent.epsilon / account.limit.epsilon:.1%}" if account.limit.epsilon else ""
