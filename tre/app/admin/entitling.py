"""What people hold after the bootstrap: `tre credential`, `tre person end`, `tre tokens`."""

from __future__ import annotations

from datetime import date

from tre import governance
from tre.app.admin.at_home import OPERATOR, AtHome, done, end_of
from tre.base.reasons import Refused
from tre.base.reasons import governance as reasons
from tre.cli.admin import Table
from tre.journal import Trail
from tre.store import Transaction


class EntitlingCommands(AtHome):
    """What is given and taken back, each by somebody who is entitled."""

    def credential_attest(self, person: str, kind: str, until: date, by: str) -> None:
        """Attest a credential until the end of a day."""
        self.house.act(by, lambda tx, trail: done(governance.attest_credential(tx, trail, person, kind, end_of(until))))

    def credential_revoke(self, person: str, kind: str, by: str) -> None:
        """Take back a person's credentials of a kind."""
        self.house.act(by, lambda tx, trail: governance.revoke_credential(tx, trail, person, kind))

    def person_end(self, person: str, by: str) -> None:
        """Let a person leave."""
        self.house.act(by, lambda tx, trail: governance.end_person(tx, trail, person))

    def sidecar_erase(self, kind: str, name: str, by: str, second: str) -> None:
        """Destroy the key of a project's or a person's texts, and what files still have of it."""
        erase = {"project": governance.erase_project, "person": governance.erase_person}[kind]
        try:
            self.house.act(by, lambda tx, trail: erase(tx, trail, name, second))
        finally:  # also where it was erased before: a crash in between left what the files have
            self.house.store.scrub()

    def tokens(self) -> Table:
        """Return the tokens in use, ids first."""
        with self.house.store.reading() as tx:
            found = governance.list_tokens(tx, self.house.clock.now())
        rows = tuple((one.token, one.person, one.project or "", f"{one.expires:%Y-%m-%d %H:%M} UTC") for one in found)
        return Table(("id", "person", "project", "until"), rows)

    def token_revoke(self, token: str) -> None:
        """End one token. Raises Refused (governance.unknown-token)."""

        def change(tx: Transaction, trail: Trail) -> None:
            if not governance.revoke_token(tx, trail, token):
                raise Refused.because(reasons.UNKNOWN_TOKEN, token=ascii(token)[:60])

        self.house.act(OPERATOR, change)

    def tokens_revoke(self, person: str) -> int:
        """End every token of a person; return how many there were."""
        ended: list[int] = []
        self.house.act(OPERATOR, lambda tx, trail: ended.append(governance.revoke_tokens(tx, trail, person)))
        return ended[0]
