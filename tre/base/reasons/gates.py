"""Reasons of the gates safe people, safe projects, safe settings and safe data (GOVERNANCE, the Five Safes)."""

from tre.base.reasons.form import Kind, reason

NOT_ADMITTED = reason(
    "people.not-admitted",
    Kind.REFUSED,
    "None of your roles includes this ({action}).",
    "Ask somebody whose role it is; the manual's page on roles says whose.",
    "Default is deny: what no rule permits is refused (GOVERNANCE §1).",
)
OWN_ITEM = reason(
    "people.own-item",
    Kind.REFUSED,
    "This is an item of your own, and nobody decides on their own ({action}).",
    "Ask another person of that role.",
)
WATCHES_ONLY = reason(
    "people.watches-only",
    Kind.REFUSED,
    "Auditors and operators see no results, also not as members of a project.",
    "Ask the operator to take the other role from you, or another member to ask.",
)
CREDENTIAL_MISSING = reason(
    "people.credential-missing",
    Kind.REFUSED,
    "The policy asks for the credential {credential}, which you do not hold.",
    "Obtain it and have it recorded.",
)
CREDENTIAL_EXPIRED = reason(
    "people.credential-expired",
    Kind.REFUSED,
    "Your credential {credential} expired on {when}.",
    "Renew it and have the renewal recorded.",
    "Access ends at the earliest end of what it rests on and is looked at anew at every request.",
)
CREDENTIAL_NOT_YET = reason(
    "people.credential-not-yet",
    Kind.REFUSED,
    "Your credential {credential} counts from {when}.",
    "Wait until then, or have the date corrected.",
)
RULES_FAILED = reason(
    "people.rules-failed",
    Kind.FAULT,
    "The rules of access could not be evaluated, so nothing is allowed.",
    "Tell the operator.",
    "A rule that fails is never skipped: an error while deciding is a refusal.",
)
NOT_A_MEMBER = reason(
    "project.not-a-member",
    Kind.REFUSED,
    "You are no member of a project of that name.",
    "Name a project of yours, or ask its lead to have you added.",
    "A project of others and one that does not exist answer alike.",
)
NOT_STARTED = reason(
    "project.not-started", Kind.REFUSED, "The project starts on {when}.", "Wait, or ask for an earlier start."
)
EXPIRED = reason(
    "project.expired", Kind.REFUSED, "The project ended on {when}.", "Ask for an amendment with a later end."
)
SUSPENDED = reason(
    "project.suspended", Kind.REFUSED, "The project is suspended.", "Ask the board what it needs to go on."
)
LOCKED = reason(
    "project.locked",
    Kind.REFUSED,
    "The project is locked after an incident until governance has looked.",
    "Nothing to do but wait: governance has been told.",
    "A second failure inside the engine locks a project (PRIVACY §3.9): failures lie outside the privacy proof.",
)
NOT_ACTIVE = reason(
    "project.not-active", Kind.REFUSED, "The project is not active: it is {status}.", "Wait for its approval."
)
DATA_SET_NOT_GRANTED = reason(
    "project.data-set-not-granted",
    Kind.REFUSED,
    "The project may not use the data set {dataset}.",
    "Name another, or ask for an amendment.",
)
PURPOSE_NOT_ADMITTED = reason(
    "project.purpose-not-admitted",
    Kind.REFUSED,
    "The policy of {dataset} does not admit the project's purpose ({purposes}).",
    "Ask the data controller whether the data may serve it; the project's purposes are fixed by its approval.",
)
PURPOSE_UNDECIDED = reason(
    "project.purpose-undecided",
    Kind.REFUSED,
    "Whether the policy of {dataset} admits the project's purpose ({purposes}) is for a person to decide.",
    "Ask the data controller to look at it.",
    "Data-use codes match, do not match, or leave it open; what is open never approves by itself (GOVERNANCE §2).",
)
ACR_TOO_WEAK = reason(
    "settings.acr-too-weak",
    Kind.REFUSED,
    "You signed in by “{acr}”; the policy asks for {wanted}.",
    "Sign in again by a way that it admits.",
)
OTHER_POLICY = reason(
    "data.version-of-another-policy",
    Kind.REFUSED,
    "This version of the data was made under other declarations than the policy in force makes.",
    "Ask the data controller to add the data again under this policy.",
    "What a plan relies on was enforced when the version was made, so policy and version must agree.",
)
