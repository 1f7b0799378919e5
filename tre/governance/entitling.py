"""After the bootstrap: credentials attested and taken back, people who leave. Nobody does it for themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from tre.base.clock import parse_stamp, stamp
from tre.base.reasons import Refused
from tre.base.reasons import governance as reasons
from tre.governance.context import context
from tre.governance.people import add_credential, find_person
from tre.governance.tokens import revoke_tokens
from tre.identity import drop_codes, end_sessions
from tre.journal import Trail
from tre.journal.entries import credential_revoked, person_ended
from tre.policy import gates
from tre.policy.actions import Action, House
from tre.policy.context import Credential
from tre.store import Reading, Transaction
from tre.store.tables import credentials, people

ATTESTED = "attested"
"""The evidence of a credential that rests on the word of who attested it."""


def attest_credential(tx: Transaction, trail: Trail, person: str, kind: str, until: datetime) -> Credential:
    """Attest that `person` holds a credential until then, on the word of `trail.actor`.

    Raises Refused (governance.unknown-person, governance.own-standing, governance.not-entitled, governance.bad-id,
    governance.bad-dates).
    """
    _check(tx, trail, Action.CREDENTIAL_ATTEST, person)
    return add_credential(tx, trail, person, kind, until, evidence=ATTESTED)


def revoke_credential(tx: Transaction, trail: Trail, person: str, kind: str) -> None:
    """Take back every credential of a kind that `person` holds; from their next request on it counts no more.

    Raises Refused (governance.unknown-person, governance.own-standing, governance.not-entitled,
    governance.no-credential).
    """
    _check(tx, trail, Action.CREDENTIAL_REVOKE, person)
    now = trail.clock.now()
    t = credentials.c
    rows = tx.execute(
        update(credentials)
        .where(t.person == person, t.kind == kind, t.revoked.is_(None), t.expires > stamp(now))
        .values(revoked=stamp(now))
        .returning(t.issuer, t.issued, t.expires)
    ).all()
    if not rows:
        raise Refused.because(reasons.NO_CREDENTIAL, person=person, kind=ascii(kind)[:60])
    for row in rows:
        issued, expires = parse_stamp(row.issued), parse_stamp(row.expires)
        trail.record(tx, credential_revoked(trail.act(), person, kind, row.issuer, issued, expires))


def end_person(tx: Transaction, trail: Trail, person: str) -> None:
    """Let `person` leave: tokens, sessions and codes end, and nothing is theirs from the next request on.

    The id stays taken, since it stands in the log. Raises Refused (governance.unknown-person, governance.own-standing,
    governance.not-entitled).
    """
    _check(tx, trail, Action.PERSON_END, person)
    act = trail.act()
    tx.execute(update(people).where(people.c.id == person).values(ended=stamp(act.time)))
    trail.record(tx, person_ended(act, person))
    revoke_tokens(tx, trail, person)
    end_sessions(tx, trail, person, "person-ended")
    drop_codes(tx, person)


def _check(tx: Reading, trail: Trail, action: Action, person: str) -> None:
    by = trail.actor
    for one in (by, person):
        if find_person(tx, one) is None:
            raise Refused.because(reasons.UNKNOWN_PERSON, person=ascii(one)[:60])
    if by == person:
        raise Refused.because(reasons.OWN_STANDING, person=person)
    if not gates.may(action, context(tx, by, None, "", trail.clock.now()), House()).allowed:
        raise Refused.because(reasons.NOT_ENTITLED, person=by)
