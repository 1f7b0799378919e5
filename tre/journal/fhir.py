"""Entries of the log as FHIR R4B AuditEvent, one JSON object a line, by IHE's Basic Audit Log Patterns (BALP).

A question that was allowed follows BALP's Query, a reading of the log or of an answer its Read, and says so in
`meta.profile`; BALP leaves failures and other events to FHIR itself, so these claim no profile. Agents are the client,
the server and the user in every one of them. What an entry does not hold is said to be masked, where a profile needs
it: the address of the client, and the question, of which the log has a keyed digest alone. Patients are in no entry,
so they are in no resource. The fields that have no place of their own are details of the entity "log entry".

Sources: https://profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.BasicAudit.Query.html and …Read.html (1.1.3),
https://hl7.org/fhir/R4B/auditevent.html, DICOM PS3.16 CID 400, ISO 21089 as HL7 publishes its codes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from audit.entries import Event
from tre.journal.search import Hit

_HL7 = "http://terminology.hl7.org/CodeSystem"
_BALP = "https://profiles.ihe.net/ITI/BALP"
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_DUO = "http://purl.obolibrary.org/obo/duo.owl"
_MASKED = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}

Coding = dict[str, str]


def _coding(system: str, code: str, display: str) -> Coding:
    return {"system": system, "code": code, "display": display}


def _life(code: str) -> Coding:
    return _coding(f"{_HL7}/iso-21089-lifecycle", code, f"{code.title()} Record Lifecycle Event")


def _dicom(code: str, display: str) -> Coding:
    return _coding(_DCM, code, display)


_REST = _coding(f"{_HL7}/audit-event-type", "rest", "Restful Operation")
_SYSTEM_OBJECT, _OTHER = (
    _coding(f"{_HL7}/audit-entity-type", code, text) for code, text in (("2", "System Object"), ("4", "Other"))
)
_PERSON = _coding(f"{_HL7}/audit-entity-type", "1", "Person")
_SOURCE, _DESTINATION = _dicom("110153", "Source Role ID"), _dicom("110152", "Destination Role ID")
_USER = _coding(f"{_HL7}/v3-ParticipationType", "IRCP", "information recipient")
_CONSENTED = _coding(f"{_HL7}/v3-ParticipationType", "VRF", "verifier")


@dataclass(frozen=True, slots=True)
class Kind:
    """What an event is to FHIR: its type, C R U D or E, and of REST its interaction with the profile that it has."""

    type: Coding
    action: str
    interaction: str | None = None
    profile: str | None = None


_QUERY = Kind(_REST, "E", "search", "IHE.BasicAudit.Query")
_READ = Kind(_REST, "R", "read", "IHE.BasicAudit.Read")
_RIGHTS = _dicom("110137", "User Security Attributes Changed")
_RULES = _dicom("110129", "Security Configuration")
_EXPORT = _dicom("110106", "Export")

KINDS: Mapping[Event, Kind] = MappingProxyType(
    {
        Event.AUDIT_READ: _READ,
        Event.BOOTSTRAP: Kind(_RULES, "C"),
        Event.BOUNDS_CHARGED: Kind(_RULES, "U"),
        Event.BOUNDS_RELEASED: Kind(_life("disclose"), "R"),
        Event.CREDENTIAL_CHANGED: Kind(_RIGHTS, "U"),
        Event.DATASET_VERSION_ADDED: Kind(_dicom("110107", "Import"), "C"),
        Event.EXPORT: Kind(_EXPORT, "R"),
        Event.INCIDENT: Kind(_dicom("110113", "Security Alert"), "E"),
        Event.KEY_DESTROYED: Kind(_life("destroy"), "D"),
        Event.KEY_ROTATED: Kind(_RULES, "U"),
        Event.OPTOUT_REFRESHED: Kind(_RULES, "U"),
        Event.PERSON_CHANGED: Kind(_RIGHTS, "U"),
        Event.POLICY_ACTIVATED: Kind(_RULES, "U"),
        Event.POLICY_APPROVED: Kind(_RULES, "U"),
        Event.POLICY_PROPOSED: Kind(_RULES, "C"),
        Event.PROJECT_CHANGED: Kind(_RULES, "U"),
        Event.PROJECT_UNLOCKED: Kind(_RULES, "U"),
        Event.PSEUDONYMS_MADE: Kind(_life("pseudonymize"), "C"),
        Event.QUERY_DECISION: _QUERY,
        Event.QUERY_INTENT: _QUERY,
        Event.QUERY_OUTCOME: Kind(_life("disclose"), "R"),
        Event.REIDENTIFICATION: Kind(_life("reidentify"), "R"),
        Event.RELEASE: Kind(_life("disclose"), "R"),
        Event.ROLE_CHANGED: Kind(_dicom("110136", "Security Roles Changed"), "U"),
        Event.SESSION_ENDED: Kind(_dicom("110123", "Logout"), "E"),
        Event.SIGNIN_FAILED: Kind(_dicom("110114", "User Authentication"), "E"),
        Event.SIGNIN_SUCCEEDED: Kind(_dicom("110122", "Login"), "E"),
        Event.TOKEN_ISSUED: Kind(_RIGHTS, "C"),
    }
)
"""Every event of the log."""

_ABOUT_PEOPLE = {
    Event.CREDENTIAL_CHANGED,
    Event.PERSON_CHANGED,
    Event.ROLE_CHANGED,
    Event.SESSION_ENDED,
    Event.TOKEN_ISSUED,
}
_OUTCOMES = {"denied": "4", "voided": "4", "burned": "8", Event.SIGNIN_FAILED: "4", Event.INCIDENT: "8"}
_SUCCESS = "0"
_PLACED = {"event", "event_id", "time", "actor", "session", "purpose", "approved_by", "policy_digest", "query_digest"}
_PLACED |= {"request", "project", "dataset", "subject", "tables", "columns"}


def fhir_lines(hits: Iterable[Hit], origin: str) -> Iterator[bytes]:
    """Yield each entry as an AuditEvent, checked against FHIR's own model; `origin` is the log's name."""
    from fhir.resources.R4B.auditevent import AuditEvent  # half a second, for those who export

    for hit in hits:
        yield AuditEvent.model_validate(audit_event(hit, origin)).model_dump_json().encode() + b"\n"


def audit_event(hit: Hit, origin: str) -> dict[str, Any]:
    """Return an entry as an AuditEvent."""
    fields, base = hit.fields, f"https://{origin}"
    event = Event(fields["event"])
    kind, outcome = KINDS[event], _outcome(event, fields)
    claimed = {"meta": {"profile": [f"{_BALP}/StructureDefinition/{kind.profile}"]}} if kind.profile else {}
    reasons = sorted(_reasons(fields))
    return {
        "resourceType": "AuditEvent",
        "id": fields["event_id"],
        **(claimed if outcome == _SUCCESS else {}),
        "type": kind.type,
        "subtype": _subtypes(event, kind, base),
        "action": kind.action,
        "recorded": fields["time"],
        "outcome": outcome,
        **({"outcomeDesc": " ".join(reasons)} if reasons else {}),
        "agent": _agents(fields, kind, base, origin),
        "source": {
            "site": origin,
            "observer": {"display": origin},
            "type": [_coding(f"{_HL7}/security-source-type", "4", "Application Server")],
        },
        "entity": list(_entities(hit, event, kind, base)),
    }


def _outcome(event: Event, fields: Mapping[str, Any]) -> str:
    said = (fields.get("decision"), fields.get("state"), event)
    return next((_OUTCOMES[one] for one in said if one in _OUTCOMES), _SUCCESS)


def _reasons(fields: Mapping[str, Any]) -> set[str]:
    gates = (code for gate in fields.get("gates", ()) for code in gate["reasons"])
    return {*fields.get("reasons", ()), *gates}


def _subtypes(event: Event, kind: Kind, base: str) -> list[Coding]:
    """Return the interaction of REST where it is one, and the log's own word for the event."""
    own = {"system": f"{base}/event", "code": event.value}
    rest = kind.interaction
    return [own] if rest is None else [_coding("http://hl7.org/fhir/restful-interaction", rest, rest), own]


def _agents(fields: Mapping[str, Any], kind: Kind, base: str, origin: str) -> list[dict[str, Any]]:
    """Return client, server and user, then who consented. Of a query the client is the source, of a read the server."""
    client, server = (_DESTINATION, _SOURCE) if kind is _READ else (_SOURCE, _DESTINATION)
    session = fields.get("session")
    by = _identified(base, "session", session) if session else {"display": "not recorded"}
    uri = {"address": base, "type": "5"}
    user: dict[str, Any] = {"type": _concept(_USER), "who": _identified(base, "person", fields["actor"])}
    user["requestor"] = True
    if "purpose" in fields:
        user["purposeOfUse"] = [{"coding": [{"system": _DUO, "code": code}]} for code in fields["purpose"]] or None
    if "policy_digest" in fields:
        user["policy"] = [f"{base}/policy/{fields['policy_digest']}"]
    return [
        {"type": _concept(client), "who": by, "requestor": False, "network": _MASKED},
        {"type": _concept(server), "who": {"display": origin}, "requestor": False, "network": uri},
        {name: value for name, value in user.items() if value is not None},
        *(
            {"type": _concept(_CONSENTED), "who": _identified(base, "person", person), "requestor": False}
            for person in fields.get("approved_by", ())
        ),
    ]


def _entities(hit: Hit, event: Event, kind: Kind, base: str) -> Iterator[dict[str, Any]]:
    """Yield what the profile needs, then what the entry names. BALP tells its slices apart by their type."""
    fields = hit.fields
    if kind is _QUERY:
        digest = fields.get("query_digest")
        said = {"description": f"keyed digest {digest}"} if digest else {}
        yield {"type": _SYSTEM_OBJECT, "role": _role("24", "Query"), "_query": _MASKED, **said}
    elif kind is _READ:
        span = f"{fields['from_index']}-{fields['to_index']}"
        what = _identified(base, "log/entries", span)
        yield {"type": _SYSTEM_OBJECT, "role": _role("4", "Domain Resource"), "what": what}
    if "request" in fields:
        system = f"{_BALP}/CodeSystem/BasicAuditEntityType"
        yield {
            "type": _coding(system, "XrequestId", "X-Request-Id"),
            "what": _identified(base, "request", fields["request"]),
        }
    if "project" in fields:
        yield _other("project", base, fields["project"], "12", "Security User Group")
    if "dataset" in fields:
        named = [("table", one) for one in fields.get("tables", ())] + [
            ("column", one) for one in fields.get("columns", ())
        ]
        yield _other("dataset", base, fields["dataset"], "17", "Data Repository") | _details(named)
    if "subject" in fields and event in _ABOUT_PEOPLE:
        who = _identified(base, "person", fields["subject"])
        yield {"type": _PERSON, "role": _role("6", "User"), "what": who}
    elif "subject" in fields:
        yield _other("subject", base, fields["subject"], "13", "Security Resource")
    rest = [(name, _said(value)) for name, value in sorted(fields.items()) if name not in _PLACED]
    entry = {"type": _OTHER, "name": "log entry", "what": _identified(base, "log/entry", str(hit.index))}
    yield entry | _details(rest)


def _other(name: str, base: str, value: str, role: str, display: str) -> dict[str, Any]:
    return {"type": _OTHER, "role": _role(role, display), "name": name, "what": _identified(base, name, value)}


def _details(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    found = [{"type": name, "valueString": value} for name, value in pairs]
    return {"detail": found} if found else {}


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _identified(base: str, kind: str, value: str) -> dict[str, Any]:
    return {"identifier": {"system": f"{base}/{kind}", "value": value}}


def _concept(coding: Coding) -> dict[str, Any]:
    return {"coding": [coding]}


def _role(code: str, display: str) -> Coding:
    return _coding(f"{_HL7}/object-role", code, display)
