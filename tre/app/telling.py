"""What the operator is told: JSON lines, never with values of a question or of data."""

from __future__ import annotations

import structlog

from tre.base.reasons import Refused


def as_json_lines() -> None:
    """Write what is told from now on as JSON lines."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ]
    )


def tell(refused: Refused) -> None:
    """Tell of a fault, with its cause: errors of files and locks quote no data."""
    refusal = refused.refusals[0]
    told = structlog.get_logger("tre.server")
    told.error(refusal.sentence, code=refusal.reason.code, cause=_root(refused), next=refusal.remedy)


def _root(error: BaseException) -> str | None:
    """Return what an error came from in the end: a kind, and the words of the operating system where there are any."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, Refused):
        return None
    return f"{type(error).__name__}: {error.strerror}" if isinstance(error, OSError) else type(error).__name__
