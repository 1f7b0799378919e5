"""Who asks, inside which project, by what credentials: the facts that every gate decides on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from tre.base.cost import Cost
from tre.base.reasons import Refusal


class Role(StrEnum):
    """What a person is to the environment (GOVERNANCE §1). Researcher and lead are held in a project."""

    AUDITOR = "auditor"
    BOARD = "board"
    CHECKER = "checker"
    CONTROLLER = "controller"
    LEAD = "lead"
    OPERATOR = "operator"
    RESEARCHER = "researcher"


class Status(StrEnum):
    """Where a project stands (GOVERNANCE §2); a locked one waits for governance after an incident (PRIVACY §3.9)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REVIEW = "review"
    APPROVED = "approved"
    SENT_BACK = "sent back"
    REJECTED = "rejected"
    ACTIVE = "active"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    LOCKED = "locked"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody attested about a person; times are aware, and it counts from `issued` until before `expires`."""

    kind: str
    issuer: str
    issued: datetime
    expires: datetime
    evidence: str = ""

    def valid(self, now: datetime) -> bool:
        """Whether it counts at `now`."""
        return self.issued <= now < self.expires


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a policy asks of a role: all of the credentials, one of the ways of signing in."""

    needs: frozenset[str]
    acr: frozenset[str]


@dataclass(frozen=True, slots=True)
class Person:
    """A person. `controls` names the data sets that a controller answers for."""

    id: str
    roles: frozenset[Role] = frozenset()
    credentials: tuple[Credential, ...] = ()
    controls: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Project:
    """A project as it was granted. Times are aware; access counts from `starts` until before `expires`.

    `limit` is its own (epsilon, delta) as stored per data set by name; the lesser of it and the policy's holds.
    `looked` names the data sets for which a person has looked at a purpose that the codes alone leave open.
    """

    id: str
    members: Mapping[str, Role]
    purposes: frozenset[str]
    datasets: frozenset[str]
    starts: datetime
    expires: datetime
    status: Status
    limits: Mapping[str, Cost] = field(default_factory=lambda: MappingProxyType({}))
    looked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Context:
    """One request's circumstances: the person, how they signed in, the project they act in, and when."""

    person: Person
    acr: str
    now: datetime
    project: Project | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate says, with every reason that it knows; allowed only where there is none."""

    gate: str
    refusals: tuple[Refusal, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the gate lets the request pass."""
        return not self.refusals
