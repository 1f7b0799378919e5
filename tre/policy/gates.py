"""The gates safe people, safe projects and safe settings, and the one question `may`. Default deny, all reasons.

The core rules decide (`policies/core.cedar`); what stands here puts their facts together and says their reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tre.base.reasons import Refusal
from tre.base.reasons import gates as reasons
from tre.policy.actions import Action, Answer, DataSet, House, Resource
from tre.policy.compile import CompiledPolicy
from tre.policy.context import Context, Project, Role, Status, Verdict
from tre.policy.core import Core, Entity, Ruling, shipped_core
from tre.policy.facts import Facts, refusals

_MILLISECOND = timedelta(milliseconds=1)


def asking(context: Context, policy: CompiledPolicy, core: Core | None = None) -> tuple[Verdict, Verdict, Verdict]:
    """The three gates of a question, from one ruling.

    People: whether this person holds what the policy asks of their role. Project: whether it is one of theirs, in
    force, granted the data set, for a purpose that the policy admits. Settings: whether they signed in by a way that
    the policy admits.
    """
    refusals = _asking(context, policy, core)
    return (
        Verdict("people", _of("people", refusals)),
        Verdict("project", _of("project", refusals)),
        Verdict("settings", _of("settings", refusals)),
    )


def version(made_under: str, policy: CompiledPolicy) -> Verdict:
    """Whether a data-set version enforced what this policy declares; `made_under` is its catalogue's digest."""
    fits = made_under == policy.catalogue.digest
    return Verdict("data", () if fits else (Refusal(reasons.OTHER_POLICY),))


def may(
    action: Action, context: Context, resource: Resource, policy: CompiledPolicy | None = None, core: Core | None = None
) -> Verdict:
    """Whether `context`'s person may do `action` to `resource`; `policy` is that of the data set, where one is asked.

    Actions on data (check, query, reading an answer) without a policy are refused: nothing says what they need.
    """
    facts = Facts(action, context, resource, policy)
    ruling = _ruling(facts, core or shipped_core())
    return Verdict(str(action), tuple(refusals(ruling, facts)))


def _asking(context: Context, policy: CompiledPolicy, core: Core | None) -> tuple[Refusal, ...]:
    """All refusals of a query in the project. One that is not theirs and one that does not exist answer alike."""
    if context.project is not None and context.person.id in _members(context.project):
        return may(Action.QUERY, context, context.project, policy, core).refusals
    blank = _blank(context)
    own_faults = may(Action.QUERY, replace(context, project=blank), blank, policy, core).refusals
    return (*(one for one in own_faults if not one.reason.code.startswith("project.")), Refusal(reasons.NOT_A_MEMBER))


def _blank(context: Context) -> Project:
    """A project of nobody else's, so that the faults of the person and of the sign-in are still told."""
    role, nothing = {context.person.id: Role.RESEARCHER}, frozenset[str]()
    return Project("", role, nothing, nothing, context.now, context.now, Status.ACTIVE)


def _of(family: str, refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """The refusals of one gate; rules that failed close every gate."""
    return tuple(
        one for one in refusals if one.reason.code.startswith(f"{family}.") or one.reason is reasons.RULES_FAILED
    )


def _ruling(facts: Facts, core: Core) -> Ruling:
    person = facts.context.person
    principal = {
        "uid": _uid("Person", person.id),
        "attrs": {"roles": sorted(person.roles), "controls": sorted(person.controls)},
        "parents": [],
    }
    resource, *others = _entities(facts.resource)
    return core.rule(principal, str(facts.action), resource, facts.circumstances(), others)


def _entities(resource: Resource) -> Iterator[Entity]:
    """Yield the resource as Cedar knows it, then what it names."""
    if isinstance(resource, House):
        yield {"uid": _uid("House", "house"), "attrs": {}, "parents": []}
    elif isinstance(resource, DataSet):
        yield {"uid": _uid("DataSet", resource.name), "attrs": {"name": resource.name}, "parents": []}
    elif isinstance(resource, Answer):
        attributes = {"owner": _entity("Person", resource.owner), "project": _entity("Project", resource.project.id)}
        yield {"uid": _uid("Answer", resource.id), "attrs": attributes, "parents": []}
        yield from _entities(resource.project)
    else:
        yield _project_entity(resource)


def _project_entity(found: Project) -> Entity:
    leads = [person for person, role in found.members.items() if role is Role.LEAD]
    attributes = {
        "members": [_entity("Person", person) for person in sorted(_members(found))],
        "leads": [_entity("Person", person) for person in sorted(leads)],
        "status": str(found.status),
        "starts": -(-_since(found.starts) // _MILLISECOND),
        "expires": _since(found.expires) // _MILLISECOND,
        "datasets": sorted(found.datasets),
    }
    return {"uid": _uid("Project", found.id), "attrs": attributes, "parents": []}


def _members(found: Project) -> frozenset[str]:
    """Who asks inside a project: its researchers and leads, whatever else it lists."""
    return frozenset(person for person, role in found.members.items() if role in (Role.RESEARCHER, Role.LEAD))


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def _entity(kind: str, name: str) -> dict[str, dict[str, str]]:
    return {"__entity": _uid(kind, name)}


def _since(moment: datetime) -> timedelta:
    return moment - datetime(1970, 1, 1, tzinfo=UTC)
