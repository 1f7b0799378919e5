"""People, credentials, projects, data sets and policies, as they are now; and the facts that gates decide on."""

from tre.governance.bounds import found_bounds, found_sizes, keep_bounds, keep_sizes, pay_for_bounds
from tre.governance.context import context
from tre.governance.datasets import (
    PolicyRecord,
    VersionRecord,
    activate_policy,
    active_policy,
    add_dataset,
    add_version,
    current_version,
    list_datasets,
    list_policies,
    list_versions,
    policy_in_force,
    policy_of_the_past,
)
from tre.governance.entitling import attest_credential, end_person, revoke_credential
from tre.governance.erasing import Erasure, agree_erasure, ask_erasure, asked_erasure, erase_person, erase_project
from tre.governance.incidents import record_incident, unlock_project
from tre.governance.people import (
    PersonRecord,
    add_credential,
    add_person,
    controllers_of,
    find_person,
    is_here,
    list_people,
)
from tre.governance.projects import NewProject, ProjectRecord, add_project, find_project, list_projects, role_in
from tre.governance.tokens import TokenRecord, list_tokens, note_token, revoke_token, revoke_tokens, token_revoked

__all__ = [
    "Erasure",
    "NewProject",
    "PersonRecord",
    "PolicyRecord",
    "ProjectRecord",
    "TokenRecord",
    "VersionRecord",
    "activate_policy",
    "active_policy",
    "add_credential",
    "add_dataset",
    "add_person",
    "add_project",
    "add_version",
    "agree_erasure",
    "ask_erasure",
    "asked_erasure",
    "attest_credential",
    "context",
    "controllers_of",
    "current_version",
    "end_person",
    "erase_person",
    "erase_project",
    "find_person",
    "find_project",
    "found_bounds",
    "found_sizes",
    "is_here",
    "keep_bounds",
    "keep_sizes",
    "list_datasets",
    "list_people",
    "list_policies",
    "list_projects",
    "list_tokens",
    "list_versions",
    "note_token",
    "pay_for_bounds",
    "policy_in_force",
    "policy_of_the_past",
    "record_incident",
    "revoke_credential",
    "revoke_token",
    "revoke_tokens",
    "role_in",
    "token_revoked",
    "unlock_project",
]
