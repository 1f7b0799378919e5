"""Signing in to the portal: codes and the subjects of outside issuers."""

from __future__ import annotations

from tre.app.admin.at_home import OPERATOR, AtHome
from tre.identity import issue_code


class SigningInCommands(AtHome):
    """Who signs in, and how."""

    def sign_in_code(self, person: str, minutes: int) -> str:
        """Return a one-time code for signing in, logged by its id."""
        codes: list[str] = []
        self.house.act(OPERATOR, lambda tx, trail: codes.append(issue_code(tx, trail, person, minutes)))
        return codes[0]
