"""What can go wrong, as exceptions that carry the problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a refusal. `caret` shows the place in the SQL, where there is one."""

    code: str
    sentence: str
    remedy: str
    gate: str | None = None
    line: int | None = None
    column: int | None = None
    caret: str | None = None

    def __str__(self) -> str:
        place = f"\n{self.caret}" if self.caret else ""
        return f"{self.code}: {self.sentence}{place}\n→ {self.remedy}"


class TreError(Exception):
    """Anything that went wrong between this client and the environment."""

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows instead of a traceback through this package."""
        return [f"{type(self).__name__}: {self}"]


class TreUnreachable(TreError):  # noqa: N818 - named for what happened
    """The environment did not answer: network, TLS or time-out."""


class TreUnproven(TreError):  # noqa: N818 - named for what happened
    """A receipt that does not prove the answer it came with."""


class TreRefused(TreError):  # noqa: N818 - a refusal is an answer
    """The environment answered with a problem (RFC 9457).

    `code` is stable, `remedy` says how to go on, `reasons` lists everything that is known to be wrong,
    `request_id` is what an operator asks for, `query` names the query that ended so.
    """

    def __init__(
        self,
        status: int,
        reasons: tuple[Reason, ...],
        request_id: str | None = None,
        query: str | None = None,
    ) -> None:
        self.status = status
        self.reasons = reasons
        self.code = reasons[0].code
        self.remedy = reasons[0].remedy
        self.request_id = request_id
        self.query = query
        super().__init__("\n".join(str(reason) for reason in reasons))


class TreBudget(TreRefused):
    """The question is allowed, and the budget is all that is missing."""


class TreUnauthorised(TreRefused):
    """The token is missing, expired, revoked or not one of this environment's."""


class TreRateLimited(TreRefused):
    """Too many requests. Asking again helps after `retry_after` seconds, where the environment says so."""

    retry_after: float | None = None


def reason_from(found: Mapping[str, Any]) -> Reason:
    """Return the reason that the JSON says."""
    place = found.get("place") or {}
    return Reason(
        code=str(found["code"]),
        sentence=str(found["sentence"]),
        remedy=str(found["remedy"]),
        gate=found.get("gate"),
        line=place.get("line"),
        column=place.get("column"),
        caret=place.get("caret"),
    )


def refusal(
    status: int, reasons: tuple[Reason, ...], request_id: str | None = None, query: str | None = None
) -> TreRefused:
    """Return the exception of the kind that these reasons and this HTTP status are."""
    kind = {401: TreUnauthorised, 429: TreRateLimited}.get(status, TreRefused)
    if all(reason.code.startswith("budget.") for reason in reasons):
        kind = TreBudget
    return kind(status, reasons, request_id, query)


def refusal_from(status: int, problem: Mapping[str, Any], retry_after: float | None = None) -> TreRefused:
    """Return the exception for a problem document; any other document gets a reason that says so."""
    listed = tuple(reason_from(found) for found in problem.get("reasons") or ())
    if not listed:
        sentence = str(problem.get("detail") or f"The server answered {status} without a reason.")
        remedy = str(problem.get("remedy") or "Check that the address is that of a trusted research environment.")
        listed = (Reason(str(problem.get("code") or f"http.{status}"), sentence, remedy),)
    found = refusal(status, listed, problem.get("request_id"), problem.get("query"))
    if isinstance(found, TreRateLimited):
        found.retry_after = retry_after
    return found
