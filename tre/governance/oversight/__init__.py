"""The reviewers' side: what board, controllers, auditors and operators may read, each reading on the record."""

from tre.governance.oversight.checking import Checked, Exported, LogCheck, exported
from tre.governance.oversight.data import (
    DataRecord,
    NumberedPolicy,
    dataset,
    datasets,
    linted,
    policies,
)
from tre.governance.oversight.decisions import Decided, Decisions, decisions, requests
from tre.governance.oversight.desk import Desk
from tre.governance.oversight.erasing import agree, ask, erasure
from tre.governance.oversight.incidents import IncidentRecord, Incidents, incidents, unlock
from tre.governance.oversight.logbook import bundle, crate, entries, entry, everything, may_verify, origin, receipt
from tre.governance.oversight.projects import Overseen, Share, project, projects

__all__ = [
    "Checked",
    "DataRecord",
    "Decided",
    "Decisions",
    "Desk",
    "Exported",
    "IncidentRecord",
    "Incidents",
    "LogCheck",
    "NumberedPolicy",
    "Overseen",
    "Share",
    "agree",
    "ask",
    "bundle",
    "crate",
    "dataset",
    "datasets",
    "decisions",
    "entries",
    "entry",
    "erasure",
    "everything",
    "exported",
    "incidents",
    "linted",
    "may_verify",
    "origin",
    "policies",
    "project",
    "projects",
    "receipt",
    "requests",
    "unlock",
]
