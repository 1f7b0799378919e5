"""The circumstances of one request, read afresh each time: a revocation holds from the next request on."""

from __future__ import annotations

from datetime import datetime

from tre.governance.people import find_person
from tre.governance.projects import find_project
from tre.policy.context import Context, Person
from tre.store import Reading


def context(tx: Reading, person: str, project: str | None, acr: str, now: datetime) -> Context:
    """Return what the gates decide on. Who or what is unknown comes without rights; no error says which it was."""
    found = find_person(tx, person)
    record = find_project(tx, project) if project is not None else None
    return Context(
        Person(person, found.roles, found.credentials, found.controls) if found else Person(person),
        acr,
        now,
        record.for_gates(tx) if record else None,
    )
