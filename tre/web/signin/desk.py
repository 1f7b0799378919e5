"""What the pages of signing in need from the house behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tre.identity import Principal


class Desk(Protocol):
    """Where people sign in and out. Every method raises Refused; each change is an entry of the log.

    A sign-in returns the secret for the browser's cookie; `before` is the secret that it had, whose session ends.
    """

    def principal(self, secret: str) -> Principal:
        """Return who the session of a cookie's secret belongs to; refused as identity.session-ended."""

    def providers(self) -> tuple[str, ...]:
        """Return what the issuers at which people may sign in are called, in order."""

    def begin(self, provider: int, target: str, callback: str) -> tuple[str, str]:
        """Begin to sign in at an issuer; return its address and the secret for the browser to come back with."""

    def finish(
        self, browser: str | None, answer: Mapping[str, str], callback: str, before: str | None
    ) -> tuple[str, str]:
        """Finish what `browser` began; return the session's secret and the page that was asked for."""

    def with_code(self, code: str, before: str | None) -> str:
        """Sign in with a one-time code of the operator."""

    def people(self) -> tuple[tuple[str, str], ...]:
        """Return id and name of the demonstration's people; empty in every other house."""

    def as_person(self, person: str, before: str | None) -> str:
        """Sign in as one of the demonstration's people."""

    def sign_out(self, secret: str) -> None:
        """End the session."""

    def sign_out_everywhere(self, secret: str) -> None:
        """End every session of its person, and the tokens and codes that were made for them before."""
