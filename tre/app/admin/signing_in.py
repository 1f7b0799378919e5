"""Signing in to the portal: codes and the subjects of outside issuers."""

from __future__ import annotations

from tre.app.admin.at_home import OPERATOR, AtHome
from tre.app.signing_in import sign_out_everywhere
from tre.base.reasons import Refused
from tre.base.reasons.identity import ISSUER_UNKNOWN
from tre.identity import issue_code, link_subject, unlink_subject


class SigningInCommands(AtHome):
    """Who signs in, and how."""

    def sign_in_code(self, person: str, minutes: int) -> str:
        """Return a one-time code for signing in, logged by its id."""
        codes: list[str] = []
        self.house.act(OPERATOR, lambda tx, trail: codes.append(issue_code(tx, trail, person, minutes)))
        return codes[0]

    def link(self, person: str, issuer: str, subject: str) -> None:
        """Say whom a subject of an issuer is here."""
        if issuer not in {one.name for one in self.house.settings.issuers}:
            raise Refused.because(ISSUER_UNKNOWN, issuer=ascii(issuer)[:140])
        self.house.act(OPERATOR, lambda tx, trail: link_subject(tx, trail, person, issuer, subject))

    def unlink(self, issuer: str, subject: str) -> str:
        """Make a subject nobody; return who it was. The settings may have forgotten the issuer."""
        found: list[str] = []
        self.house.act(OPERATOR, lambda tx, trail: found.append(unlink_subject(tx, trail, issuer, subject)))
        return found[0]

    def sign_out(self, person: str) -> None:
        """End every session, token and code of a person."""
        self.house.act(OPERATOR, lambda tx, trail: sign_out_everywhere(tx, trail, person))
