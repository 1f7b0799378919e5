"""Reasons for what went wrong inside; the texts are fixed, whatever the cause."""

from tre.base.reasons.form import Kind, reason

INTERNAL = reason(
    "fault.internal",
    Kind.FAULT,
    "Something failed inside the service.",
    "Try again; if it happens twice, give the request id to the operator.",
)
LOG_UNAVAILABLE = reason(
    "fault.log-unavailable",
    Kind.UNAVAILABLE,
    "The audit log cannot be written, so nothing is answered.",
    "Tell the operator; nothing was read and nothing was charged.",
)
ENGINE = reason(
    "fault.engine",
    Kind.FAULT,
    "The query could not be finished within its limits; its price stays spent and governance is told.",
    "Ask a smaller question; a second time locks the project until governance has looked.",
    "A time-out or an engine failure lies outside the privacy proof, so the text is the same for every cause.",
)
