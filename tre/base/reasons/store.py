"""Reasons of the control database: without it nothing is decided, charged or answered."""

from tre.base.reasons.form import Kind, reason

UNAVAILABLE = reason(
    "store.unavailable",
    Kind.UNAVAILABLE,
    "The control database cannot be used, so nothing is decided and nothing is answered.",
    "Tell the operator: it is locked by another process, read-only, damaged or gone; nothing was charged.",
)
MISSING = reason(
    "store.missing",
    Kind.UNAVAILABLE,
    "There is no control database where one is expected.",
    "Make the home with `tre init HOME`, or restore the database from a back-up: the log raises its ledgers again.",
    "A lost database is never replaced by an empty one: an empty one would grant every budget again.",
)
TAKEN = reason(
    "store.taken",
    Kind.CONFLICT,
    "The database holds a control database already.",
    "Make an empty one for the new home: two homes on one database would each write a log that lacks half.",
)
NEWER = reason(
    "store.newer",
    Kind.UNAVAILABLE,
    "The control database was written by a newer release than this one.",
    "Run the release that wrote it, or restore a back-up made before the upgrade.",
)
