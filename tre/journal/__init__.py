"""The road from the control database to the audit log: outbox, single writer, encrypted side-car."""

from tre.journal.entries import Act, Entry
from tre.journal.journal import Journal
from tre.journal.outbox import record
from tre.journal.recovery import LoggedEntry, LoggedLedger, Shown, Unanswered

__all__ = ["Act", "Entry", "Journal", "LoggedEntry", "LoggedLedger", "Shown", "Unanswered", "record"]
