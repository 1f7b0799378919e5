"""What may stand in the log: the events, and the fields each one has.

An entry is canonical JSON (RFC 8785; here keys and strings are printable ASCII, and there are no floats). It
holds facts and commitments: no result, no patient identifier, no free text. Strings are codes, ids, digests and
times, so that a sentence cannot be put into one. Unknown events and unknown fields are malformed: the two tables
below are the whole format.

Budgets: `amount` is in nano-rho (measure zcdp) or nano-epsilon (measure pure), `delta` in 10⁻¹⁸, both as
decimal strings since they may pass 2⁵³. `before` and `after` of a ledger movement are the ledger's total of what is
spent and what is reserved. A reservation raises it, a commit or a burning leaves it, a voiding lowers it again.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from audit.tiles import MAX_ENTRY


class MalformedError(ValueError):
    """Bytes or fields that are no well-formed entry."""


class Event(StrEnum):
    """Everything that is written into the log."""

    AUDIT_READ = "audit-read"
    BOOTSTRAP = "bootstrap"
    BOUNDS_CHARGED = "bounds-charged"
    BOUNDS_RELEASED = "bounds-released"
    CREDENTIAL_CHANGED = "credential-changed"
    DATASET_VERSION_ADDED = "dataset-version-added"
    EXPORT = "export"
    INCIDENT = "incident"
    KEY_DESTROYED = "key-destroyed"
    KEY_ROTATED = "key-rotated"
    OPTOUT_REFRESHED = "optout-refreshed"
    PERSON_CHANGED = "person-changed"
    POLICY_ACTIVATED = "policy-activated"
    POLICY_APPROVED = "policy-approved"
    POLICY_PROPOSED = "policy-proposed"
    PROJECT_CHANGED = "project-changed"
    PROJECT_UNLOCKED = "project-unlocked"
    PSEUDONYMS_MADE = "pseudonyms-made"
    QUERY_DECISION = "query-decision"
    QUERY_INTENT = "query-intent"
    QUERY_OUTCOME = "query-outcome"
    REIDENTIFICATION = "reidentification"
    RELEASE = "release"
    ROLE_CHANGED = "role-changed"
    SESSION_ENDED = "session-ended"
    SIGNIN_FAILED = "signin-failed"
    SIGNIN_SUCCEEDED = "signin-succeeded"
    TOKEN_ISSUED = "token-issued"  # noqa: S105


def _string(pattern: str) -> str:
    return f'"(?:{pattern})"'


def _one_of(*words: str) -> str:
    return _string("|".join(words))


def _list_of(item: str) -> str:
    return rf"\[(?:{item}(?:,{item})*)?\]"


def _object(required: Mapping[str, str], optional: Mapping[str, str]) -> str:
    """The members in the order of their names, as canonical JSON has them; at least one is required."""
    members = {**required, **optional}
    names = sorted(members)
    anchor = min(required)
    parts = []
    for name in names:
        member = f'"{name}":{members[name]}'
        member = f"{member}," if name < anchor else member if name == anchor else f",{member}"
        parts.append(member if name in required else f"(?:{member})?")
    return rf"\{{{''.join(parts)}\}}"


# Every kind of value is a regular expression over its canonical JSON. It is what makes an entry checkable in
# one step: whatever matches is well-formed *and* in its one byte form.
TIME = _string(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?Z"
)
COUNT = r"(?:0|[1-9][0-9]{0,14})"
POSITIVE = r"[1-9][0-9]{0,14}"
CODE = _string(r"[A-Za-z0-9][A-Za-z0-9._:@/+~-]{0,127}")
CODES = _list_of(CODE)
DIGEST = _string(r"[0-9a-f]{64}")
EVENT_ID = _string(r"[0-9a-f]{32}")
NAMES = _list_of(_string(r"[A-Za-z_][A-Za-z0-9_$]{0,127}(?:\.[A-Za-z_][A-Za-z0-9_$]{0,127}){0,2}"))
DECIMAL = _string(r"0|[1-9][0-9]{0,38}")
MEASURE = _one_of("zcdp", "pure")
AMOUNTS = _object({"amount": DECIMAL, "delta": DECIMAL}, {})
GATE = _object({"gate": CODE, "verdict": _one_of("allow", "deny"), "reasons": CODES}, {})
CHECK = _object({"check": CODE, "verdict": CODE}, {})
MOVEMENT = _object(
    {"ledger": CODE, "ledger_seq": POSITIVE, "measure": MEASURE, "before": AMOUNTS, "after": AMOUNTS}, {}
)
CREDENTIAL = _object(
    {"kind": CODE, "issuer": CODE, "issued": TIME}, {"expires": TIME, "evidence": CODE, "revoked": TIME}
)

FIELDS: dict[str, str] = {
    # in every entry
    "event_id": EVENT_ID,  # 128 random bits, so that a public leaf hash confirms no guess
    "event": _one_of(*Event),
    "time": TIME,  # RFC 3339, UTC, "Z"
    "actor": CODE,  # stable id of the person, or of the part of the system, that acted
    # who and what
    "project": CODE,
    "purpose": CODES,  # DUO codes
    "request": CODE,
    "dataset": CODE,
    "version": CODE,  # random name of the data-set version
    "version_commitment": DIGEST,  # HMAC of its logical content
    "tables": NAMES,
    "columns": NAMES,  # table.column
    "policy_digest": DIGEST,
    "subject": CODE,  # whom or what a change is about: person, project, policy, ledger, key, file
    "change": CODE,  # what was done to it
    "roles": CODES,
    "credential": CREDENTIAL,
    "until": TIME,
    "token": CODE,  # id of a token, not the token
    "session": CODE,  # id of the session or token by which the actor acted; of the session that began or ended
    "issuer": CODE,  # who said that the person is who they are
    "acr": CODE,  # how they showed it, in the words of the policies
    "approved_by": CODES,  # further people whose consent the act needed
    "evidence": CODE,
    "reasons": CODES,
    "count": COUNT,  # how often within the minute that `time` begins; how many rows or files of an export
    "from_index": COUNT,  # of a read of the audit: entries from_index ≤ i < to_index
    "to_index": COUNT,
    # a decision
    "decision": _one_of("allowed", "denied"),
    "gates": _list_of(GATE),
    "measure": MEASURE,
    "cost": AMOUNTS,
    "checks": _list_of(CHECK),  # disclosure checks
    "query_digest": DIGEST,  # keyed
    "plan_digest": DIGEST,  # keyed
    # an outcome
    "state": _one_of("committed", "burned", "voided"),
    "result_commitment": DIGEST,  # salted; the salt is kept with the answer
    "ledgers": _list_of(MOVEMENT),
    "answers": _object({"event_id": EVENT_ID}, {"index": COUNT}),  # the entry that this one answers
    # content kept elsewhere
    "content_digest": DIGEST,  # of a public document or of a manifest
    "sidecar": DIGEST,  # of the encrypted text beside the log
}

_EVERY = "event_id event time actor"
_ANYWHERE = "request session sidecar"
_QUESTION = "purpose dataset version version_commitment tables columns policy_digest query_digest plan_digest checks"
_CHANGE = "project roles credential until approved_by evidence reasons content_digest policy_digest"

# event → (fields it must have, fields it may have), beside those of every entry
_TABLE: dict[Event, tuple[str, str]] = {
    Event.AUDIT_READ: ("from_index to_index", "project reasons subject"),
    Event.BOOTSTRAP: ("subject change", f"{_CHANGE} purpose dataset version version_commitment measure cost"),
    Event.BOUNDS_CHARGED: ("subject dataset measure cost ledgers", "project version"),
    Event.BOUNDS_RELEASED: ("subject dataset version content_digest", "tables columns"),
    Event.CREDENTIAL_CHANGED: ("subject change credential", "project approved_by reasons"),
    Event.DATASET_VERSION_ADDED: (
        "dataset version version_commitment policy_digest",
        "tables columns content_digest approved_by reasons ledgers measure cost",
    ),
    Event.EXPORT: ("subject", "project dataset version count content_digest approved_by checks reasons"),
    Event.INCIDENT: ("subject reasons", "project dataset version answers count ledgers"),
    Event.KEY_DESTROYED: ("subject approved_by", "project reasons"),
    Event.KEY_ROTATED: ("subject", "change content_digest approved_by reasons project"),
    Event.OPTOUT_REFRESHED: ("dataset content_digest", "version version_commitment until reasons"),
    Event.PERSON_CHANGED: ("subject change", _CHANGE),
    Event.POLICY_ACTIVATED: ("dataset policy_digest", "approved_by until content_digest reasons"),
    Event.POLICY_APPROVED: ("dataset policy_digest", "approved_by until content_digest reasons"),
    Event.POLICY_PROPOSED: ("dataset policy_digest", "until content_digest reasons"),
    Event.PROJECT_CHANGED: ("project change", f"{_CHANGE} purpose subject dataset measure cost"),
    Event.PROJECT_UNLOCKED: ("project", "approved_by reasons"),
    Event.PSEUDONYMS_MADE: ("project dataset version subject change", "approved_by reasons"),
    Event.QUERY_DECISION: ("project request decision gates", f"{_QUESTION} measure cost"),
    Event.QUERY_INTENT: (
        "project request gates measure cost ledgers query_digest dataset version policy_digest",
        f"{_QUESTION} decision",
    ),
    Event.QUERY_OUTCOME: (
        "project request answers state",
        "result_commitment ledgers reasons measure cost checks dataset version",
    ),
    Event.REIDENTIFICATION: ("project change", "subject dataset approved_by reasons answers"),
    Event.RELEASE: ("project answers", "subject count result_commitment content_digest checks approved_by reasons"),
    Event.ROLE_CHANGED: ("subject change roles", "project approved_by until reasons evidence"),
    Event.SESSION_ENDED: ("subject session change", ""),
    Event.SIGNIN_FAILED: ("count", "subject reasons"),
    Event.SIGNIN_SUCCEEDED: ("session issuer acr until", "token"),
    Event.TOKEN_ISSUED: ("subject token until", "project roles"),
}

_FIELD = {name: re.compile(kind) for name, kind in FIELDS.items()}


def _entry_form(event: Event) -> re.Pattern[str]:
    required, optional = (words.split() for words in _TABLE[event])
    kinds = {**FIELDS, "event": _one_of(event)}
    must = {name: kinds[name] for name in [*_EVERY.split(), *required]}
    may = {name: kinds[name] for name in [*_ANYWHERE.split(), *optional] if name not in must}
    return re.compile(_object(must, may))


_ENTRY = {event.value: _entry_form(event) for event in Event}
_EVENT = re.compile(r'"event":"([a-z-]{1,40})","event_id":')


def fields_of(event: Event) -> tuple[frozenset[str], frozenset[str]]:
    """The fields that an event must have, and all those that it may have."""
    required, optional = _TABLE[event]
    must = frozenset(f"{_EVERY} {required}".split())
    return must, must | frozenset(f"{_ANYWHERE} {optional}".split())


def encode_entry(fields: Mapping[str, Any]) -> bytes:
    """Return the one byte form of an entry. Raises MalformedError for fields that are no well-formed entry."""
    try:
        text = _encode(dict(fields))
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedError("not to be written as JSON") from error
    _check(text)
    if len(text) > MAX_ENTRY:
        raise MalformedError(f"an entry of {len(text)} bytes: at most {MAX_ENTRY}")
    return text.encode("ascii")


def decode_entry(entry: bytes) -> dict[str, Any]:
    """Read an entry strictly: well-formed, and in its one byte form. Raises MalformedError."""
    try:
        text = entry.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedError("not ASCII") from None
    _check(text)
    fields: dict[str, Any] = json.loads(text)
    try:
        datetime.fromisoformat(fields["time"])
    except ValueError:
        raise MalformedError("a time that is no day of the calendar") from None
    return fields


_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def _check(text: str) -> None:
    event = _EVENT.search(text)
    form = _ENTRY.get(event[1]) if event else None
    if form is None or form.fullmatch(text) is None:
        raise MalformedError(_diagnosis(text))


def _diagnosis(text: str) -> str:
    """Say what is wrong with an entry that is known to be malformed; no value of it is repeated."""
    try:
        fields = json.loads(text, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return "not JSON"
    if not isinstance(fields, dict) or fields.get("event") not in list(Event):
        return "an unknown event"
    event = Event(fields["event"])
    must, may = fields_of(event)
    if missing := sorted(must - fields.keys()):
        return f"{event} without {', '.join(missing)}"
    for name, value in fields.items():
        if name not in may:
            return f"{event} with a field that it does not have"
        if not _FIELD[name].fullmatch(_encode(value)):
            return f"{event} with a malformed {name}"
    return "JSON that is not in its canonical form"
