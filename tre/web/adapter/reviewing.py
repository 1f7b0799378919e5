"""Records of the reviewers' flows as views."""

from __future__ import annotations

from typing import Any

from tre.base.clock import stamp
from tre.governance import VersionRecord
from tre.governance import oversight as flows
from tre.journal.search import Hit
from tre.policy.findings import Finding
from tre.web import oversight_views as views
from tre.web.adapter.amounts import amount
from tre.web.adapter.answers import gate_name
from tre.web.adapter.general import code_view
from tre.web.problems import reason_view


def project_view(one: flows.Overseen) -> views.OverseenProject:
    """Return a project as a reviewer sees it."""
    project = one.project
    return views.OverseenProject(
        id=project.id,
        state=project.status.value,
        datasets=one.datasets,
        purposes=tuple(sorted(project.purposes)),
        members=tuple(
            views.MemberView(person=person, role=role.value) for person, role in sorted(project.members.items())
        ),
        starts=stamp(project.starts),
        expires=stamp(project.expires),
        budget=tuple(map(_share, one.shares)),
        incidents=one.incidents,
        open_incidents=one.open_incidents,
    )


def decided_view(one: flows.Decided) -> views.DecidedView:
    """Return a decision with what became of it."""
    fields, outcome = one.entry.fields, one.outcome
    allowed = fields.get("decision", "allowed") == "allowed"
    sql, dialect = one.typed or (None, None)
    return views.DecidedView(
        index=one.entry.index,
        time=fields["time"],
        person=fields["actor"],
        project=fields["project"],
        request=fields["request"],
        allowed=allowed,
        state=_state(allowed, outcome),
        gates=tuple(map(_gate, fields["gates"])),
        dataset=fields.get("dataset"),
        version=fields.get("version"),
        policy=fields.get("policy_digest"),
        tables=tuple(fields.get("tables", ())),
        columns=tuple(fields.get("columns", ())),
        price=_price(one),
        outcome_index=None if outcome is None else outcome.index,
        failure=_failure(outcome),
        sql=sql,
        dialect=dialect,
    )


def incident_view(one: flows.IncidentRecord) -> views.IncidentView:
    """Return an incident."""
    return views.IncidentView(
        index=one.index,
        project=one.project,
        reason=code_view(one.reason),
        at=stamp(one.at),
        query=one.query,
        settled=stamp(one.settled) if one.settled else None,
    )


def data_view(one: flows.DataRecord) -> views.OverseenDataset:
    """Return a data set as its controller sees it."""
    return views.OverseenDataset(
        name=one.name,
        versions=tuple(map(_version, one.versions)),
        policy=None if one.policy is None else one.policy.digest,
        projects=one.projects,
        controllers=one.controllers,
        budget=None if one.share is None else _share(one.share),
    )


def policy_view(one: flows.NumberedPolicy) -> views.PolicyView:
    """Return a policy of a history."""
    found = one.policy
    return views.PolicyView(
        number=one.number,
        digest=found.digest,
        status=found.status,
        by=found.by,
        at=stamp(found.at),
        ended=stamp(found.ended) if found.ended else None,
    )


def finding_view(one: Finding) -> views.FindingView:
    """Return a finding with its place."""
    said = reason_view(one.refusal)
    return views.FindingView(
        level="warning" if one.warning else "error",
        code=said.code,
        sentence=said.sentence,
        remedy=said.remedy,
        place=said.place,
    )


def _share(one: flows.Share) -> views.ShareView:
    return views.ShareView(dataset=one.dataset, spent=one.spent, reserved=one.reserved)


def _version(one: VersionRecord) -> views.VersionView:
    return views.VersionView(
        name=one.name,
        number=one.number,
        added=stamp(one.added),
        commitment=one.commitment,
        catalogue=one.catalogue_digest,
    )


def _state(allowed: bool, outcome: Hit | None) -> Any:
    if not allowed:
        return "denied"
    return "open" if outcome is None else outcome.fields["state"]


def _gate(gate: Any) -> views.GateVerdictView:
    reasons = tuple(map(code_view, gate["reasons"]))
    return views.GateVerdictView(gate=gate_name(gate["gate"]), allowed=gate["verdict"] == "allow", reasons=reasons)


def _failure(outcome: Hit | None) -> views.CodeView | None:
    reasons = () if outcome is None else outcome.fields.get("reasons", ())
    return code_view(reasons[0]) if reasons else None


def _price(one: flows.Decided) -> Any:
    if one.cost is None or one.epsilon is None:
        return None
    return amount({**one.cost.as_json(), "epsilon": one.epsilon})
