"""Requests as durable rows: their states, and the one function per transition."""

from tre.jobs.rows import Answer, Job, NewJob, State, find, jobs_of, next_queued, note_receipt, running, submit
from tre.jobs.states import TRANSITIONS, adopt, burn, commit, renew, start, void

__all__ = [
    "TRANSITIONS",
    "Answer",
    "Job",
    "NewJob",
    "State",
    "adopt",
    "burn",
    "commit",
    "find",
    "jobs_of",
    "next_queued",
    "note_receipt",
    "renew",
    "running",
    "start",
    "submit",
    "void",
]
