"""Exit codes (DESIGN): 0 done, 1 fault, 2 usage, 3 refused, 4 budget, 5 verification failed."""

from __future__ import annotations

from collections.abc import Sequence

from tre.base.reasons import every_reason

DONE, FAULT, USAGE, REFUSED, BUDGET = 0, 1, 2, 3, 4
_BY_STATUS = {400: USAGE, 405: USAGE, 413: USAGE, 415: USAGE}


def exit_code(codes: Sequence[str], status: int) -> int:
    """Return the exit code of a refusal: its first reason's, and 4 only where budget is all that is missing.

    A code that this version does not know goes by the HTTP status.
    """
    known = {reason.code: reason.kind.exit_code for reason in every_reason()}
    by_status = _BY_STATUS.get(status, FAULT if status >= 500 and status != 501 else REFUSED)
    found = [known.get(code, by_status) for code in codes] or [by_status]
    return next((code for code in found if code != BUDGET), BUDGET)
