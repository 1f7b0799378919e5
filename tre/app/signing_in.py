"""Signing in and out of the portal: sessions, codes and the demonstration's people, each change with its entry."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeVar

from tre import governance
from tre.app.compose import SYSTEM, House
from tre.app.failures import FailedSignIns
from tre.base.reasons import Refused
from tre.base.reasons.identity import DEMONSTRATION_ONLY, PROVIDER_UNKNOWN
from tre.identity import (
    Principal,
    Session,
    SignedIn,
    begin_session,
    begin_sign_in,
    drop_codes,
    end_session,
    end_sessions,
    open_session,
    take_code,
    take_sign_in,
    to_be_touched,
    touch,
)
from tre.journal import Trail
from tre.store import Transaction

Found = TypeVar("Found")

DEMONSTRATION = "demonstration"
"""The subject of the entry that says that the names of the demonstration's people are shown to who comes."""

LOCAL = "local"
"""The `acr` of who signs in at the environment itself, with a token or a code of its operator."""


class SigningIn:
    """Implements `tre.web.signin.Desk`."""

    def __init__(self, house: House, failures: FailedSignIns) -> None:
        said = house.settings.portal
        self._house, self._failures = house, failures
        self._idle, self._longest = timedelta(seconds=said.idle), timedelta(seconds=said.longest)

    def principal(self, secret: str) -> Principal:
        """Return who a cookie's secret speaks for, now."""
        return self._counted(lambda: self._open(secret)).principal

    def providers(self) -> tuple[str, ...]:
        """Return what the issuers at which people may sign in are called."""
        return tuple(provider.label for provider in self._house.providers)

    def begin(self, provider: int, target: str, callback: str) -> tuple[str, str]:
        """Begin to sign in at an issuer."""
        if provider >= len(self._house.providers):
            raise Refused.because(PROVIDER_UNKNOWN)
        chosen = self._house.providers[provider]
        with self._house.store.transaction(lasting=False) as tx:
            begun = begin_sign_in(tx, self._house.clock.now(), chosen.issuer.name, target, secrets.token_bytes)
        return chosen.address(begun, callback), begun.browser

    def finish(
        self, browser: str | None, answer: Mapping[str, str], callback: str, before: str | None
    ) -> tuple[str, str]:
        """Finish what `browser` began. It is used up first, whatever becomes of it."""
        return self._counted(lambda: self._finish(browser or "", answer, callback, before))

    def _finish(self, browser: str, answer: Mapping[str, str], callback: str, before: str | None) -> tuple[str, str]:
        with self._house.store.transaction() as tx:
            returned = take_sign_in(tx, self._house.clock.now(), answer.get("state", ""), browser)
        provider = next((one for one in self._house.providers if one.issuer.name == returned.issuer), None)
        if provider is None:
            raise Refused.because(PROVIDER_UNKNOWN)
        who = provider.finish(returned, answer, callback)
        return self._begin(lambda _tx: who, before), returned.target

    def with_code(self, code: str, before: str | None) -> str:
        """Sign in with a one-time code."""

        def who(tx: Transaction) -> SignedIn:
            person, used = take_code(tx, code, self._house.clock.now())
            return SignedIn(person, self._house.issuer.name, LOCAL, used)

        return self._counted(lambda: self._begin(who, before))

    def people(self) -> tuple[tuple[str, str], ...]:
        """Return id and name of the demonstration's people."""
        if not self._house.is_demonstration:
            return ()
        reading = self._house.readings.on_record(self._house.trail(SYSTEM), DEMONSTRATION)
        with self._house.store.reading() as tx:
            found = governance.list_people(tx)
            return tuple((one.id, one.name(tx, self._house.sidecar, reading) or one.id) for one in found)

    def as_person(self, person: str, before: str | None) -> str:
        """Sign in as one of the demonstration's people."""
        if person not in dict(self.people()):
            raise Refused.because(DEMONSTRATION_ONLY)
        return self._begin(lambda _tx: SignedIn(person, self._house.issuer.name, LOCAL), before)

    def sign_out(self, secret: str) -> None:
        """End the session; one that has ended already stays so."""
        session = self._known(secret)
        if session is not None:
            self._house.act(session.person, lambda tx, trail: end_session(tx, trail, session.id, "signed-out"))

    def sign_out_everywhere(self, secret: str) -> None:
        """End all sessions of the session's person, and what was made for them before."""
        person = self._counted(lambda: self._open(secret)).person
        self._house.act(person, lambda tx, trail: sign_out_everywhere(tx, trail, person))

    def _begin(self, who: Callable[[Transaction], SignedIn], before: str | None) -> str:
        """Begin a session in one transaction with what showed who it is; the browser's session before it ends."""
        last = self._known(before)
        with self._house.store.transaction() as tx:
            signed_in = who(tx)
            trail = self._house.trail(signed_in.person)
            if last is not None:
                end_session(tx, trail, last.id, "replaced")
            secret = begin_session(tx, trail, signed_in, self._longest)
        self._house.journal.settle(trail.events)
        return secret

    def _open(self, secret: str) -> Session:
        now = self._house.clock.now()
        with self._house.store.reading() as tx:
            session = open_session(tx, secret, now, self._idle)
        if to_be_touched(session, now, self._idle):
            with self._house.store.transaction(lasting=False) as tx:
                touch(tx, session, now)
        return session

    def _known(self, secret: str | None) -> Session | None:
        """Return the session that a browser has, if it is open."""
        if secret is None:
            return None
        with self._house.store.reading() as tx:
            try:
                return open_session(tx, secret, self._house.clock.now(), self._idle)
            except Refused:
                return None

    def _counted(self, attempt: Callable[[], Found]) -> Found:
        """Count an attempt that is refused among the failed sign-ins."""
        try:
            return attempt()
        except Refused as refused:
            self._failures.count(refused.refusals[0].reason.code)
            raise


def sign_out_everywhere(tx: Transaction, trail: Trail, person: str) -> None:
    """End every session of a person, and every token and code that was made for them here."""
    end_sessions(tx, trail, person, "everywhere")
    governance.revoke_tokens(tx, trail, person)
    drop_codes(tx, person)
