"""People, their projects and tokens: `tre person`, `tre project`, `tre token`."""

from __future__ import annotations

from fractions import Fraction

from tre import governance
from tre.app.admin.at_home import OPERATOR, AtHome, done, end_of
from tre.cli.admin import NewPerson, NewProject, Table
from tre.identity import verify
from tre.policy.context import Credential, Role


class PeopleCommands(AtHome):
    """Who may ask."""

    def person_add(self, person: NewPerson) -> None:
        """Add a person with attested credentials."""
        roles = {Role(role) for role in person.roles}
        attested = {kind: end_of(last) if last else None for kind, last in person.credentials} or None
        self.house.act(
            OPERATOR,
            lambda tx, trail: done(
                governance.add_person(tx, trail, person.id, person.name, roles, attested, person.controls)
            ),
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
            end_of(project.expires) if project.expires else None,
        )
        self.house.act(OPERATOR, lambda tx, trail: done(governance.add_project(tx, trail, new)))

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


def _credential(held: Credential) -> str:
    return f"{held.kind} until {held.expires:%Y-%m-%d}"
