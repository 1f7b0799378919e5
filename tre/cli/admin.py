"""What the administrative commands need from the composition root: one protocol, opened lazily by `tre.app`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

Progress = Callable[[str, float], None]
"""Told the name of a step and its fraction done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person as the bootstrap names them. `credentials` overrides: kind to its last day, None for 90 days.

    `controls` names the data sets that a controller answers for.
    """

    id: str
    name: str
    roles: tuple[str, ...]
    credentials: tuple[tuple[str, date | None], ...] = ()
    controls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewProject:
    """A project as the bootstrap names it; epsilon and delta are its limits, exact decimals."""

    id: str
    datasets: tuple[str, ...]
    people: tuple[str, ...]
    purposes: tuple[str, ...]
    epsilon: Decimal
    delta: Decimal
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A version that was made: the optional parts that its source lacks, and what it `paid` for what it released."""

    version: str
    absent: tuple[str, ...]
    paid: tuple[Paid, ...]


@dataclass(frozen=True, slots=True)
class Paid:
    """A release of `what`, and which share it takes of the data set's budget, and of a project's as the policy has it.

    Shares are of rho, or of epsilon under pure DP, which add up. `each` says that every further version pays it too.
    """

    what: str
    dataset: float
    project: float
    each: bool


@dataclass(frozen=True, slots=True)
class Table:
    """What a listing command prints: the id stands in the first column."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Admin(Protocol):
    """The commands on a home. Every method raises Refused; each change is an entry of the log."""

    def init(self, home: Path, origin: str, control: str | None) -> str:
        """Make the home and return the log's public verifier key. Refused where a home stands already.

        :param control: the address of an empty PostgreSQL database; None keeps the control database in the home.
        """

    def dataset_add(self, name: str, source: Path | str, policy: Path, progress: Progress) -> Added:
        """Make a version of the data set under the policy; return it with what it lacks and paid.

        :param source: where files are, or the address of a PostgreSQL database.
        """

    def person_add(self, person: NewPerson) -> None:
        """Add a person with attested credentials; refused once a board exists."""

    def persons(self) -> Table:
        """Return everyone, ids first."""

    def project_add(self, project: NewProject) -> None:
        """Add an active project; refused once a board exists."""

    def projects(self) -> Table:
        """Return all projects, ids first."""

    def unlock(self, project: str, by: str, reason: str) -> None:
        """Unlock a project after an incident; refused to its members."""

    def token(self, person: str, project: str | None, minutes: int) -> str:
        """Return a bearer token of the embedded issuer."""

    def credential_attest(self, person: str, kind: str, until: date, by: str) -> None:
        """Attest a credential until the end of a day; refused to those who are not entitled and for themselves."""

    def credential_revoke(self, person: str, kind: str, by: str) -> None:
        """Take back a person's credentials of a kind; refused likewise."""

    def person_end(self, person: str, by: str) -> None:
        """Let a person leave, with their tokens and sessions; refused likewise."""

    def sidecar_erase(self, kind: str, name: str, by: str, second: str) -> None:
        """Destroy what was sealed of a `project` or a `person`; refused unless two who are entitled do it."""

    def tokens(self) -> Table:
        """Return the tokens in use, ids first."""

    def token_revoke(self, token: str) -> None:
        """End one token; refused where there is none."""

    def tokens_revoke(self, person: str) -> int:
        """End every token of a person and return how many there were."""

    def key_rotate_issuer(self, *, distrust: bool) -> str:
        """Sign tokens with another key from now on and return its id; with `distrust` nothing older is taken."""

    def key_rotate_master(self) -> None:
        """Wrap the keys of all encrypted texts under another master key; refused while a server runs."""

    def pseudonym_epoch(self) -> int:
        """Begin a new epoch of pseudonyms and return its number."""

    def pseudonym_check(self, dataset: str, project: str, epoch: int | None) -> Table:
        """Make a project's tokens and return under which keys; nothing is told that depends on people."""

    def sign_in_code(self, person: str, minutes: int) -> str:
        """Return a code with which the person may sign in to the portal once."""

    def backup(self, to: Path, keys: Path | None) -> int:
        """Copy the home, also while it is served, and return the size of the copied log."""

    def restore(self, source: Path, keys: Path | None, home: Path) -> None:
        """Make a home of a back-up. Needs no home."""

    def link(self, person: str, issuer: str, subject: str) -> None:
        """Say that a subject of an outside issuer is a person."""

    def unlink(self, issuer: str, subject: str) -> str:
        """Make a subject of an outside issuer nobody; return who it was."""

    def sign_out(self, person: str) -> None:
        """End every session, token and code of a person."""

    def serve(self, host: str, port: int, workers: int) -> None:
        """Serve until stopped, with as many processes."""

    def audit_serve(self, tell: Callable[[str], None]) -> None:
        """Write the log for servers and commands until stopped; `tell` is told when it can be used."""

    def ledger_export(self) -> str:
        """Return the ledgers as the verifier reads them."""

    def audit_reindex(self) -> int:
        """Make the reviewers' search anew from the log and return the number of entries; a server may run."""

    def audit_search(self, by: str, wanted: Mapping[str, Any], limit: int) -> Table:
        """Return entries that are wanted, newest first; refused to who may not read them. It is an entry itself."""

    def audit_export_events(self, by: str, wanted: Mapping[str, Any], form: str, out: Path) -> None:
        """Write entries that are wanted, oldest first, to `out`; refused likewise, and where `out` exists."""

    def audit_export(self, folder: Path) -> int:
        """Write the static tree of the log to `folder` and return the number of entries."""

    def policy_lint(self, file: Path) -> tuple[str, ...]:
        """Return remarks on a policy that is in order; refused with every error otherwise. Needs no home."""
