"""Decisions and results as a researcher meets them, in pandas, Polars or Arrow where those are installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any

from tre.client.errors import Reason, reason_from

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Price:
    """What an answer costs: epsilon by conversion, rho and delta exact, the share of the project's whole budget."""

    epsilon: float
    delta: Decimal
    share: float
    rho: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the environment decided about a question.

    `error` gives the half-width of the 95 % interval of each output (None where only the release tells),
    `release_seconds` when an answer leaves.
    """

    allowed: bool
    reasons: tuple[Reason, ...]
    price: Price | None
    error: Mapping[str, float | None]
    gates: Mapping[str, bool] = field(default_factory=dict)
    bounds: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    release_seconds: float | None = None

    def __bool__(self) -> bool:
        return self.allowed


class Suppressed:
    """A cell that is withheld. It is no number and never 0."""

    def __repr__(self) -> str:
        return "suppressed"


SUPPRESSED = Suppressed()
Cell = bool | int | float | str | Decimal | date | datetime | Suppressed | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `bound` is "low" or "high" for the ends of the interval of the column `of`."""

    name: str
    type: str
    noisy: bool
    bound: str | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """A released answer. `rows` hold Python values; `receipt` is the text that proves its entry in the log."""

    query: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    cost: Price
    receipt: str
    clipped: float | None = None
    bounds: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Result {self.query}: {len(self.rows)} rows, {', '.join(column.name for column in self.columns)}>"

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Cell]]:
        names = [column.name for column in self.columns]
        return (dict(zip(names, row, strict=True)) for row in self.rows)

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas frame with nullable types; a withheld cell is NA."""
        import pandas as pd

        kinds = {"integer": "Int64", "double": "Float64", "boolean": "boolean", "text": "string"}
        series = {
            column.name: pd.Series(values, dtype=kinds.get(column.type, "object")) for column, values in self._known()
        }
        for column in self.columns:
            if column.type in ("date", "timestamp"):
                series[column.name] = pd.to_datetime(series[column.name])
        return pd.DataFrame(series)

    def to_polars(self) -> pl.DataFrame:
        """Return a Polars frame; a withheld cell is null."""
        import polars as pl

        kinds: dict[str, Any] = {
            "integer": pl.Int64,
            "double": pl.Float64,
            "boolean": pl.Boolean,
            "text": pl.String,
            "date": pl.Date,
            "timestamp": pl.Datetime("us"),
        }
        return pl.DataFrame(
            [
                pl.Series(column.name, values, dtype=kinds.get(column.type), strict=True)
                if column.type in kinds
                else pl.Series(column.name, values, dtype=pl.Decimal(38, _scale(values)))
                for column, values in self._known()
            ]
        )

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table; a withheld cell is null."""
        import pyarrow as pa

        kinds = {
            "integer": pa.int64(),
            "double": pa.float64(),
            "boolean": pa.bool_(),
            "text": pa.string(),
            "date": pa.date32(),
            "timestamp": pa.timestamp("us"),
        }
        arrays = [
            pa.array(values, kinds.get(column.type) or pa.decimal128(38, _scale(values)))
            for column, values in self._known()
        ]
        return pa.table(arrays, names=[column.name for column in self.columns])

    def _known(self) -> Iterator[tuple[Column, list[Cell]]]:
        for index, column in enumerate(self.columns):
            cells = (row[index] for row in self.rows)
            yield column, [None if cell is SUPPRESSED else cell for cell in cells]

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(column.name)}</th>" for column in self.columns)
        body = "".join(f"<tr>{''.join(f'<td>{escape(_shown(cell))}</td>' for cell in row)}</tr>" for row in self.rows)
        foot = f"epsilon {self.cost.epsilon:.3g}, {self.cost.share:.1%} of the project's budget; receipt in .receipt"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{escape(foot)}</p>"


def _shown(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _scale(values: list[Cell]) -> int:
    exponents = [int(value.as_tuple().exponent) for value in values if isinstance(value, Decimal)]
    return max([0, *(-exponent for exponent in exponents)])


_READERS: dict[str, Callable[[Any], Cell]] = {
    "decimal": Decimal,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "double": float,
}


def _cell(value: Any, kind: str) -> Cell:
    if isinstance(value, dict):
        return SUPPRESSED
    if value is None:
        return None
    read = _READERS.get(kind)
    plain: Cell = read(value) if read else value
    return plain


def price_from(found: Mapping[str, Any]) -> Price:
    """Return the price that the JSON says."""
    rho = found.get("rho")
    return Price(found["epsilon"], Decimal(found["delta"]), found["share"], Decimal(rho) if rho is not None else None)


def decision_from(found: Mapping[str, Any]) -> Decision:
    """Return the decision that the JSON says."""
    return Decision(
        allowed=found["allowed"],
        reasons=tuple(reason_from(reason) for reason in found["reasons"]),
        price=price_from(found["price"]) if found.get("price") else None,
        error={item["output"]: item["half_width"] for item in found["error"]},
        gates={gate["gate"]: gate["allowed"] for gate in found["gates"]},
        bounds=found.get("bounds") or {},
        notes=tuple(found["notes"]),
        release_seconds=found.get("release_seconds"),
    )


def result_from(found: Mapping[str, Any], receipt: str) -> Result:
    """Return the result that the JSON says, with its receipt."""
    columns = tuple(Column(**{name: column.get(name) for name in Column.__slots__}) for column in found["columns"])
    return Result(
        query=found["query"],
        columns=columns,
        rows=tuple(
            tuple(_cell(value, column.type) for value, column in zip(row, columns, strict=True))
            for row in found["rows"]
        ),
        cost=price_from(found["cost"]),
        receipt=receipt,
        clipped=found["clipped"]["share"] if found.get("clipped") else None,
        bounds=found["bounds"],
        notes=tuple(found["notes"]),
    )
