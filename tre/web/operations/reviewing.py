"""What board members, data controllers, auditors and operators look at (GOVERNANCE §1)."""

from __future__ import annotations

from tre.web.bodies import LintBody, UnlockBody
from tre.web.contract import Call, Operation, Reply, Shape
from tre.web.operations.common import NAMED, PROJECT
from tre.web.operations.logbook import PAGE, logbook, page
from tre.web.oversight import Oversight
from tre.web.oversight_views import (
    DecisionsView,
    IncidentsView,
    LintView,
    OverseenDataset,
    OverseenDatasets,
    OverseenProject,
    OverseenProjects,
    PoliciesView,
    PolicyDiffView,
    PolicyTextView,
    UnlockedView,
)

_DATASET = "/api/v1/datasets/{name}"
_POLICY = _DATASET + "/policies/{number}"
_NUMBER = r"[1-9]\d{0,5}"


class _Reviewing:
    def __init__(self, oversight: Oversight) -> None:
        self.oversight = oversight

    def projects(self, call: Call) -> Reply:
        return Reply(OverseenProjects(projects=self.oversight.projects(call.person)))

    def project(self, call: Call) -> Reply:
        return Reply(self.oversight.project(call.person, call.path["id"]))

    def decisions(self, call: Call) -> Reply:
        return Reply(self.oversight.decisions(call.person, call.path["id"], page(call)))

    def unlock(self, call: Call) -> Reply:
        self.oversight.unlock(call.person, call.path["id"], call.body.reason)
        return Reply(UnlockedView(project=call.path["id"]))

    def incidents(self, call: Call) -> Reply:
        return Reply(self.oversight.incidents(call.person, page(call)))

    def datasets(self, call: Call) -> Reply:
        return Reply(OverseenDatasets(datasets=self.oversight.datasets(call.person)))

    def dataset(self, call: Call) -> Reply:
        return Reply(self.oversight.dataset(call.person, call.path["name"]))

    def requests(self, call: Call) -> Reply:
        return Reply(self.oversight.requests(call.person, call.path["name"], page(call)))

    def policies(self, call: Call) -> Reply:
        return Reply(self.oversight.policies(call.person, call.path["name"]))

    def policy(self, call: Call) -> Reply:
        return Reply(self.oversight.policy(call.person, call.path["name"], int(call.path["number"])))

    def diff(self, call: Call) -> Reply:
        old, new = int(call.path["number"]), int(call.path["other"])
        return Reply(self.oversight.diff(call.person, call.path["name"], old, new))

    def lint(self, call: Call) -> Reply:
        return Reply(self.oversight.lint(call.person, call.body.text))


def reviewing(oversight: Oversight) -> tuple[Operation, ...]:
    """Return the operations of the reviewers' side."""
    do = _Reviewing(oversight)
    return (*_projects(do), *_datasets(do), *logbook(oversight))


def _projects(do: _Reviewing) -> tuple[Operation, ...]:
    return (
        Operation(
            name="listOverseenProjects",
            method="GET",
            path="/api/v1/oversight/projects",
            summary="The projects that one oversees: all to board members and auditors, a controller's data sets' own",
            handle=do.projects,
            replies={200: Shape("The projects", OverseenProjects)},
        ),
        Operation(
            name="getOverseenProject",
            method="GET",
            path="/api/v1/oversight/projects/{id}",
            summary="One of the projects that one oversees",
            handle=do.project,
            parameters={"id": NAMED},
            replies={200: Shape("The project", OverseenProject)},
        ),
        Operation(
            name="listDecisions",
            method="GET",
            path=PROJECT + "/decisions",
            summary="Decisions on a project's requests, newest first, to those who oversee it",
            handle=do.decisions,
            parameters={"id": NAMED},
            query=PAGE,
            replies={200: Shape("A page of decisions", DecisionsView)},
        ),
        Operation(
            name="unlockProject",
            method="POST",
            path=PROJECT + "/unlocking",
            summary="Unlock a project once its incidents were looked at; refused to its members",
            handle=do.unlock,
            parameters={"id": NAMED},
            body=UnlockBody,
            replies={200: Shape("It is active again", UnlockedView)},
        ),
        Operation(
            name="listIncidents",
            method="GET",
            path="/api/v1/incidents",
            summary="Incidents of the projects that one looks after, newest first",
            handle=do.incidents,
            query=PAGE,
            replies={200: Shape("A page of incidents", IncidentsView)},
        ),
    )


def _datasets(do: _Reviewing) -> tuple[Operation, ...]:
    name = {"name": NAMED}
    return (
        Operation(
            name="listOverseenDatasets",
            method="GET",
            path="/api/v1/oversight/datasets",
            summary="The data sets that one answers for; all to auditors",
            handle=do.datasets,
            replies={200: Shape("The data sets", OverseenDatasets)},
        ),
        Operation(
            name="getOverseenDataset",
            method="GET",
            path="/api/v1/oversight/datasets/{name}",
            summary="One of them: its versions, its policy, who may use it",
            handle=do.dataset,
            parameters=name,
            replies={200: Shape("The data set", OverseenDataset)},
        ),
        Operation(
            name="listRequests",
            method="GET",
            path=_DATASET + "/requests",
            summary="Who asked what of a data set, newest first, to its controllers and to auditors",
            handle=do.requests,
            parameters=name,
            query=PAGE,
            replies={200: Shape("A page of requests", DecisionsView)},
        ),
        Operation(
            name="listPolicies",
            method="GET",
            path=_DATASET + "/policies",
            summary="The history of a data set's policies, newest first",
            handle=do.policies,
            parameters=name,
            replies={200: Shape("The policies", PoliciesView)},
        ),
        Operation(
            name="getPolicy",
            method="GET",
            path=_POLICY,
            summary="A policy of that history, with its text",
            handle=do.policy,
            parameters={**name, "number": _NUMBER},
            replies={200: Shape("The policy", PolicyTextView)},
        ),
        Operation(
            name="comparePolicies",
            method="GET",
            path=_POLICY + "/changes/{other}",
            summary="What another policy of that history has changed, line by line",
            handle=do.diff,
            parameters={**name, "number": _NUMBER, "other": _NUMBER},
            replies={200: Shape("The comparison", PolicyDiffView)},
        ),
        Operation(
            name="lintPolicy",
            method="POST",
            path="/api/v1/policy-lint",
            summary="What is to be said about a policy document; nothing of it is kept",
            handle=do.lint,
            body=LintBody,
            replies={200: Shape("The findings", LintView)},
        ),
    )
