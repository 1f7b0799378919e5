"""A home's commands in memory, for tests of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tre.base.reasons import Refused
from tre.base.reasons.web import UNKNOWN_PROJECT
from tre.cli.admin import Added, NewPerson, NewProject, Paid, Progress, Table


@dataclass
class FakeAdmin:
    """Remembers what it was asked; the project "gone" is unknown, the person "broken" a fault."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def init(self, home: Path, origin: str, control: str | None) -> str:
        self.calls.append(("init", home, origin, control))
        return f"{origin}+00000000+AAAA\n"

    def dataset_add(self, name: str, source: Path | str, policy: Path, progress: Progress) -> Added:
        self.calls.append(("dataset_add", name, source, policy))
        progress("read", 0.5)
        return Added("v_1", ("note",), (Paid("bounds", 0.016, 0.08, False), Paid("sizes", 0.0006, 0.0032, True)))

    def person_add(self, person: NewPerson) -> None:
        if person.id == "broken":
            raise RuntimeError("9434765919 in the message")
        self.calls.append(("person_add", person))

    def persons(self) -> Table:
        return Table(("id", "name"), (("ada", "Ada \x1b[31mL"), ("b", "Bob")))

    def project_add(self, project: NewProject) -> None:
        self.calls.append(("project_add", project))

    def projects(self) -> Table:
        return Table(("id", "state"), (("p1", "active"),))

    def unlock(self, project: str, by: str, reason: str) -> None:
        if project == "gone":
            raise Refused.because(UNKNOWN_PROJECT)
        self.calls.append(("unlock", project, by, reason))

    def token(self, person: str, project: str | None, minutes: int) -> str:
        return f"token.{person}.{project}.{minutes}"

    def credential_attest(self, person: str, kind: str, until: date, by: str) -> None:
        self.calls.append(("credential_attest", person, kind, until, by))

    def credential_revoke(self, person: str, kind: str, by: str) -> None:
        self.calls.append(("credential_revoke", person, kind, by))

    def person_end(self, person: str, by: str) -> None:
        self.calls.append(("person_end", person, by))

    def sidecar_erase(self, kind: str, name: str, by: str, second: str) -> None:
        self.calls.append(("sidecar_erase", kind, name, by, second))

    def tokens(self) -> Table:
        return Table(("id", "person"), (("t_1", "ada"),))

    def token_revoke(self, token: str) -> None:
        self.calls.append(("token_revoke", token))

    def tokens_revoke(self, person: str) -> int:
        self.calls.append(("tokens_revoke", person))
        return 2

    def key_rotate_issuer(self, *, distrust: bool) -> str:
        self.calls.append(("key_rotate_issuer", distrust))
        return "k_1"

    def key_rotate_master(self) -> None:
        self.calls.append(("key_rotate_master",))

    def pseudonym_epoch(self) -> int:
        return 2

    def pseudonym_check(self, dataset: str, project: str, epoch: int | None) -> Table:
        self.calls.append(("pseudonym_check", dataset, project, epoch))
        return Table(("type", "key", "epoch"), (("nhs-number", "0123456789abcdef", "1"),))

    def sign_in_code(self, person: str, minutes: int) -> str:
        return f"code-{person}-{minutes}"

    def backup(self, to: Path, keys: Path | None) -> int:
        self.calls.append(("backup", to, keys))
        return 7

    def restore(self, source: Path, keys: Path | None, home: Path) -> None:
        self.calls.append(("restore", source, keys, home))

    def link(self, person: str, issuer: str, subject: str) -> None:
        self.calls.append(("link", person, issuer, subject))

    def unlink(self, issuer: str, subject: str) -> str:
        self.calls.append(("unlink", issuer, subject))
        return "ada"

    def sign_out(self, person: str) -> None:
        self.calls.append(("sign_out", person))

    def serve(self, host: str, port: int, workers: int) -> None:
        self.calls.append(("serve", host, port, workers))

    def audit_serve(self, tell: Callable[[str], None]) -> None:
        self.calls.append(("audit_serve",))
        tell("The log is written.")

    def ledger_export(self) -> str:
        return '{"ledgers": []}\n'

    def audit_reindex(self) -> int:
        self.calls.append(("audit_reindex",))
        return 7

    def audit_search(self, by: str, wanted: Mapping[str, Any], limit: int) -> Table:
        self.calls.append(("audit_search", by, dict(wanted), limit))
        shown = ("index", "time", "event", "actor", "subject", "project", "dataset", "request", "reasons", "state")
        return Table(shown, (("7", "2026", "incident", "ada", "", "p1", "", "", "a b", "x"),))

    def audit_export_events(self, by: str, wanted: Mapping[str, Any], form: str, out: Path) -> None:
        self.calls.append(("audit_export_events", by, dict(wanted), form, out))

    def audit_export(self, folder: Path) -> int:
        self.calls.append(("audit_export", folder))
        return 7

    def policy_lint(self, file: Path) -> tuple[str, ...]:
        return ("a remark",)
