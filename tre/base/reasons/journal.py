"""Reasons of the road between the control database and the audit log."""

from tre.base.reasons.form import Kind, reason

NOT_INDEXED = reason(
    "journal.not-indexed",
    Kind.UNAVAILABLE,
    "What was asked is recorded, but its log entry has no place in the audit log yet.",
    "See that `tre serve` runs (and `tre audit serve`, where that writes the log), then look again: the entry is "
    "written as soon as the log can be; do not repeat it.",
)
STATE_AHEAD = reason(
    "journal.state-ahead",
    Kind.UNAVAILABLE,
    "The control database knows of log entries that the audit log does not hold.",
    "Restore the log from its newest copy; the control database is newer than it.",
)
STATE_BEHIND = reason(
    "journal.state-behind",
    Kind.UNAVAILABLE,
    "The audit log holds entries that the control database never sent.",
    "Start the servers again: the control database was replaced by an older copy while they ran.",
    "At its start a server takes over from the log what a restored database lacks, so that no budget is granted twice.",
)
RESULT_LOST = reason(
    "journal.result-lost",
    Kind.FAULT,
    "The answer was given before the control database was restored from a back-up, and is no longer kept here.",
    "Ask again; what was spent stays spent, as the audit log shows.",
)
KEY_MISSING = reason(
    "journal.key-missing",
    Kind.UNAVAILABLE,
    "The key that protects queries and names is missing or damaged.",
    "Restore `keys/` of the home from its back-up.",
)
KEY_EXPOSED = reason(
    "journal.key-exposed",
    Kind.UNAVAILABLE,
    "The key that protects queries and names can be read by other users of this machine.",
    "Give `keys/` the mode 0700 and its files 0600, and consider the key known to those users.",
)
KEY_IN_USE = reason(
    "journal.key-in-use",
    Kind.UNAVAILABLE,
    "The key that protects queries and names is in use by another process, or is being replaced.",
    "To replace it stop the server first; otherwise try again in a moment.",
)
SEARCH_BEHIND = reason(
    "journal.search-behind",
    Kind.UNAVAILABLE,
    "The search is still reading the log; it would miss entries.",
    "Look again in a minute. Receipts, the checkpoint and the verifier do not wait for it.",
    "The index of the reviewers' search is made from the log, anew where it is missing or damaged; "
    "`tre audit reindex` makes it at once.",
)
