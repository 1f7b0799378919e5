"""The operations of the REST surface (DESIGN "The surface others rely on"), each one record."""

from __future__ import annotations

from tre.web.bodies import NAME, QuestionBody, RefinementBody
from tre.web.contract import BYTES, HTML, TEXT, Access, Operation, Shape
from tre.web.handlers import Handlers
from tre.web.service import Service
from tre.web.views import (
    BudgetView,
    DatasetsView,
    DatasetView,
    DecisionView,
    HealthView,
    ProjectsView,
    ProjectView,
    QueryView,
    ResultView,
)

QUERY_ID = r"[A-Za-z0-9_-]{1,64}"
TILE = r"(\d{1,2}|entries)/(x\d{3}/){0,6}\d{3}(\.p/[1-9]\d{0,2})?"
CODE = r"[a-z]+\.[a-z0-9-]+"
_PREFER = r"[\x20-\x7e]{1,200}"
_KEY = r"[\x21-\x7e]{1,128}"
_NAME = NAME.strip("^$")


def operations(service: Service, longest: int) -> tuple[Operation, ...]:
    """Return every operation of the surface but the description of them."""
    do = Handlers(service, longest)
    query_path, project_path = "/api/v1/queries/{id}", "/api/v1/projects/{id}"
    query_id, project_id = {"id": QUERY_ID}, {"id": _NAME}
    waiting = ("Location", "Retry-After", "Preference-Applied")
    return (
        Operation(
            name="check",
            method="POST",
            path="/api/v1/checks",
            summary="Decide a question with all reasons, price and expected error, at no cost",
            handle=do.check,
            body=QuestionBody,
            replies={200: Shape("The decision", DecisionView)},
        ),
        Operation(
            name="submitQuery",
            method="POST",
            path="/api/v1/queries",
            summary="Ask a question; `Prefer: wait=S` waits up to S seconds for the answer",
            handle=do.submit,
            body=QuestionBody,
            headers={"Prefer": _PREFER, "Idempotency-Key": _KEY},
            replies={
                200: Shape("The query with its answer", QueryView, headers=("Location", "Preference-Applied")),
                202: Shape("The query, still to be answered", QueryView, headers=waiting),
            },
        ),
        Operation(
            name="getQuery",
            method="GET",
            path=query_path,
            summary="A query as it stands",
            handle=do.query,
            parameters=query_id,
            replies={200: Shape("The query", QueryView)},
        ),
        Operation(
            name="getResult",
            method="GET",
            path=query_path + "/result",
            summary="The released answer",
            handle=do.result,
            parameters=query_id,
            replies={200: Shape("The answer with intervals", ResultView)},
            refusals=frozenset({409}),
        ),
        Operation(
            name="getReceipt",
            method="GET",
            path=query_path + "/receipt",
            summary="The receipt: proof that the answer's entry is in the log (C2SP tlog-proof)",
            handle=do.receipt,
            parameters=query_id,
            replies={200: Shape("The receipt", media=TEXT)},
            refusals=frozenset({409}),
        ),
        Operation(
            name="refineQuery",
            method="POST",
            path=query_path + "/refinements",
            summary="A second draw for a sharper answer; not offered yet",
            handle=do.refine,
            parameters=query_id,
            body=RefinementBody,
            replies={},
        ),
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
            parameters={"name": _NAME},
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
            path=project_path,
            summary="One of one's projects",
            handle=do.project,
            parameters=project_id,
            replies={200: Shape("The project", ProjectView)},
        ),
        Operation(
            name="getBudget",
            method="GET",
            path=project_path + "/budget",
            summary="What a project may spend, has spent and has left",
            handle=do.budget,
            parameters=project_id,
            replies={200: Shape("The accounts", BudgetView)},
        ),
        Operation(
            name="getCheckpoint",
            method="GET",
            path="/api/v1/log/checkpoint",
            summary="The log's latest signed checkpoint (C2SP tlog-checkpoint)",
            handle=do.checkpoint,
            access=Access.PUBLIC,
            replies={200: Shape("The checkpoint", media=TEXT)},
        ),
        Operation(
            name="getTile",
            method="GET",
            path="/api/v1/log/tile/{path}",
            summary="A tile of the log (C2SP tlog-tiles)",
            handle=do.tile,
            access=Access.OPTIONAL,
            parameters={"path": TILE},
            replies={200: Shape("The tile", media=BYTES)},
        ),
        Operation(
            name="health",
            method="GET",
            path="/healthz",
            summary="Whether questions can be answered",
            handle=do.health,
            access=Access.PUBLIC,
            replies={200: Shape("They can", HealthView)},
        ),
        Operation(
            name="getProblem",
            method="GET",
            path="/problems/{code}",
            summary="What a problem type means and how to go on",
            handle=do.problem,
            access=Access.PUBLIC,
            parameters={"code": CODE},
            replies={200: Shape("The page", media=HTML)},
        ),
    )
