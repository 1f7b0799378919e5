"""The house itself."""

from __future__ import annotations

from tre.web.contract import TEXT, Access, Call, Operation, Reply, Shape
from tre.web.service import Service
from tre.web.views import HealthView


def house(service: Service) -> tuple[Operation, ...]:
    """Return the operations that tell of the house."""

    def ready(_: Call) -> Reply:
        service.health()
        return Reply(HealthView())

    return (
        Operation(
            name="health",
            method="GET",
            path="/healthz",
            summary="Whether the server answers at all",
            handle=lambda _: Reply(HealthView()),
            access=Access.PUBLIC,
            replies={200: Shape("It does", HealthView)},
        ),
        Operation(
            name="ready",
            method="GET",
            path="/readyz",
            summary="Whether questions can be answered: the control database and the log are there",
            handle=ready,
            access=Access.PUBLIC,
            replies={200: Shape("They can", HealthView)},
        ),
        Operation(
            name="metrics",
            method="GET",
            path="/metrics",
            summary="Counts and states in Prometheus' text, for operators and auditors",
            handle=lambda call: Reply(service.metrics(call.person)),
            replies={200: Shape("The metrics", media=TEXT)},
            refusals=frozenset({404}),
        ),
    )
