"""The reviewers' pages: projects with their decisions, the log, its verification, incidents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from flask import Response
from werkzeug.datastructures import MultiDict

from audit.entries import Event
from tre.base.reasons import Refused
from tre.base.reasons.web import QUERY_PARAMETER, UNKNOWN_ENTRY
from tre.journal.exports import MEDIA, Form
from tre.journal.search import Wanted
from tre.web.oversight import Oversight
from tre.web.portal.downloads import download, kept
from tre.web.portal.paging import span, whole
from tre.web.portal.site import Page, Shown, Visit, go

_TEXTS = ("person", "project", "dataset", "table", "event", "reason", "request")
_DAYS = ("since", "until")
_FILES: Mapping[Form, str] = {"csv": "entries.csv", "jsonl": "entries.jsonl", "fhir": "entries.fhir.ndjson"}
EVENTS = tuple(event.value for event in Event)


def wanted(asked: MultiDict[str, str]) -> tuple[Wanted, Mapping[str, str]]:
    """Return which entries the filter wants, and the filter as it was typed. Raises Refused (web.query-parameter)."""
    typed = {name: asked.get(name, "").strip()[:128] for name in (*_TEXTS, *_DAYS)}
    if typed["event"] and typed["event"] not in EVENTS:
        raise Refused.because(QUERY_PARAMETER, name="“event”")
    said = {name: typed[name] for name in _TEXTS if typed[name]}
    since, until = (_day(typed[name], name) for name in _DAYS)
    return Wanted(**said, since=since, until=until and until + timedelta(days=1)), typed


def _day(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(datetime.strptime(text, "%Y-%m-%d").date(), time(), UTC)  # noqa: DTZ007 - a day
    except ValueError:
        raise Refused.because(QUERY_PARAMETER, name=f"“{name}”") from None


class _Reviewing:
    def __init__(self, oversight: Oversight) -> None:
        self._oversight = oversight

    def projects(self, visit: Visit) -> Shown:
        return Shown("reviewing/projects.html", {"projects": self._oversight.projects(visit.principal)})

    def project(self, visit: Visit) -> Shown:
        project = self._oversight.project(visit.principal, visit.path["id"])
        page = self._oversight.decisions(visit.principal, project.id, span(visit.asked))
        values = {"project": project, "page": page, "before": visit.asked.get("before")}
        return Shown("reviewing/project.html", values)

    def log(self, visit: Visit) -> Shown:
        found, typed = wanted(visit.asked)
        page = self._oversight.entries(visit.principal, found, span(visit.asked))
        asked = {name: text for name, text in typed.items() if text}
        values = {"page": page, "typed": typed, "asked": asked, "events": EVENTS, "before": visit.asked.get("before")}
        return Shown("reviewing/log.html", values)

    def export(self, visit: Visit) -> Response:
        found, _ = wanted(visit.asked)
        form = next((one for one in MEDIA if one == visit.path["form"]), None)
        if form is None:
            raise Refused.because(UNKNOWN_ENTRY)
        pieces = self._oversight.export(visit.principal, found, form)
        media = "text/csv; charset=utf-8" if form == "csv" else MEDIA[form]
        return kept(Response(pieces, content_type=media), _FILES[form])

    def crate(self, visit: Visit) -> Response:
        project = self._oversight.project(visit.principal, visit.path["id"]).id
        pieces = self._oversight.crate(visit.principal, Wanted(project=project))
        return kept(Response(pieces, content_type="application/zip"), f"{project}-crate.zip")

    def erasure(self, visit: Visit) -> Shown:
        found = self._oversight.erasure(visit.principal, visit.path["id"])
        return Shown("reviewing/erasure.html", {"found": found, "own": found.person == visit.principal.person})

    def erase(self, visit: Visit) -> Response:
        project = visit.path["id"]
        if visit.form.get("step") == "agree":
            self._oversight.agree_erasure(visit.principal, project)
        else:
            self._oversight.ask_erasure(visit.principal, project)
        return go(f"/oversight/projects/{project}/erasure")

    def entry(self, visit: Visit) -> Shown:
        entry = self._oversight.entry(visit.principal, whole(visit.path["index"], "index"))
        return Shown("reviewing/entry.html", {"entry": entry})

    def receipt(self, visit: Visit) -> Response:
        index = whole(visit.path["index"], "index")
        return download(self._oversight.receipt(visit.principal, index), "text/plain", f"entry-{index}.tlog-proof")

    def verification(self, visit: Visit) -> Shown:
        return Shown("reviewing/verification.html", {"found": self._oversight.verification(visit.principal)})

    def incidents(self, visit: Visit) -> Shown:
        page = self._oversight.incidents(visit.principal, span(visit.asked))
        locked = tuple(one for one in self._oversight.projects(visit.principal) if one.state == "locked")
        return Shown("reviewing/incidents.html", {"page": page, "locked": locked, "before": visit.asked.get("before")})

    def unlock(self, visit: Visit) -> Response:
        reason = visit.form.get("reason", "").strip()[:2000]
        self._oversight.unlock(visit.principal, visit.path["id"], reason)
        return go(f"/oversight/projects/{visit.path['id']}")


def reviewing_pages(oversight: Oversight) -> tuple[Page, ...]:
    """Return the pages of board members and auditors; a controller finds what concerns their data sets there."""
    do = _Reviewing(oversight)
    return (
        Page("overseen-projects", "/oversight/projects", do.projects),
        Page("overseen-project", "/oversight/projects/<id>", do.project),
        Page("crate", "/oversight/projects/<id>/crate", do.crate),
        Page("unlock", "/oversight/projects/<id>/unlocking", do.unlock, method="POST"),
        Page("erasure", "/oversight/projects/<id>/erasure", do.erasure),
        Page("erasing", "/oversight/projects/<id>/erasure", do.erase, method="POST"),
        Page("entries", "/oversight/log", do.log),
        Page("entries-file", "/oversight/entries.<form>", do.export),
        Page("entry", "/oversight/log/<index>", do.entry),
        Page("entry-receipt", "/oversight/log/<index>/receipt", do.receipt),
        Page("verification", "/oversight/verification", do.verification),
        Page("incidents", "/oversight/incidents", do.incidents),
    )
