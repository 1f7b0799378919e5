"""The house itself."""

from __future__ import annotations

from tre.web.contract import Access, Call, Operation, Reply, Shape
from tre.web.service import Service
from tre.web.views import HealthView


def house(service: Service) -> tuple[Operation, ...]:
    """Return the operations that tell of the house."""

    def health(_: Call) -> Reply:
        service.health()
        return Reply(HealthView())

    return (
        Operation(
            name="health",
            method="GET",
            path="/healthz",
            summary="Whether questions can be answered",
            handle=health,
            access=Access.PUBLIC,
            replies={200: Shape("They can", HealthView)},
        ),
    )
