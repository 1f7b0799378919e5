"""The administrative commands on a home (`tre.cli.admin.Admin`)."""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, date, datetime, time
from fractions import Fraction
from pathlib import Path

from audit import LogReader, export
from tre import governance, ledger
from tre.app.compose import COMMITMENT_KEY, MEBI, House
from tre.app.making import make_home
from tre.base.home import Home
from tre.base.reasons import Refusal, Refused
from tre.base.reasons import app as reasons
from tre.cli.admin import NewPerson, NewProject, Progress, Table
from tre.governance.checks import id_refusals, refuse
from tre.identity import verify
from tre.journal import Trail
from tre.onboarding import Limits, Version, VersionRefused, onboard
from tre.policy import CompiledPolicy, compile_policy, lint, load_policy
from tre.policy.context import Credential, Role
from tre.store import Transaction

OPERATOR = "operator"
"""Who acts where only the owner of the home can: the bootstrap has no signed-in person."""


def open_admin(home: Path | None) -> HomeAdmin:
    """Return the commands on `home`; None for those that need none."""
    return HomeAdmin(None if home is None else House(Home(home.absolute())))


class HomeAdmin:
    """Implements the commands. Every change is an entry of the log before it is acknowledged."""

    def __init__(self, house: House | None) -> None:
        self._house = house

    @property
    def house(self) -> House:
        """The home that the commands act on."""
        if self._house is None:
            raise LookupError("this command needs a home; this is a bug, report it")
        _ = self._house.settings
        return self._house

    def init(self, home: Path, origin: str) -> str:
        """Make a home; see `tre.app.making`."""
        return make_home(home, origin)

    def dataset_add(self, name: str, source: Path, policy: Path, progress: Progress) -> tuple[str, tuple[str, ...]]:
        """Make a version of a data set under a policy, put both into force; return its name and what it lacks."""
        refuse(id_refusals(name))
        compiled = compile_policy(load_policy(policy), name)
        try:
            version = self._onboarded(source, compiled, progress)
        except VersionRefused as refused:
            raise self._detailed(refused, name) from None

        def change(tx: Transaction, trail: Trail) -> None:
            governance.add_dataset(tx, trail, compiled)
            governance.add_version(tx, trail, name, version.name, version.commitment, version.catalogue_digest)

        self.house.act(OPERATOR, change)
        return version.name, version.absent

    def person_add(self, person: NewPerson) -> None:
        """Add a person with attested credentials."""
        roles = {Role(role) for role in person.roles}
        attested = {kind: _end(last) for kind, last in person.credentials} or None
        self.house.act(
            OPERATOR, lambda tx, trail: _done(governance.add_person(tx, trail, person.id, person.name, roles, attested))
        )

    def persons(self) -> Table:
        """Return everyone, ids first."""
        with self.house.store.reading() as tx:
            found = governance.list_people(tx)
        return Table(
            ("id", "roles", "credentials"),
            tuple(
                (one.id, ", ".join(sorted(one.roles)), ", ".join(_credential(held) for held in one.credentials))
                for one in found
            ),
        )

    def project_add(self, project: NewProject) -> None:
        """Add an active project."""
        new = governance.NewProject(
            project.id,
            project.datasets,
            project.people,
            project.purposes,
            Fraction(project.epsilon),
            Fraction(project.delta),
            _end(project.expires),
        )
        self.house.act(OPERATOR, lambda tx, trail: _done(governance.add_project(tx, trail, new)))

    def projects(self) -> Table:
        """Return all projects, ids first."""
        with self.house.store.reading() as tx:
            found = governance.list_projects(tx)
        return Table(
            ("id", "state", "data sets", "people", "until"),
            tuple(
                (
                    one.id,
                    one.status.value,
                    ", ".join(sorted(one.datasets)),
                    ", ".join(sorted(one.members)),
                    one.expires.date().isoformat(),
                )
                for one in found
            ),
        )

    def unlock(self, project: str, by: str, reason: str) -> None:
        """Unlock a project after an incident."""
        self.house.act(by, lambda tx, trail: governance.unlock_project(tx, trail, project, reason))

    def token(self, person: str, project: str | None, minutes: int) -> str:
        """Return a bearer token of the embedded issuer, noted and logged by its id."""
        house = self.house
        token = house.issuer.issue(person, project, minutes)
        principal = verify(token, [house.issuer.trusted()], house.clock)
        house.act(
            OPERATOR,
            lambda tx, trail: governance.note_token(tx, trail, principal.token, person, project, principal.expires),
        )
        return token

    def serve(self, host: str, port: int) -> None:
        """Serve until stopped."""
        from tre.app.serving import serve

        serve(self.house, host, port)

    def ledger_export(self) -> str:
        """Return the ledgers as the verifier reads them."""
        with self.house.store.reading() as tx:
            return json.dumps(ledger.export(tx), indent=2, sort_keys=True) + "\n"

    def audit_export(self, folder: Path) -> int:
        """Write the static tree of the log."""
        home = self.house.home
        with LogReader(home.log) as log:
            return export(log, folder)

    def policy_lint(self, file: Path) -> tuple[str, ...]:
        """Return remarks on a policy. Raises DocumentRefused with every error."""
        return tuple(str(finding) for finding in load_policy(file).warnings) if lint(file) else ()

    def _detailed(self, refused: VersionRefused, dataset: str) -> Refused:
        """Return the refusal with where its detail stands: it may quote data, so it is the controller's to read."""
        file = self.house.home.root / f"refused-{dataset}.txt"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as detail:
            detail.write(refused.detail + "\n")
        return Refused((*refused.refusals, Refusal(reasons.DETAIL, {"file": str(file)})))

    def _onboarded(self, source: Path, compiled: CompiledPolicy, progress: Progress) -> Version:
        said, home = self.house.settings.onboarding, self.house.home
        return onboard(
            source,
            compiled.catalogue,
            home.versions,
            commitment_key=self.house.key(COMMITMENT_KEY),
            randomness=secrets.token_bytes,
            clock=self.house.clock,
            limits=Limits(said.memory * MEBI, said.threads, home.spill),
            progress=progress,
        )


def _end(last: date | None) -> datetime | None:
    """A last day lasts to its end, UTC."""
    return None if last is None else datetime.combine(last, time(23, 59, 59), UTC)


def _credential(held: Credential) -> str:
    return f"{held.kind} until {held.expires:%Y-%m-%d}"


def _done(_result: object) -> None:
    """Drop what a change returns: the command says what it did."""
