"""Reasons of pseudonyms: keys that are missing, and tokens that do not belong together."""

from tre.base.reasons.form import Kind, reason

KEYRING_MISSING = reason(
    "pseudonyms.keyring-missing",
    Kind.UNAVAILABLE,
    "The keyring of pseudonyms or its master key is missing.",
    "Restore `keys/` of the home from its back-up; a new keyring would give everyone new pseudonyms.",
)
KEYRING_DAMAGED = reason(
    "pseudonyms.keyring-damaged",
    Kind.UNAVAILABLE,
    "The keyring of pseudonyms does not open under its master key.",
    "Restore `keys/pseudonyms.keyring` and `keys/pseudonyms.master` from one and the same back-up.",
)
KEYRING_EXPOSED = reason(
    "pseudonyms.keyring-exposed",
    Kind.UNAVAILABLE,
    "The keys of pseudonyms can be read by other users of this machine.",
    "Give `keys/` the mode 0700 and its files 0600, consider the keys known to those users, and begin a new epoch.",
    "Whoever holds a key can try all NHS numbers in seconds: pseudonyms are protected by custody of the key alone.",
)
EPOCH_UNKNOWN = reason(
    "pseudonyms.epoch-unknown",
    Kind.CONFLICT,
    "The keyring of pseudonyms holds no epoch {epoch}.",
    "Ask for an epoch of the keyring, or restore the keyring that holds it from its back-up.",
)
FOREIGN = reason(
    "pseudonyms.foreign",
    Kind.CONFLICT,
    "These tokens were not made under the key that they are said to be made under.",
    "Name the data set, identifier type and epoch that the side table was written with, or add the version again.",
)
KEYS_DIFFER = reason(
    "pseudonyms.keys-differ",
    Kind.CONFLICT,
    "Pseudonyms under {one} and under {other} cannot be joined: equal people have different tokens there.",
    "Make both columns for the same project, identifier type and epoch.",
    "A join across keys would silently match nobody; so the keys are compared before the tokens are.",
)
NONE_MADE = reason(
    "pseudonyms.none-made",
    Kind.UNKNOWN,
    "The version of the data set {dataset} in use has no tokens.",
    "Give the column of identifiers a type in the policy (`type: nhs-number`), and add the data again.",
)
PROCESS_FAILED = reason(
    "pseudonyms.process-failed",
    Kind.FAULT,
    "The process that holds the keys of pseudonyms ended before it answered; no token was made.",
    "Try again; if it happens again, tell the operator.",
)
