"""The log's public files."""

from __future__ import annotations

from tre.web.contract import BYTES, TEXT, Access, Call, Operation, Reply, Shape
from tre.web.service import Service

TILE = r"(\d{1,2}|entries)/(x\d{3}/){0,6}\d{3}(\.p/[1-9]\d{0,2})?"


def log(service: Service) -> tuple[Operation, ...]:
    """Return the operations over the log's files."""

    def checkpoint(_: Call) -> Reply:
        return Reply(service.checkpoint())

    def cosigned(_: Call) -> Reply:
        return Reply(service.cosigned())

    def tile(call: Call) -> Reply:
        return Reply(service.tile(call.principal, call.path["path"]))

    return (
        Operation(
            name="getCheckpoint",
            method="GET",
            path="/api/v1/log/checkpoint",
            summary="The log's newest signed checkpoint (C2SP tlog-checkpoint), with the cosignatures that it has",
            handle=checkpoint,
            access=Access.PUBLIC,
            replies={200: Shape("The checkpoint", media=TEXT)},
        ),
        Operation(
            name="getCosignedCheckpoint",
            method="GET",
            path="/api/v1/log/cosigned",
            summary="The newest checkpoint that witnesses cosigned (C2SP tlog-cosignature)",
            handle=cosigned,
            refusals=frozenset({404}),
            access=Access.PUBLIC,
            replies={200: Shape("The checkpoint", media=TEXT)},
        ),
        Operation(
            name="getTile",
            method="GET",
            path="/api/v1/log/tile/{path}",
            summary="A tile of the log (C2SP tlog-tiles)",
            handle=tile,
            access=Access.OPTIONAL,
            parameters={"path": TILE},
            replies={200: Shape("The tile", media=BYTES)},
        ),
    )
