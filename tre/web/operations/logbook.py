"""The log's entries, for board members and auditors; its verification, for all who review or operate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from audit.entries import Event
from tre.journal.exports import MEDIA, Form
from tre.journal.search import LONGEST_PAGE, Page, Wanted
from tre.web.contract import TEXT, ZIP, Call, Operation, Reply, Shape
from tre.web.operations.common import NAMED, PROJECT
from tre.web.oversight import Oversight
from tre.web.oversight_views import EntriesView, EntryView, VerificationView
from tre.web.parameters import Parameter, choice, moment, text, whole

PAGE_SIZE = 50
PAGE: Mapping[str, Parameter] = {
    "before": whole("The `next` of the page before", 0, 10**15 - 1),
    "limit": whole(f"How many; {PAGE_SIZE} if absent", 1, LONGEST_PAGE),
}
INDEX = r"0|[1-9]\d{0,14}"
_CODE = r"[A-Za-z0-9][A-Za-z0-9._:@/+~-]{0,127}"
_TABLE = r"[A-Za-z_][A-Za-z0-9_$]{0,127}(\.[A-Za-z_][A-Za-z0-9_$]{0,127}){0,2}"
WANTED: Mapping[str, Parameter] = {
    "person": text("Who acted or consented, or whom or what the entry is about, by id", _CODE),
    "project": text("A project by id", _CODE),
    "dataset": text("A data set by name", _CODE),
    "table": text("A table by name", _TABLE),
    "event": choice("A kind of entry", *Event),
    "reason": text("The code of a reason", _CODE),
    "request": text("A query by id", _CODE),
    "since": moment("Entries from this time on"),
    "until": moment("Entries before this time"),
}
_ENTRY = "/api/v1/log/entries/{index}"
_SPAN = {name: WANTED[name] for name in ("since", "until")}


def page(call: Call) -> Page:
    """Return the page that a call asks for."""
    return Page(call.query.get("before"), call.query.get("limit", PAGE_SIZE))


class _Logbook:
    def __init__(self, oversight: Oversight) -> None:
        self.oversight = oversight

    def entries(self, call: Call) -> Reply:
        return Reply(self.oversight.entries(call.person, _wanted(call), page(call)))

    def entry(self, call: Call) -> Reply:
        return Reply(self.oversight.entry(call.person, int(call.path["index"])))

    def receipt(self, call: Call) -> Reply:
        return Reply(self.oversight.receipt(call.person, int(call.path["index"])))

    def jsonl(self, call: Call) -> Reply:
        return Reply(self.oversight.export(call.person, _wanted(call), "jsonl"))

    def csv(self, call: Call) -> Reply:
        return Reply(self.oversight.export(call.person, _wanted(call), "csv"))

    def fhir(self, call: Call) -> Reply:
        return Reply(self.oversight.export(call.person, _wanted(call), "fhir"))

    def crate(self, call: Call) -> Reply:
        wanted = replace(_wanted(call), project=call.path["id"])
        return Reply(self.oversight.crate(call.person, wanted))

    def verification(self, call: Call) -> Reply:
        return Reply(self.oversight.verification(call.person))


def _wanted(call: Call) -> Wanted:
    return Wanted(**{name: call.query[name] for name in WANTED if name in call.query})


def logbook(oversight: Oversight) -> tuple[Operation, ...]:
    """Return the operations over the log's entries."""
    do = _Logbook(oversight)
    return (
        Operation(
            name="listEntries",
            method="GET",
            path="/api/v1/log/entries",
            summary="Entries of the log, newest first, that are all that is asked for; to board members and auditors",
            handle=do.entries,
            query={**WANTED, **PAGE},
            replies={200: Shape("A page of entries", EntriesView)},
            refusals=frozenset({404}),
        ),
        Operation(
            name="getEntry",
            method="GET",
            path=_ENTRY,
            summary="One entry of the log",
            handle=do.entry,
            parameters={"index": INDEX},
            replies={200: Shape("The entry", EntryView)},
        ),
        Operation(
            name="getEntryReceipt",
            method="GET",
            path=_ENTRY + "/receipt",
            summary="An entry's receipt, with the entry in it (C2SP tlog-proof)",
            handle=do.receipt,
            parameters={"index": INDEX},
            replies={200: Shape("The receipt", media=TEXT)},
        ),
        _export("exportEntriesAsJson", do.jsonl, "jsonl", "JSON Lines, each an index and an entry"),
        _export("exportEntriesAsCsv", do.csv, "csv", "CSV with a header"),
        _export("exportEntriesAsFhir", do.fhir, "fhir", "FHIR R4B AuditEvent, one resource a line"),
        Operation(
            name="exportProjectCrate",
            method="GET",
            path=PROJECT + "/crate",
            summary="What a project did, as an RO-Crate in a ZIP archive: its entries, with a receipt for each",
            handle=do.crate,
            parameters={"id": NAMED},
            query=_SPAN,
            replies={200: Shape("The archive", media=ZIP)},
        ),
        Operation(
            name="getVerification",
            method="GET",
            path="/api/v1/log/verification",
            summary="The verifier's last report on the log; one that is too old is made anew beside",
            handle=do.verification,
            replies={200: Shape("The report", VerificationView)},
            refusals=frozenset({404}),
        ),
    )


def _export(name: str, handle: Callable[[Call], Reply], form: Form, form_name: str) -> Operation:
    return Operation(
        name=name,
        method="GET",
        path=f"/api/v1/log/entries.{form}",
        summary=f"All entries of the log that are all that is asked for, oldest first, as {form_name}",
        handle=handle,
        query=WANTED,
        replies={200: Shape("The entries", media=MEDIA[form])},
        refusals=frozenset({404}),
    )
