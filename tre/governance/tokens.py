"""Tokens of the embedded issuer, by id: issued, and revoked before their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from tre.base.clock import parse_stamp, stamp
from tre.base.reasons import Refused
from tre.base.reasons import governance as reasons
from tre.governance.people import find_person
from tre.journal import Trail
from tre.journal.entries import token_issued, token_revoked_early
from tre.store import Reading, Transaction
from tre.store.tables import project_members, tokens

_REVOKED = select(tokens.c.jti).where(tokens.c.jti == bindparam("token"), tokens.c.revoked.is_not(None))


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token by its id (`token`), never its text."""

    token: str
    person: str
    project: str | None
    expires: datetime


def note_token(tx: Transaction, trail: Trail, token: str, person: str, project: str | None, until: datetime) -> None:
    """Note a token that is about to be handed out; `token` is its id.

    Raises Refused (governance.unknown-person, governance.unknown-project).
    """
    if find_person(tx, person) is None:
        raise Refused.because(reasons.UNKNOWN_PERSON, person=ascii(person)[:60])
    t = project_members.c
    if project is not None:
        own = select(t.person).where(t.project == project, t.person == person)
        if tx.execute(own).one_or_none() is None:
            raise Refused.because(reasons.UNKNOWN_PROJECT, project=ascii(project)[:60])
    tx.execute(insert(tokens).values(jti=token, person=person, project=project, expires=stamp(until)))
    trail.record(tx, token_issued(trail.act(), person, token, until, project))


def revoke_token(tx: Transaction, trail: Trail, token: str) -> bool:
    """End a token from the next request on; return False where there is none to end."""
    act = trail.act()
    t = tokens.c
    ended = tx.execute(
        update(tokens).where(t.jti == token, t.revoked.is_(None)).values(revoked=stamp(act.time)).returning(t.person)
    ).one_or_none()
    if ended is not None:
        trail.record(tx, token_revoked_early(act, ended.person, token))
    return ended is not None


def revoke_tokens(tx: Transaction, trail: Trail, person: str) -> int:
    """End every token of a person that has not expired; return how many there were."""
    t = tokens.c
    now = stamp(trail.clock.now())
    mine = select(t.jti).where(t.person == person, t.revoked.is_(None), t.expires > now)
    return sum(revoke_token(tx, trail, token) for token in tx.execute(mine).scalars().all())


def list_tokens(tx: Reading, now: datetime) -> tuple[TokenRecord, ...]:
    """Return every token in use, by person and end."""
    t = tokens.c
    live = select(tokens).where(t.revoked.is_(None), t.expires > stamp(now)).order_by(t.person, t.expires, t.jti)
    rows = tx.execute(live)
    return tuple(TokenRecord(row.jti, row.person, row.project, parse_stamp(row.expires)) for row in rows)


def token_revoked(tx: Reading, token: str) -> bool:
    """Return whether a token was ended early. Tokens of other issuers are not known here."""
    return tx.execute(_REVOKED, {"token": token}).one_or_none() is not None
