"""The entries of the log, one constructor each; which fields may stand in them is `audit.entries`' to say.

Only ids, codes, digests and amounts go in. What people typed, addresses and names go through `tre.journal.sidecar`,
whose digest is the entry's `sidecar`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.entries import Event, encode_entry
from tre.base.clock import Clock, stamp
from tre.base.cost import Cost
from tre.base.ids import Randomness, event_id

AWAITED: Mapping[Event, str] = {
    Event.OPTOUT_REFRESHED: "opt-out lists",
    Event.POLICY_APPROVED: "the proposal and approval of policies",
    Event.POLICY_PROPOSED: "the proposal and approval of policies",
    Event.REIDENTIFICATION: "re-identification",
    Event.RELEASE: "outputs that people check",
    Event.ROLE_CHANGED: "roles that change after the bootstrap",
}
"""Events that nothing writes yet, and what will: they have their form, so that a verifier of today reads them then."""


@dataclass(frozen=True, slots=True)
class Act:
    """What every entry says: its random id, who acted and when; where known the request, the session's token and
    the digest of what lies in the side-car under this id."""

    event_id: str
    actor: str
    time: datetime
    request: str | None = None
    session: str | None = None
    sidecar: str | None = None

    @classmethod
    def by(
        cls,
        actor: str,
        clock: Clock,
        randomness: Randomness = secrets.token_bytes,
        *,
        request: str | None = None,
        session: str | None = None,
    ) -> Act:
        """Begin an entry of `actor`."""
        return cls(event_id(randomness), actor, clock.now(), request, session)


@dataclass(frozen=True, slots=True)
class Entry:
    """Canonical bytes with the id that they carry."""

    event_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, as facts and keyed digests.

    `gates` are (gate, "allow" or "deny", reason codes) in the order in which they judged; `columns` are table.column.
    """

    project: str
    dataset: str
    version: str
    policy_digest: str
    query_digest: str
    gates: Sequence[tuple[str, str, Sequence[str]]]
    plan_digest: str | None = None
    version_commitment: str | None = None
    purposes: Sequence[str] = ()
    tables: Sequence[str] = ()
    columns: Sequence[str] = ()


def bootstrap_person(act: Act, person: str, roles: Sequence[str]) -> Entry:
    """A person was added before there was a board."""
    return _entry(act, Event.BOOTSTRAP, change="person", subject=person, roles=sorted(roles), evidence="bootstrap")


def bootstrap_controller(act: Act, person: str, dataset: str) -> Entry:
    """A person was made to answer for a data set before there was a board."""
    return _entry(act, Event.BOOTSTRAP, change="controller", subject=person, dataset=dataset, evidence="bootstrap")


def bootstrap_project(act: Act, project: str, purposes: Sequence[str], dataset: str, until: datetime) -> Entry:
    """A project was given a data set before there was a board."""
    return _entry(
        act,
        Event.BOOTSTRAP,
        change="project",
        subject=project,
        project=project,
        purpose=sorted(purposes),
        dataset=dataset,
        until=stamp(until),
        evidence="bootstrap",
    )


def bootstrap_member(act: Act, project: str, person: str, role: str, until: datetime) -> Entry:
    """A person joined a project before there was a board."""
    return _entry(
        act, Event.BOOTSTRAP, change="member", subject=person, project=project, roles=[role], until=stamp(until)
    )


def credential_attested(act: Act, person: str, kind: str, issuer: str, until: datetime, evidence: str) -> Entry:
    """Somebody attested a credential of a person, from now on."""
    credential = {
        "kind": kind,
        "issuer": issuer,
        "issued": stamp(act.time),
        "expires": stamp(until),
        "evidence": evidence,
    }
    return _entry(act, Event.CREDENTIAL_CHANGED, change="attested", subject=person, credential=credential)


def credential_revoked(act: Act, person: str, kind: str, issuer: str, issued: datetime, expires: datetime) -> Entry:
    """A credential of a person was taken back."""
    credential = {"kind": kind, "issuer": issuer, "issued": stamp(issued)}
    credential |= {"expires": stamp(expires), "revoked": stamp(act.time)}
    return _entry(act, Event.CREDENTIAL_CHANGED, change="revoked", subject=person, credential=credential)


def person_ended(act: Act, person: str) -> Entry:
    """A person left the environment."""
    return _entry(act, Event.PERSON_CHANGED, subject=person, change="ended")


def token_issued(act: Act, person: str, token: str, until: datetime, project: str | None) -> Entry:
    """A token was issued; `token` is its id, never its text."""
    return _entry(act, Event.TOKEN_ISSUED, subject=person, token=token, until=stamp(until), project=project)


def token_revoked_early(act: Act, person: str, token: str) -> Entry:
    """A token was ended before its time."""
    return _entry(act, Event.PERSON_CHANGED, subject=person, change="token-revoked", evidence=token)


def signin_failed(act: Act, count: int, reasons: Sequence[str]) -> Entry:
    """How often sign-in failed within the minute that begins at `act.time`."""
    return _entry(act, Event.SIGNIN_FAILED, count=count, reasons=sorted(set(reasons)))


def signin_succeeded(act: Act, session: str, issuer: str, acr: str, until: datetime, code: str | None = None) -> Entry:
    """A session of the actor began; `code` is the id of the one-time code that it was begun with, if any."""
    return _entry(act, Event.SIGNIN_SUCCEEDED, session=session, issuer=issuer, acr=acr, until=stamp(until), token=code)


def session_ended(act: Act, person: str, session: str, change: str) -> Entry:
    """A session of `person` was ended before its time."""
    return _entry(act, Event.SESSION_ENDED, subject=person, session=session, change=change)


def identity_changed(act: Act, person: str, change: str) -> Entry:
    """A subject of an outside issuer became a person, or is one no longer; who it was lies in the side-car."""
    return _entry(act, Event.PERSON_CHANGED, subject=person, change=change)


def query_denied(act: Act, question: Question, cost: Cost | None = None) -> Entry:
    """A request was decided against; nothing was reserved or read."""
    return _entry(act, Event.QUERY_DECISION, decision="denied", **_question(question), **_cost(cost))


def request_denied(act: Act, project: str, gates: Sequence[tuple[str, str, Sequence[str]]]) -> Entry:
    """A request was denied before it could be understood: its text is no query, or its project is not the asker's."""
    return _entry(act, Event.QUERY_DECISION, decision="denied", project=project, gates=_gates(gates))


def query_intent(act: Act, question: Question, cost: Cost, ledgers: Sequence[Mapping[str, Any]]) -> Entry:
    """A request was allowed and its price reserved; `ledgers` are the movements of that reservation."""
    facts = _question(question) | _cost(cost)
    return _entry(act, Event.QUERY_INTENT, decision="allowed", ledgers=list(ledgers), **facts)


def query_outcome(
    act: Act,
    project: str,
    state: str,
    answers: str,
    ledgers: Sequence[Mapping[str, Any]],
    *,
    answers_index: int | None = None,
    cost: Cost | None = None,
    result_commitment: str | None = None,
    reasons: Sequence[str] = (),
) -> Entry:
    """A request ended: `state` is committed, burned or voided; `answers` the event id of its intent."""
    answered = {"event_id": answers} | ({} if answers_index is None else {"index": answers_index})
    return _entry(
        act,
        Event.QUERY_OUTCOME,
        project=project,
        state=state,
        answers=answered,
        ledgers=list(ledgers),
        result_commitment=result_commitment,
        reasons=list(reasons),
        **_cost(cost),
    )


def audit_read(act: Act, first: int, end: int, project: str | None = None, subject: str | None = None) -> Entry:
    """Entries first ≤ i < end were read by somebody who is entitled; `subject` says in what form."""
    return _entry(act, Event.AUDIT_READ, from_index=first, to_index=end, project=project, subject=subject)


def exported(act: Act, subject: str) -> Entry:
    """A copy began to be made: a `backup` of everything, data and state, or the `log` as files for others."""
    return _entry(act, Event.EXPORT, subject=subject)


def key_rotated(act: Act, key: str, change: str) -> Entry:
    """A key was replaced by another, or a new epoch of keys began; `key` is its public name."""
    return _entry(act, Event.KEY_ROTATED, subject=key, change=change)


def key_destroyed(act: Act, scope: str, approved_by: str) -> Entry:
    """The key of a scope's texts was destroyed, with what it had sealed; a second person agreed to it."""
    project = scope.removeprefix("project/") if scope.startswith("project/") else None
    return _entry(act, Event.KEY_DESTROYED, subject=scope, project=project, approved_by=[approved_by])


def pseudonyms_made(act: Act, project: str, dataset: str, version: str, kind: str, key: str, epoch: int) -> Entry:
    """Tokens of a version were re-encrypted for a project, under a key that its id and epoch name."""
    return _entry(
        act,
        Event.PSEUDONYMS_MADE,
        project=project,
        dataset=dataset,
        version=version,
        subject=f"{kind}/{key}",
        change=f"epoch-{epoch}",
    )


def incident(act: Act, subject: str, reasons: Sequence[str], **facts: Any) -> Entry:
    """Something governance must look at."""
    return _entry(act, Event.INCIDENT, subject=subject, reasons=list(reasons), **facts)


def project_unlocked(act: Act, project: str) -> Entry:
    """Governance has looked at a project's incidents; the reason given lies in the side-car."""
    return _entry(act, Event.PROJECT_UNLOCKED, project=project)


def project_changed(act: Act, project: str, change: str, reasons: Sequence[str] = ()) -> Entry:
    """A project was changed after it began: locked, closed, extended."""
    return _entry(act, Event.PROJECT_CHANGED, project=project, change=change, reasons=list(reasons))


def policy_activated(act: Act, dataset: str, policy_digest: str, approved_by: Sequence[str] = ()) -> Entry:
    """A policy came into force for a data set."""
    return _entry(
        act, Event.POLICY_ACTIVATED, dataset=dataset, policy_digest=policy_digest, approved_by=list(approved_by)
    )


def version_added(act: Act, dataset: str, version: str, commitment: str, policy_digest: str) -> Entry:
    """A data-set version is ready; `commitment` is the HMAC of its logical content."""
    return _entry(
        act,
        Event.DATASET_VERSION_ADDED,
        dataset=dataset,
        version=version,
        version_commitment=commitment,
        policy_digest=policy_digest,
    )


def bounds_charged(
    act: Act, release: str, dataset: str, cost: Cost, ledgers: Sequence[Mapping[str, Any]], **facts: str
) -> Entry:
    """A release of histograms or of sizes was paid: by a data set before a version is read, or by a project."""
    return _entry(
        act, Event.BOUNDS_CHARGED, subject=release, dataset=dataset, ledgers=list(ledgers), **_cost(cost), **facts
    )


def bounds_released(
    act: Act, release: str, dataset: str, version: str, digest: str, tables: Sequence[str], columns: Sequence[str]
) -> Entry:
    """Histograms or sizes of a version were released; `digest` is of the noisy numbers, `columns` are table.column."""
    return _entry(
        act,
        Event.BOUNDS_RELEASED,
        subject=release,
        dataset=dataset,
        version=version,
        content_digest=digest,
        tables=sorted(tables),
        columns=sorted(columns),
    )


def _entry(act: Act, event: Event, **facts: Any) -> Entry:
    """Encode; what is None or an empty list of something optional is left out. MalformedError is a bug."""
    common = {
        "event_id": act.event_id,
        "event": event.value,
        "actor": act.actor,
        "time": stamp(act.time),
        "request": act.request,
        "session": act.session,
        "sidecar": act.sidecar,
    }
    fields = {name: value for name, value in (common | facts).items() if value is not None}
    return Entry(act.event_id, encode_entry(fields))


def _question(question: Question) -> dict[str, Any]:
    return {
        "project": question.project,
        "dataset": question.dataset,
        "version": question.version,
        "policy_digest": question.policy_digest,
        "query_digest": question.query_digest,
        "plan_digest": question.plan_digest,
        "version_commitment": question.version_commitment,
        "purpose": list(question.purposes),
        "tables": sorted(question.tables),
        "columns": sorted(question.columns),
        "gates": _gates(question.gates),
    }


def _gates(gates: Sequence[tuple[str, str, Sequence[str]]]) -> list[dict[str, Any]]:
    return [{"gate": gate, "verdict": verdict, "reasons": list(reasons)} for gate, verdict, reasons in gates]


def _cost(cost: Cost | None) -> dict[str, Any]:
    if cost is None:
        return {}
    amounts = cost.as_json()
    return {"measure": amounts.pop("measure"), "cost": amounts}
