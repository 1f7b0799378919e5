"""Whom a subject of an outside issuer is here: by what was linked, never by a name that looks alike."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from tre.base.clock import stamp
from tre.base.reasons import Refused
from tre.base.reasons import governance as reasons
from tre.base.reasons.identity import PERSON_UNKNOWN, SUBJECT_TAKEN, SUBJECT_UNFIT, SUBJECT_UNKNOWN
from tre.identity.sessions import end_sessions
from tre.journal import Trail
from tre.journal.entries import Act, identity_changed
from tre.store import Reading, Transaction
from tre.store.tables import identities, people

_LONGEST = 255  # OpenID Connect Core §2


def person_of(tx: Reading, issuer: str, subject: str) -> str:
    """Return the person that a subject is. Raises Refused (identity.person-unknown)."""
    t = identities.c
    linked = (
        select(t.person)
        .join(people, people.c.id == t.person)
        .where(t.issuer == issuer, t.subject == subject, people.c.ended.is_(None))
    )
    found: str | None = tx.execute(linked).scalar_one_or_none()
    if found is None:
        raise Refused.because(PERSON_UNKNOWN)
    return found


def link_subject(tx: Transaction, trail: Trail, person: str, issuer: str, subject: str) -> None:
    """Say that a subject of an issuer is `person`, from now on.

    Raises Refused (identity.subject-unfit, governance.unknown-person, identity.subject-taken).
    """
    if not 1 <= len(subject) <= _LONGEST or not subject.isprintable():
        raise Refused.because(SUBJECT_UNFIT)
    here = select(people.c.id).where(people.c.id == person, people.c.ended.is_(None))
    if tx.execute(here).one_or_none() is None:
        raise Refused.because(reasons.UNKNOWN_PERSON, person=ascii(person)[:60])
    t = identities.c
    if tx.execute(select(t.person).where(t.issuer == issuer, t.subject == subject)).one_or_none() is not None:
        raise Refused.because(SUBJECT_TAKEN)
    act = _sealed(tx, trail, person, issuer, subject)
    tx.execute(insert(identities).values(issuer=issuer, subject=subject, person=person, linked=stamp(act.time)))
    trail.record(tx, identity_changed(act, person, "identity-linked"))


def unlink_subject(tx: Transaction, trail: Trail, issuer: str, subject: str) -> str:
    """Make a subject nobody, end the person's sessions that began at the issuer, and return who it was.

    Raises Refused (identity.subject-unknown).
    """
    t = identities.c
    gone = delete(identities).where(t.issuer == issuer, t.subject == subject).returning(t.person)
    person: str | None = tx.execute(gone).scalar_one_or_none()
    if person is None:
        raise Refused.because(SUBJECT_UNKNOWN)
    trail.record(tx, identity_changed(_sealed(tx, trail, person, issuer, subject), person, "identity-unlinked"))
    end_sessions(tx, trail, person, "identity-unlinked", issuer)
    return person


def _sealed(tx: Transaction, trail: Trail, person: str, issuer: str, subject: str) -> Act:
    """Begin an entry; a subject may be an address or a staff number, so it lies encrypted beside the log."""
    return trail.sealed(tx, trail.act(), f"person/{person}", "identity", f"{issuer} {subject}")
