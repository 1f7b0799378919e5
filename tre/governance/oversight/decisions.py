"""Who asked what and what was decided, as the log holds it; what was typed comes from the side-car, for some."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from audit.entries import Event
from tre.base.cost import Cost
from tre.base.reasons import Refused, web
from tre.governance.datasets import list_datasets, policy_of_the_past
from tre.governance.oversight.desk import Desk, allowed
from tre.governance.oversight.projects import find_overseen, sees_of
from tre.identity import Principal
from tre.journal import OnRecord
from tre.journal.search import Hit, Page, Wanted
from tre.policy.actions import Action, DataSet
from tre.policy.context import Context
from tre.privacy import accounting
from tre.store import Reading

_DECISIONS = (Event.QUERY_DECISION.value, Event.QUERY_INTENT.value)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision's entry, its outcome's where there is one, its price with the epsilon that people read.

    `typed` is the text of the question and its dialect, for who may see it.
    """

    entry: Hit
    outcome: Hit | None
    cost: Cost | None
    epsilon: float | None
    typed: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Decisions:
    """A page of decisions, newest first; `next` is the `before` of the page after it."""

    decisions: tuple[Decided, ...]
    next: int | None


def decisions(desk: Desk, principal: Principal, project: str, page: Page) -> Decisions:
    """Return the decisions on a project's requests. Raises Refused (web.unknown-project)."""
    with desk.store.reading() as tx:
        who = desk.who(tx, principal)
        record = find_overseen(tx, who, project)
        granted = record.for_gates(tx)
    names: Sequence[str | None] = [None]
    if not sees_of(who, granted, None):
        names = [name for name in sorted(record.datasets) if sees_of(who, granted, name)]
    wanted = [Wanted(project=project, dataset=name, event=event) for name in names for event in _DECISIONS]
    return _page(desk, principal, who, wanted, page)


def requests(desk: Desk, principal: Principal, dataset: str, page: Page) -> Decisions:
    """Return who asked what of a data set. Raises Refused (web.unknown-dataset)."""
    with desk.store.reading() as tx:
        who = desk.who(tx, principal)
        if dataset not in list_datasets(tx) or not allowed(who, Action.REQUEST_READ, DataSet(dataset)):
            raise Refused.because(web.UNKNOWN_DATASET)
    return _page(desk, principal, who, [Wanted(dataset=dataset, event=event) for event in _DECISIONS], page)


def _page(desk: Desk, principal: Principal, who: Context, wanted: Sequence[Wanted], page: Page) -> Decisions:
    desk.on_record(principal)
    hits = desk.search.find(wanted, page)
    shows = cache(lambda dataset: allowed(who, Action.REQUEST_READ, DataSet(dataset)))
    typed = {name for hit in hits.entries if (name := hit.fields.get("dataset")) and shows(name)}
    readings = {name: desk.on_record(principal, f"requests/{name}") for name in sorted(typed)}
    outcomes = desk.search.outcomes([hit.fields["request"] for hit in hits.entries])
    with desk.store.reading() as tx:
        found = tuple(
            _decided(desk, tx, hit, outcomes.get(hit.fields["request"]), readings.get(hit.fields.get("dataset", "")))
            for hit in hits.entries
        )
    return Decisions(found, hits.next)


def _decided(desk: Desk, tx: Reading, hit: Hit, outcome: Hit | None, reading: OnRecord | None) -> Decided:
    text = None if reading is None else desk.sidecar.read(tx, hit.fields["event_id"], "sql", reading)
    said = None if text is None else json.loads(text)
    ended = outcome if hit.fields["event"] == Event.QUERY_INTENT else None
    cost = _cost(hit)
    return Decided(hit, ended, cost, _epsilon(tx, hit, cost), None if said is None else (said["sql"], said["dialect"]))


def _cost(hit: Hit) -> Cost | None:
    if "cost" not in hit.fields:
        return None
    return Cost.from_json({"measure": hit.fields["measure"], **hit.fields["cost"]})


def _epsilon(tx: Reading, hit: Hit, cost: Cost | None) -> float | None:
    """Return the cost as epsilon under the policy of that day."""
    if cost is None or "policy_digest" not in hit.fields:
        return None
    policy = policy_of_the_past(tx, hit.fields["dataset"], hit.fields["policy_digest"])
    if policy is None:
        return None
    return accounting.shown(cost, policy.rules.conversion_delta)[0] if cost.amount else 0.0
