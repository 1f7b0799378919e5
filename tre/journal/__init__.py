"""The road from the control database to the audit log: outbox, single writer, encrypted side-car."""

from tre.journal.entries import Act, Entry, Question
from tre.journal.journal import Journal
from tre.journal.outbox import record
from tre.journal.readings import OWN, OnRecord, Readings, on_record
from tre.journal.recovery import LoggedEntry, LoggedLedger, Shown, Unanswered
from tre.journal.rewrap import rotate_master, settle_master
from tre.journal.sidecar import Sidecar, create_master, destroy, destroy_again
from tre.journal.trail import Trail

__all__ = [
    "OWN",
    "Act",
    "Entry",
    "Journal",
    "LoggedEntry",
    "LoggedLedger",
    "OnRecord",
    "Question",
    "Readings",
    "Shown",
    "Sidecar",
    "Trail",
    "Unanswered",
    "create_master",
    "destroy",
    "destroy_again",
    "on_record",
    "record",
    "rotate_master",
    "settle_master",
]
