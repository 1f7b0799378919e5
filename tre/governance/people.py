"""People, their roles and their credentials. A name lies in the side-car alone, under the person's own key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, bindparam, insert, select

from tre.base.clock import parse_stamp, stamp
from tre.base.ids import new_id
from tre.base.reasons import Refusal, Refused
from tre.base.reasons import governance as reasons
from tre.governance.checks import id_refusals, name_refusals, refuse, require_no_board
from tre.governance.datasets import list_datasets, policy_in_force
from tre.journal import OnRecord, Sidecar, Trail
from tre.journal.entries import bootstrap_controller, bootstrap_person, credential_attested
from tre.policy.context import Credential, Role
from tre.store import Reading, Transaction
from tre.store.tables import controllers, credentials, people, roles

_OWN: BindParameter[str] = bindparam("person")
_PERSON = select(people).where(people.c.id == _OWN, people.c.ended.is_(None))
_HERE = select(people.c.id).where(people.c.id == _OWN, people.c.ended.is_(None))
_ROLES = select(roles.c.role).where(roles.c.person == _OWN)
_CONTROLS = select(controllers.c.dataset).where(controllers.c.person == _OWN)
_CREDENTIALS = (
    select(credentials)
    .where(credentials.c.person == _OWN, credentials.c.revoked.is_(None))
    .order_by(credentials.c.kind, credentials.c.issued)
)

BOOTSTRAP_LIFE = timedelta(days=90)
"""How long a credential counts that was attested at the bootstrap."""


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person as the environment knows them; `name_event` is where the side-car holds the name.

    `controls` names the data sets that they answer for.
    """

    id: str
    roles: frozenset[Role]
    credentials: tuple[Credential, ...]
    added: datetime
    name_event: str | None
    controls: frozenset[str] = frozenset()

    def name(self, tx: Reading, sidecar: Sidecar, reading: OnRecord) -> str | None:
        """Return the name; None once its key was destroyed. `reading` is the entry of who reads it."""
        return sidecar.read(tx, self.name_event, "name", reading) if self.name_event else None


def add_person(
    tx: Transaction,
    trail: Trail,
    person: str,
    name: str,
    held: Collection[Role],
    attested: Mapping[str, datetime | None] | None = None,
    controls: Collection[str] = (),
) -> PersonRecord:
    """Add a person before there is a board.

    :param attested: credentials by kind, with their end (None: 90 days). Not given, those that the policies in
        force ask of the person's roles are attested.
    :param controls: the data sets that a controller answers for.
    Raises Refused (governance.board-exists, governance.bad-id, governance.bad-name, governance.person-exists,
    governance.not-a-controller, governance.unknown-dataset).
    """
    require_no_board(tx)
    refuse(id_refusals(person) + name_refusals(name) + _control_refusals(tx, held, controls))
    now = trail.clock.now()
    act = trail.sealed(tx, trail.act(), f"person/{person}", "name", name)
    if not tx.insert_new(people, {"id": person, "name_event": act.event_id, "added": stamp(now)}):
        raise Refused.because(reasons.PERSON_EXISTS, person=person)
    tx.execute(insert(roles), [{"person": person, "role": role.value, "since": stamp(now)} for role in held])
    trail.record(tx, bootstrap_person(act, person, [role.value for role in held]))
    for dataset in sorted(set(controls)):
        tx.execute(insert(controllers).values(person=person, dataset=dataset, since=stamp(now)))
        trail.record(tx, bootstrap_controller(trail.act(), person, dataset))
    wanted = dict.fromkeys(_asked_for(tx, held)) if attested is None else attested
    for kind, until in sorted(wanted.items()):
        add_credential(tx, trail, person, kind, until or now + BOOTSTRAP_LIFE, evidence="bootstrap")
    return _one(tx, person)


def add_credential(
    tx: Transaction, trail: Trail, person: str, kind: str, until: datetime, *, evidence: str
) -> Credential:
    """Attest a credential of a person, from now on.

    Raises Refused (governance.unknown-person, governance.bad-id, governance.bad-dates).
    """
    refuse(id_refusals(kind))
    _one(tx, person)
    act = trail.act()
    if until <= act.time:
        raise Refused.because(reasons.BAD_DATES)
    found = Credential(kind, trail.actor, act.time, until, evidence)
    tx.execute(
        insert(credentials).values(
            id=new_id("c", trail.randomness),
            person=person,
            kind=kind,
            issuer=found.issuer,
            issued=stamp(found.issued),
            expires=stamp(until),
            evidence=evidence,
        )
    )
    trail.record(tx, credential_attested(act, person, kind, found.issuer, until, evidence))
    return found


def find_person(tx: Reading, person: str) -> PersonRecord | None:
    """Return a person who has not left."""
    own = {"person": person}
    row = tx.execute(_PERSON, own).one_or_none()
    if row is None:
        return None
    return PersonRecord(
        row.id,
        frozenset(Role(role) for role in tx.execute(_ROLES, own).scalars()),
        _credentials(tx, person),
        parse_stamp(row.added),
        row.name_event,
        frozenset(tx.execute(_CONTROLS, own).scalars()),
    )


def is_here(tx: Reading, person: str) -> bool:
    """Return whether a person is known and has not left."""
    return tx.execute(_HERE, {"person": person}).one_or_none() is not None


def list_people(tx: Reading) -> tuple[PersonRecord, ...]:
    """Return everybody who has not left, by id."""
    ids = tx.execute(select(people.c.id).where(people.c.ended.is_(None)).order_by(people.c.id)).scalars()
    return tuple(_one(tx, person) for person in ids.all())


def controllers_of(tx: Reading, dataset: str) -> tuple[str, ...]:
    """Return who answers for a data set, by id."""
    t = controllers.c
    rows = select(t.person).join(people, people.c.id == t.person).where(t.dataset == dataset, people.c.ended.is_(None))
    return tuple(tx.execute(rows.order_by(t.person)).scalars())


def _control_refusals(tx: Reading, held: Collection[Role], controls: Collection[str]) -> list[Refusal]:
    known = list_datasets(tx)
    unknown = [
        Refusal(reasons.UNKNOWN_DATASET, {"dataset": ascii(name)[:60]}) for name in controls if name not in known
    ]
    return [*unknown, *([Refusal(reasons.NOT_A_CONTROLLER)] if controls and Role.CONTROLLER not in held else [])]


def _one(tx: Reading, person: str) -> PersonRecord:
    found = find_person(tx, person)
    if found is None:
        raise Refused.because(reasons.UNKNOWN_PERSON, person=ascii(person)[:60])
    return found


def _credentials(tx: Reading, person: str) -> tuple[Credential, ...]:
    rows = tx.execute(_CREDENTIALS, {"person": person})
    return tuple(
        Credential(row.kind, row.issuer, parse_stamp(row.issued), parse_stamp(row.expires), row.evidence or "")
        for row in rows
    )


def _asked_for(tx: Reading, held: Collection[Role]) -> set[str]:
    kinds: set[str] = set()
    for dataset in list_datasets(tx):
        policy = policy_in_force(tx, dataset)
        if policy is not None:
            kinds |= {kind for role in held if role in policy.people for kind in policy.people[role].needs}
    return kinds
