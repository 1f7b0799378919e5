"""Decisions and answers as views: out of the plain facts that are stored with a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tre.base.reasons import Refusal, every_reason
from tre.web import views
from tre.web.adapter.amounts import bounds, price
from tre.web.problems import reason_view

_GATES = {"project": "projects"}


def decision(facts: Mapping[str, Any], refusals: Iterable[tuple[str, Refusal]]) -> views.DecisionView:
    """Return a decision from its facts and its refusals as (gate, refusal)."""
    return views.DecisionView(
        allowed=facts["allowed"] and not refusals,
        dataset=facts["dataset"],
        version=facts["version"],
        policy=facts["policy"],
        reasons=tuple(reason_view(refusal, gate_name(gate)) for gate, refusal in refusals),
        gates=tuple(views.GateView(gate=gate_name(one["gate"]), allowed=one["allowed"]) for one in facts["gates"]),
        price=price(facts["price"], facts["share"]),
        most=None if facts["most"] is None else price(facts["most"], facts["most_share"]),
        error=tuple(
            views.ErrorView(output=name, half_width=width, note=facts["error_notes"].get(name, ""))
            for name, width in facts["errors"].items()
        ),
        bounds=bounds(facts["bounds"], facts["sourced"], {}),
        notes=tuple(facts["notes"]),
        release_seconds=facts["release_seconds"],
    )


def gate_name(name: str) -> Any:
    """Return what the surface calls a gate."""
    return _GATES.get(name, name)


def failure(code: str | None) -> views.ReasonView:
    """Return why a query ended without an answer."""
    reason = next(one for one in every_reason() if one.code == code)
    return reason_view(Refusal(reason))


def result(
    query: str, facts: Mapping[str, Any], found: Mapping[str, Any], sharper: Mapping[str, Any] | None
) -> views.ResultView:
    """Return a released answer, with what a sharper one would cost."""
    columns = tuple(_column(column, position, found["columns"]) for position, column in enumerate(found["columns"]))
    rows = tuple(
        tuple(views.SuppressedView() if isinstance(cell, Mapping) else cell for cell in row) for row in found["rows"]
    )
    clipped = found["clipped"]
    return views.ResultView(
        query=query,
        columns=columns,
        rows=rows,
        cost=price(found["cost"], facts["share"]),
        bounds=bounds(found["bounds"], found["sourced"], found["clips"]),
        clipped=None if clipped is None else views.ClippedView(**clipped),
        sharper=None if sharper is None else _sharper(sharper),
        notes=tuple(facts["notes"]),
        salt=found["salt"],
    )


def _sharper(found: Mapping[str, Any]) -> views.SharperView:
    half = price(found["half"], found["share"])
    error = tuple(views.ErrorView(output=name, half_width=width) for name, width in found["errors"].items())
    return views.SharperView(half=half, affordable=found["affordable"], least=found["least"], error=error)


def _column(column: Mapping[str, Any], position: int, columns: Any) -> views.ColumnView:
    kind = column["type"].partition("(")[0]
    of = column.get("bound_of")
    bound: Any = None
    if of is not None:
        bound = "low" if columns[position - 1]["name"] == of else "high"
    return views.ColumnView(name=column["name"], type=kind, noisy=column["noisy"], bound=bound, of=of)
