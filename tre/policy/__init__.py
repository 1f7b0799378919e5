"""Policies: documents → compiled catalogue and rules → verdicts of the gates. Pure; it reads no data and no clock."""

from tre.policy.compile import CompiledPolicy, compile_policy, with_version
from tre.policy.document import PolicyDocument, lint, load_policy
from tre.policy.findings import DocumentRefused, Finding

__all__ = [
    "CompiledPolicy",
    "DocumentRefused",
    "Finding",
    "PolicyDocument",
    "compile_policy",
    "lint",
    "load_policy",
    "with_version",
]
