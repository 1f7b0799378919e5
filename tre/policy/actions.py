"""Every action that somebody may ask for, and what it is done to (GOVERNANCE §1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tre.policy.context import Project


class Action(StrEnum):
    """Actions by what they are done to; `policies/core.cedar` says who may do them."""

    ANSWER_CANCEL = "answer:cancel"
    ANSWER_READ = "answer:read"
    AUDIT_READ = "audit:read"
    BUDGET_READ = "budget:read"
    CHECK = "check:run"
    CREDENTIAL_ATTEST = "credential:attest"
    CREDENTIAL_REVOKE = "credential:revoke"
    DATASET_ADD = "dataset:add"
    DATASET_LIST = "dataset:list"
    DATASET_READ = "dataset:read"
    DECISION_READ = "decision:read"
    HEALTH_READ = "health:read"
    INCIDENT_READ = "incident:read"
    LOG_READ = "log:read"
    LOG_VERIFY = "log:verify"
    OUTPUT_REQUEST = "output:request"
    OUTPUT_REVIEW = "output:review"
    PERSON_END = "person:end"
    POLICY_LINT = "policy:lint"
    POLICY_PROPOSE = "policy:propose"
    POLICY_READ = "policy:read"
    PROJECT_LIST = "project:list"
    PROJECT_READ = "project:read"
    PROJECT_UNLOCK = "project:unlock"
    QUERY = "query:run"
    RECEIPT_READ = "receipt:read"
    REGISTER_READ = "register:read"
    REQUEST_READ = "request:read"
    TEXT_ERASE = "text:erase"
    VOTE = "vote:cast"


@dataclass(frozen=True, slots=True)
class House:
    """The environment itself: its log, its health, its register."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: whose request it answers, and in which project."""

    id: str
    owner: str
    project: Project


Resource = House | DataSet | Project | Answer
