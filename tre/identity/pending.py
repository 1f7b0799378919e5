"""Sign-ins that have begun at an outside issuer and not yet come back: one use, few minutes, one browser.

Threats met here (RFC 9700 §4.5, §4.7): an answer to what another browser began, or nobody, or that came before, finds
no row. State, nonce and the browser's cookie are kept as digests; PKCE's verifier is worth nothing without the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select

from tre.base.clock import stamp
from tre.base.ids import Randomness
from tre.base.reasons import Refused
from tre.base.reasons.identity import SIGN_IN_BUSY, SIGN_IN_LOST
from tre.identity.secrets import digest, new_secret
from tre.store import Transaction
from tre.store.tables import sign_ins

MINUTES = timedelta(minutes=10)
MOST = 10_000
"""Sign-ins that may be under way at once: whoever begins them without end fills no disk."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What is sent along to the issuer (`state`, `nonce`, `verifier`) and kept by the browser (`browser`)."""

    state: str
    nonce: str
    verifier: str
    browser: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A sign-in that has come back: where it was begun, and what its answer must fit. `nonce` is a digest."""

    issuer: str
    nonce: str
    verifier: str
    target: str


def begin_sign_in(tx: Transaction, now: datetime, issuer: str, target: str, randomness: Randomness) -> Begun:
    """Note that a browser goes to an issuer. Raises Refused (identity.sign-in-busy)."""
    tx.execute(delete(sign_ins).where(sign_ins.c.expires <= stamp(now)))
    if tx.execute(select(func.count()).select_from(sign_ins)).scalar_one() >= MOST:
        raise Refused.because(SIGN_IN_BUSY)
    begun = Begun(*(new_secret(randomness) for _ in range(4)))
    tx.execute(
        insert(sign_ins).values(
            state=digest(begun.state),
            browser=digest(begun.browser),
            issuer=issuer,
            nonce=digest(begun.nonce),
            verifier=begun.verifier,
            target=target,
            expires=stamp(now + MINUTES),
        )
    )
    return begun


def take_sign_in(tx: Transaction, now: datetime, state: str, browser: str) -> Returned:
    """Use up the sign-in that `browser` began with `state`. Raises Refused (identity.sign-in-lost)."""
    t = sign_ins.c
    own = (t.state == digest(state)) & (t.browser == digest(browser))
    row = tx.execute(
        delete(sign_ins).where(own, t.expires > stamp(now)).returning(t.issuer, t.nonce, t.verifier, t.target)
    ).one_or_none()
    if row is None:
        raise Refused.because(SIGN_IN_LOST)
    return Returned(row.issuer, row.nonce, row.verifier, row.target)
