"""A released answer as a researcher meets it: rows, frames, a chart, a receipt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tre.client import charts, frames
from tre.client.decisions import Price, price_from
from tre.client.display import table_html
from tre.client.errors import TreError
from tre.client.receipts import Receipt
from tre.client.values import SUPPRESSED, Cell, Number, cell, shown

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from tre.client.progress import Progress
    from tre.client.queries import Query

_NUMBERS = ("integer", "decimal", "double")
_ROWS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `bound` is "low" or "high" for the ends of the interval of the column `of`."""

    name: str
    type: str
    noisy: bool
    bound: str | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Sharper:
    """What a sharper answer would cost: `half` is the further price of half the error, `affordable` whether it may be
    spent, `error` about what the widest interval of each output would reach to either side then (None: not told). All
    that is left of the budget would leave the part `least` of the error."""

    half: Price
    affordable: bool
    least: float
    error: Mapping[str, float | None] = field(default_factory=dict)

    def __str__(self) -> str:
        more = "" if self.affordable else ", which is more than may be spent"
        then = ", ".join(f"{name} ±{width:.3g}" for name, width in self.error.items() if width is not None)
        price = f"epsilon {self.half.epsilon:.3g}, {self.half.share:.2%} of the project's budget{more}"
        half = f"half the error (about {then})" if then else "half the error"
        return f"{half}: {price}; all that is left: {self.least:.1%} of the error"


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """A released answer.

    `rows` hold Python values, `SUPPRESSED` where a cell is withheld; `level` is that of the intervals; `receipt`
    is the text that proves the answer's entry in the log; `document` is the answer's JSON as it came; `asked` asks
    the environment for a sharper one, where this one is not out of a file; `sharper` is what that would cost, None of
    an exact answer.
    """

    query: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    cost: Price
    receipt: Receipt
    level: float = 0.95
    clipped: float | None = None
    bounds: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, compare=False)
    sharper: Sharper | None = None
    asked: Callable[..., Query] | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"<Result {self.query}: {len(self.rows)} rows, {', '.join(column.name for column in self.columns)}>"

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Cell]]:
        names = [column.name for column in self.columns]
        return (dict(zip(names, row, strict=True)) for row in self.rows)

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas frame with nullable types; a withheld cell is NA."""
        return frames.pandas_frame(self._known())

    def to_polars(self) -> pl.DataFrame:
        """Return a Polars frame; a withheld cell is null."""
        return frames.polars_frame(self._known())

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table; a withheld cell is null."""
        return frames.arrow_table(self._known())

    def chart(self, title: str | None = None) -> charts.Chart | None:
        """Return the chart of the answer, which a notebook draws; None where no chart makes sense."""
        spec = charts.chart(self.document["columns"], self.document["rows"], self.level, title=title)
        return None if spec is None else charts.Chart(spec)

    def refine(
        self,
        *,
        epsilon: Number | None = None,
        accuracy: str | None = None,
        progress: bool | Progress | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Return a sharper answer: a further draw at `epsilon`, or what an `accuracy` needs, combined with this one.

        Raises TreRefused with every reason, TreError for an answer out of a file; the rest is as in `Connection.query`.
        """
        if self.asked is None:
            raise TreError(f"This answer is out of a file: c.find({self.query!r}).refine(…) asks for a sharper one.")
        return self.asked(epsilon=epsilon, accuracy=accuracy).result(progress=progress, timeout=timeout)

    def save(self, path: str | Path) -> None:
        """Write answer and receipt into one JSON file, which `load` reads. It holds what was released."""
        kept = {"result": dict(self.document), "receipt": str(self.receipt)}
        Path(path).write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def _known(self) -> Iterator[tuple[str, str, list[Cell]]]:
        for index, column in enumerate(self.columns):
            cells = (row[index] for row in self.rows)
            yield column.name, column.type, [None if one is SUPPRESSED else one for one in cells]

    def _repr_html_(self) -> str:
        picture = self.chart()
        drawn = picture.svg() if picture is not None else None
        return self._table() + (f"<div>{drawn}</div>" if drawn else "")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return what a notebook shows: table and picture; without vl-convert the chart for Jupyter to draw."""
        plain = {"text/plain": repr(self)}
        picture = self.chart()
        if picture is None or picture.svg() is not None:
            return {**plain, "text/html": self._repr_html_()}
        return {**plain, "text/html": self._table(), **picture.specifications()}

    def _table(self) -> str:
        rows = [[shown(one) for one in row] for row in self.rows[:_ROWS_SHOWN]]
        numeric = {place for place, column in enumerate(self.columns) if column.type in _NUMBERS}
        left = f"The first {_ROWS_SHOWN} of {len(self.rows)} rows." if len(self.rows) > _ROWS_SHOWN else ""
        cost = f"epsilon {self.cost.epsilon:.3g}, {self.cost.share:.1%} of the project's budget; receipt in .receipt"
        foot = (left, cost, "" if self.sharper is None else str(self.sharper), *self.notes)
        return table_html([column.name for column in self.columns], rows, numeric=numeric, foot=foot)


def result_from(found: Mapping[str, Any], receipt: str, asked: Callable[..., Query] | None = None) -> Result:
    """Return the result that the JSON says, with its receipt; `asked` asks for a sharper one."""
    columns = tuple(Column(**{name: column.get(name) for name in Column.__slots__}) for column in found["columns"])
    return Result(
        query=found["query"],
        columns=columns,
        rows=tuple(
            tuple(cell(value, column.type) for value, column in zip(row, columns, strict=True)) for row in found["rows"]
        ),
        cost=price_from(found["cost"]),
        receipt=Receipt(receipt, found),
        level=found.get("level", 0.95),
        clipped=found["clipped"]["share"] if found.get("clipped") else None,
        bounds=found["bounds"],
        notes=tuple(found["notes"]),
        document=found,
        sharper=_sharper(found["sharper"]) if found.get("sharper") else None,
        asked=asked,
    )


def _sharper(found: Mapping[str, Any]) -> Sharper:
    error = {one["output"]: one["half_width"] for one in found.get("error", ())}
    return Sharper(price_from(found["half"]), found["affordable"], found["least"], error)


def load(path: str | Path) -> Result:
    """Return the answer that `Result.save` wrote. Raises TreError when the file is none; it proves nothing yet."""
    try:
        kept = json.loads(Path(path).read_text(encoding="utf-8"))
        return result_from(kept["result"], kept["receipt"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TreError(f"{path} is no saved answer.") from None
