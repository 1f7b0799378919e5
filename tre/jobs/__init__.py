"""Requests as durable rows: their states, the one function per transition, and the leases of who works on them."""

from tre.jobs.leases import BURNER, claim, elect, renew, unclaim, unclaimed
from tre.jobs.rows import (
    Answer,
    Job,
    NewJob,
    State,
    find,
    jobs_of,
    note_second,
    pilots,
    running,
    states_of,
    submit,
)
from tre.jobs.states import TRANSITIONS, adopt, burn, burn_lapsed, cancel, commit, start, void

__all__ = [
    "BURNER",
    "TRANSITIONS",
    "Answer",
    "Job",
    "NewJob",
    "State",
    "adopt",
    "burn",
    "burn_lapsed",
    "cancel",
    "claim",
    "commit",
    "elect",
    "find",
    "jobs_of",
    "note_second",
    "pilots",
    "renew",
    "running",
    "start",
    "states_of",
    "submit",
    "unclaim",
    "unclaimed",
    "void",
]
