"""What the pages of signing in need from the house behind them."""

from __future__ import annotations

from typing import Protocol

from tre.identity import Principal


class Desk(Protocol):
    """Where people sign in and out. Every method raises Refused; each change is an entry of the log.

    A sign-in returns the secret for the browser's cookie; `before` is the secret that it had, whose session ends.
    """

    def principal(self, secret: str) -> Principal:
        """Return who the session of a cookie's secret belongs to; refused as identity.session-ended."""

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
