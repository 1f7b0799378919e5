"""Entries of the log as files, piece by piece: JSON Lines, CSV, FHIR. Only what entries hold: ids, codes, digests."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

from tre.journal.fhir import fhir_lines
from tre.journal.search import Hit

Form = Literal["jsonl", "csv", "fhir"]

_PLAIN = (
    "time",
    "event",
    "actor",
    "subject",
    "change",
    "project",
    "dataset",
    "version",
    "request",
    "decision",
    "state",
    "measure",
)
MEDIA: Mapping[Form, str] = MappingProxyType(
    {"jsonl": "application/jsonl", "csv": "text/csv", "fhir": "application/fhir+ndjson"}
)
"""What each form is, to whoever receives it (RFC 6838)."""

COLUMNS = ("index", *_PLAIN, "amount", "delta", "tables", "reasons", "event_id")
"""The header of the CSV; `reasons` are those of the gates too, lists have spaces between their parts."""


def json_lines(hits: Iterable[Hit]) -> Iterator[bytes]:
    """Yield each entry as one line: its index, and its fields as the log has them."""
    for hit in hits:
        line = {"index": hit.index, "entry": hit.fields}
        yield json.dumps(line, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def comma_separated(hits: Iterable[Hit]) -> Iterator[bytes]:
    """Yield the header and a row for each entry (RFC 4180).

    No cell can begin a formula of a spreadsheet: entries hold codes, ids and digests, which begin with a letter or
    a digit.
    """
    yield _row(COLUMNS)
    for hit in hits:
        yield _row(cells(hit))


def cells(hit: Hit) -> list[str]:
    """Return an entry as the cells of a table whose header is `COLUMNS`."""
    cost = hit.fields.get("cost", {})
    gates = [code for gate in hit.fields.get("gates", ()) for code in gate["reasons"]]
    lists = (hit.fields.get("tables", ()), (*hit.fields.get("reasons", ()), *gates))
    plain = [str(hit.fields.get(name, "")) for name in _PLAIN]
    amounts = [cost.get("amount", ""), cost.get("delta", "")]
    return [str(hit.index), *plain, *amounts, *map(" ".join, lists), hit.fields["event_id"]]


FORMS: Mapping[Form, Callable[[Iterable[Hit], str], Iterator[bytes]]] = MappingProxyType(
    {
        "jsonl": lambda hits, _origin: json_lines(hits),
        "csv": lambda hits, _origin: comma_separated(hits),
        "fhir": fhir_lines,
    }
)
"""The forms of an export by name: of the entries, and of the log's name, which stands in some of them."""


def _row(cells: Any) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()
