"""Refusals and failures as RFC 9457 problems; the texts come from the catalogue of reasons alone."""

from __future__ import annotations

from functools import cache

from tre.base.reasons import Reason, Refusal, every_reason
from tre.web.views import Gate, PlaceView, ProblemView, ReasonView


@cache
def reasons_by_code() -> dict[str, Reason]:
    """Return the whole catalogue of reasons by code."""
    return {reason.code: reason for reason in every_reason()}


def title(reason: Reason) -> str:
    """Return the short name of a problem type, the same for all its occurrences."""
    words = reason.code.split(".", 1)[-1].replace("-", " ")
    return words[:1].upper() + words[1:]


def reason_view(refusal: Refusal, gate: Gate | None = None) -> ReasonView:
    """Return what the surface shows of one refusal, with the gate that said it."""
    place = refusal.place
    shown = PlaceView(line=place.line, column=place.column, caret=place.caret()) if place else None
    return ReasonView(
        code=refusal.reason.code, sentence=refusal.sentence, remedy=refusal.remedy, gate=gate, place=shown
    )


def problem(reasons: tuple[ReasonView, ...], request_id: str, query: str | None = None) -> ProblemView:
    """Return the problem whose type and status are those of the first of `reasons`."""
    first = reasons[0]
    kind = reasons_by_code()[first.code]
    return ProblemView(
        type=f"/problems/{first.code}",
        title=title(kind),
        status=kind.kind.status,
        detail=first.sentence,
        code=first.code,
        remedy=first.remedy,
        request_id=request_id,
        reasons=reasons,
        query=query,
    )
