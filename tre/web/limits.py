"""Who is held to how many requests: what the surface asks of whoever counts them."""

from __future__ import annotations

from typing import Protocol


class Limits(Protocol):
    """Counts a request, and raises Refused (web.too-many) where there were too many, or what keeps it from counting."""

    def question(self, person: str) -> None:
        """Count a question or a check of a person."""

    def anonymous(self, address: str) -> None:
        """Count a request without a token."""

    def failure(self, address: str) -> None:
        """Count a token that was refused."""


class Unlimited:
    """Counts nothing: for the description, and where a proxy counts."""

    def question(self, person: str) -> None:
        """Let it in."""

    def anonymous(self, address: str) -> None:
        """Let it in."""

    def failure(self, address: str) -> None:
        """Let it be refused."""
