"""One-time codes for signing in: the embedded issuer has no passwords (decision 13).

A code is 100 random bits, so that nobody guesses one within its minutes and no count of attempts is needed. It is
typed into a form: it stands in no address, no history and no log of a proxy.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from tre.base.clock import stamp
from tre.base.ids import Randomness, new_id
from tre.base.reasons import Refused
from tre.base.reasons import governance as reasons
from tre.base.reasons.identity import CODE_MINUTES, CODE_REFUSED
from tre.identity.secrets import digest
from tre.journal import Trail
from tre.journal.entries import token_issued
from tre.store import Reading, Transaction
from tre.store.tables import people, sign_in_codes

LONGEST_MINUTES = 60
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O and U
_READ_AS = str.maketrans("ILO", "110", "- \t")
_GROUPS, _GROUP = 4, 5


def issue_code(tx: Transaction, trail: Trail, person: str, minutes: int) -> str:
    """Return a new code with which `person` may sign in once within `minutes`.

    Raises Refused (identity.code-minutes, governance.unknown-person).
    """
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise Refused.because(CODE_MINUTES, most=str(LONGEST_MINUTES))
    if not _is_here(tx, person):
        raise Refused.because(reasons.UNKNOWN_PERSON, person=ascii(person)[:60])
    act = trail.act()
    code, name, until = (
        _new_code(trail.randomness),
        new_id("code", trail.randomness),
        act.time + timedelta(minutes=minutes),
    )
    tx.execute(delete(sign_in_codes).where(sign_in_codes.c.expires < stamp(act.time)))
    tx.execute(insert(sign_in_codes).values(code=_kept(code), id=name, person=person, expires=stamp(until)))
    trail.record(tx, token_issued(act, person, name, until, None))
    return code


def take_code(tx: Transaction, code: str, now: datetime) -> tuple[str, str]:
    """Use `code` up; return whose it is and its id. Raises Refused (identity.code-refused), whatever the cause."""
    t = sign_in_codes.c
    row = tx.execute(
        delete(sign_in_codes).where(t.code == _kept(code), t.expires > stamp(now)).returning(t.person, t.id)
    ).one_or_none()
    if row is None or not _is_here(tx, row.person):
        raise Refused.because(CODE_REFUSED)
    return row.person, row.id


def drop_codes(tx: Transaction, person: str) -> None:
    """Make every code of a person worth nothing."""
    tx.execute(delete(sign_in_codes).where(sign_in_codes.c.person == person))


def _is_here(tx: Reading, person: str) -> bool:
    here = select(people.c.id).where(people.c.id == person, people.c.ended.is_(None))
    return tx.execute(here).one_or_none() is not None


def _new_code(randomness: Randomness) -> str:
    number = int.from_bytes(randomness(13))  # 104 bits, of which 100 are used
    letters = "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_GROUPS * _GROUP))
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def _kept(code: str) -> str:
    """Return the digest of a code as people may type it: any case, without dashes, O for 0."""
    return digest(code[:80].upper().translate(_READ_AS))
