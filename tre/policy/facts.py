"""The facts of one request beside its resource, and what is said of each rule that forbids it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tre.base.clock import stamp
from tre.base.reasons import Reason, Refusal
from tre.base.reasons import gates as reasons
from tre.policy.actions import Action, Answer, Resource
from tre.policy.compile import CompiledPolicy
from tre.policy.context import Context, Project, Requirement
from tre.policy.core import Ruling
from tre.policy.purposes import Match, match

_NOTHING = Requirement(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Facts:
    """Who does what to what, under which policy if any."""

    action: Action
    context: Context
    resource: Resource
    policy: CompiledPolicy | None

    @property
    def project(self) -> Project | None:
        """The project that the request is about, else the one that the person acts in."""
        if isinstance(self.resource, Answer):
            return self.resource.project
        return self.resource if isinstance(self.resource, Project) else self.context.project

    @property
    def asked(self) -> Requirement:
        """What the policy asks of the person's role in the project; without a policy no way of signing in will do."""
        role = self.project.members.get(self.context.person.id) if self.project else None
        return self.policy.people.get(role, _NOTHING) if self.policy and role else _NOTHING

    @property
    def held(self) -> frozenset[str]:
        """The kinds of credentials that count now."""
        person, now = self.context.person, self.context.now
        return frozenset(one.kind for one in person.credentials if one.valid(now))

    @property
    def purpose(self) -> Match:
        """Whether the policy admits the project's purposes; what codes leave open, a recorded look may settle."""
        if self.policy is None or self.project is None:
            return Match.NO_MATCH
        found = match(self.policy.purposes, self.project.purposes)
        settled = found is Match.LOOK and self.policy.dataset in self.project.looked
        return Match.MATCH if settled else found

    def circumstances(self) -> dict[str, Any]:
        """Return what the core rules are told beside principal and resource."""
        own = self.context.project
        member = own is not None and self.context.person.id in own.members
        return {
            "now": (self.context.now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1),
            "acr": self.context.acr,
            "ways": sorted(self.asked.acr),
            "held": sorted(self.held),
            "needed": sorted(self.asked.needs),
            "dataset": self.policy.dataset if self.policy else "",
            "granted": sorted(own.datasets) if own and member else [],
            "purpose": str(self.purpose),
        }


def refusals(ruling: Ruling, facts: Facts) -> Iterator[Refusal]:
    """Yield every reason of a ruling, in a fixed order; a denial without one is a fault, and said so."""
    if ruling.allowed:
        return
    said = [Refusal(reasons.NOT_ADMITTED, {"action": str(facts.action)})] if not ruling.permitted else []
    said += [refusal for code in sorted(ruling.forbidden & SAYINGS.keys()) for refusal in SAYINGS[code](facts)]
    unsaid = ruling.broken or ruling.forbidden - SAYINGS.keys() or not said
    yield from [Refusal(reasons.RULES_FAILED)] if unsaid else []
    yield from [] if ruling.broken else said


def _credentials(facts: Facts) -> Iterator[Refusal]:
    """A credential that is needed and does not count: expired, not yet valid, or never held."""
    now = facts.context.now
    for kind in sorted(facts.asked.needs - facts.held):
        past = [one for one in facts.context.person.credentials if one.kind == kind and one.expires <= now]
        coming = [one for one in facts.context.person.credentials if one.kind == kind and one.issued > now]
        if coming:
            when = min(one.issued for one in coming)
            yield Refusal(reasons.CREDENTIAL_NOT_YET, {"credential": kind, "when": stamp(when)})
        elif past:
            when = max(one.expires for one in past)
            yield Refusal(reasons.CREDENTIAL_EXPIRED, {"credential": kind, "when": stamp(when)})
        else:
            yield Refusal(reasons.CREDENTIAL_MISSING, {"credential": kind})


def _project(why: Reason) -> Callable[[Facts], Iterator[Refusal]]:
    """Say a reason that speaks of the project."""

    def said(facts: Facts) -> Iterator[Refusal]:
        if facts.project is None:
            return
        when = facts.project.starts if why is reasons.NOT_STARTED else facts.project.expires
        values = {
            "when": stamp(when),
            "status": str(facts.project.status),
            "dataset": facts.policy.dataset if facts.policy else "",
            "purposes": ", ".join(sorted(facts.project.purposes)) or "none",
        }
        yield Refusal(why, values)

    return said


def _own_item(facts: Facts) -> Iterator[Refusal]:
    yield Refusal(reasons.OWN_ITEM, {"action": str(facts.action)})


def _watches_only(_: Facts) -> Iterator[Refusal]:
    yield Refusal(reasons.WATCHES_ONLY)


def _acr(facts: Facts) -> Iterator[Refusal]:
    wanted = " or ".join(sorted(facts.asked.acr)) or "a way that it names for your role, and it names none"
    yield Refusal(reasons.ACR_TOO_WEAK, {"acr": facts.context.acr, "wanted": wanted})


_OF_PROJECTS = (
    reasons.NOT_STARTED,
    reasons.EXPIRED,
    reasons.SUSPENDED,
    reasons.LOCKED,
    reasons.NOT_ACTIVE,
    reasons.DATA_SET_NOT_GRANTED,
    reasons.PURPOSE_NOT_ADMITTED,
    reasons.PURPOSE_UNDECIDED,
)
SAYINGS: Mapping[str, Callable[[Facts], Iterator[Refusal]]] = {
    "people.credential-missing": _credentials,
    "people.own-item": _own_item,
    "people.watches-only": _watches_only,
    "settings.acr-too-weak": _acr,
    **{why.code: _project(why) for why in _OF_PROJECTS},
}
"""What is said for each forbid of the core rules, by its @id."""
