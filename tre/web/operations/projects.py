"""Projects, their budgets and the data sets that they may use."""

from __future__ import annotations

from tre.web.contract import Call, Operation, Reply, Shape
from tre.web.operations.common import NAMED, PROJECT, check_scope
from tre.web.service import Service
from tre.web.views import BudgetView, DatasetsView, DatasetView, ProjectsView, ProjectView


class _Projects:
    def __init__(self, service: Service) -> None:
        self.service = service

    def datasets(self, call: Call) -> Reply:
        return Reply(DatasetsView(datasets=self.service.datasets(call.person)))

    def dataset(self, call: Call) -> Reply:
        return Reply(self.service.dataset(call.person, call.path["name"]))

    def projects(self, call: Call) -> Reply:
        return Reply(ProjectsView(projects=self.service.projects(call.person)))

    def project(self, call: Call) -> Reply:
        check_scope(call.person, call.path["id"])
        return Reply(self.service.project(call.person, call.path["id"]))

    def budget(self, call: Call) -> Reply:
        check_scope(call.person, call.path["id"])
        return Reply(self.service.budget(call.person, call.path["id"]))


def projects(service: Service) -> tuple[Operation, ...]:
    """Return the operations over projects and data sets."""
    do = _Projects(service)
    return (
        Operation(
            name="listDatasets",
            method="GET",
            path="/api/v1/datasets",
            summary="The data sets of one's projects",
            handle=do.datasets,
            replies={200: Shape("The data sets", DatasetsView)},
        ),
        Operation(
            name="getDataset",
            method="GET",
            path="/api/v1/datasets/{name}",
            summary="The data dictionary: what a query may name",
            handle=do.dataset,
            parameters={"name": NAMED},
            replies={200: Shape("The data dictionary", DatasetView)},
        ),
        Operation(
            name="listProjects",
            method="GET",
            path="/api/v1/projects",
            summary="One's projects",
            handle=do.projects,
            replies={200: Shape("The projects", ProjectsView)},
        ),
        Operation(
            name="getProject",
            method="GET",
            path=PROJECT,
            summary="One of one's projects",
            handle=do.project,
            parameters={"id": NAMED},
            replies={200: Shape("The project", ProjectView)},
        ),
        Operation(
            name="getBudget",
            method="GET",
            path=PROJECT + "/budget",
            summary="What a project may spend, has spent and has left",
            handle=do.budget,
            parameters={"id": NAMED},
            replies={200: Shape("The accounts", BudgetView)},
        ),
    )
