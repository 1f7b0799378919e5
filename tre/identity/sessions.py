"""Sessions of the portal: rows that a cookie opens, so that ending one holds from the next request on.

Threats met here: a stolen database opens no session, since it holds digests; a fixed cookie opens none, since every
sign-in draws a new one; a session outlives neither its idle time, its longest life, a signing out, nor its person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from tre.base.clock import parse_stamp, stamp
from tre.base.ids import new_id
from tre.base.reasons import Refused
from tre.base.reasons.identity import SESSION_ENDED
from tre.identity.secrets import digest, new_secret
from tre.identity.tokens import Principal
from tre.journal import Trail
from tre.journal.entries import session_ended, signin_succeeded
from tre.store import Reading, Transaction
from tre.store.tables import people, sessions

_TOUCHES = 20
"""`seen` moves at most so many times within one idle time: a request need not write."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who has just shown who they are: to which issuer, how (`acr`), and with which one-time code, by its id."""

    person: str
    issuer: str
    acr: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is open. `id` stands in entries and opens nothing."""

    id: str
    person: str
    issuer: str
    acr: str
    seen: datetime
    expires: datetime

    @property
    def principal(self) -> Principal:
        """Return the same as a token gives: who asks, by what, until when."""
        return Principal(self.person, self.issuer, self.acr, (), None, self.id, self.expires)


def begin_session(tx: Transaction, trail: Trail, who: SignedIn, longest: timedelta) -> str:
    """Begin a session of `who`, the trail's actor, and return the secret that opens it."""
    act = trail.act()
    secret, session = new_secret(trail.randomness), new_id("s", trail.randomness)
    until = act.time + longest
    tx.execute(delete(sessions).where(sessions.c.expires < stamp(act.time)))
    tx.execute(
        insert(sessions).values(
            id=session,
            secret=digest(secret),
            person=who.person,
            issuer=who.issuer,
            acr=who.acr,
            began=stamp(act.time),
            seen=stamp(act.time),
            expires=stamp(until),
        )
    )
    trail.record(tx, signin_succeeded(act, session, who.issuer, who.acr, until, who.code))
    return secret


def open_session(tx: Reading, secret: str, now: datetime, idle: timedelta) -> Session:
    """Return the session that `secret` opens. Raises Refused (identity.session-ended), whatever the cause."""
    t = sessions.c
    row = tx.execute(
        select(sessions)
        .join(people, people.c.id == t.person)
        .where(t.secret == digest(secret), t.ended.is_(None), people.c.ended.is_(None))
    ).one_or_none()
    if row is None:
        raise Refused.because(SESSION_ENDED)
    found = Session(row.id, row.person, row.issuer, row.acr, parse_stamp(row.seen), parse_stamp(row.expires))
    if now >= min(found.expires, found.seen + idle):
        raise Refused.because(SESSION_ENDED)
    return found


def to_be_touched(session: Session, now: datetime, idle: timedelta) -> bool:
    """Return whether so much of the idle time has passed that the use of `session` is to be noted."""
    return now - session.seen >= idle / _TOUCHES


def touch(tx: Transaction, session: Session, now: datetime) -> None:
    """Note that a session was used."""
    tx.execute(update(sessions).where(sessions.c.id == session.id).values(seen=stamp(now)))


def end_session(tx: Transaction, trail: Trail, session: str, change: str) -> None:
    """End one session, by its id; nothing happens where it has ended."""
    _end(tx, trail, sessions.c.id == session, change)


def end_sessions(tx: Transaction, trail: Trail, person: str, change: str, issuer: str | None = None) -> int:
    """End every session of a person, or those begun at one issuer; return how many there were."""
    own = sessions.c.person == person
    return _end(tx, trail, own if issuer is None else own & (sessions.c.issuer == issuer), change)


def _end(tx: Transaction, trail: Trail, which: object, change: str) -> int:
    act = trail.act()
    t = sessions.c
    ended = tx.execute(
        update(sessions)
        .where(which, t.ended.is_(None), t.expires > stamp(act.time))  # type: ignore[arg-type]
        .values(ended=stamp(act.time))
        .returning(t.id, t.person)
    ).all()
    for row in ended:
        trail.record(tx, session_ended(trail.act(), row.person, row.id, change))
    return len(ended)
