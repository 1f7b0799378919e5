"""Reasons of witnesses: what they say of the log's heads. They are told to the operator; no request waits for them."""

from tre.base.reasons.form import Kind, reason

ABSENT = reason(
    "witness.absent",
    Kind.UNAVAILABLE,
    "The witness {witness} {problem}.",
    "Ask its operator whether it runs; it is shown the newest head again by itself, and no answer waits for it.",
    "Until it answers, what is published as cosigned is an older head, or one that fewer witnesses signed.",
)
FALSE = reason(
    "witness.false",
    Kind.UNAVAILABLE,
    "The witness {witness} {problem}.",
    "Compare the key under `witnesses` in `config.toml` with the one that its operator published.",
    "Its words are not published: a signature that is not of the key which the settings name says nothing.",
)
CONTRADICTS = reason(
    "witness.contradicts",
    Kind.CONFLICT,
    "The witness {witness} contradicts this log: it {problem}.",
    "Keep a copy of everything as it is, ask the witness for the head that it refused and the one that it knows, and "
    "find out who is wrong; stop the server until it is known.",
    "Either this log was restored from a back-up, or somebody rewrote it with its own key, or the witness errs. The "
    "server does not stop by itself: a witness could then stop it.",
)
NOT_KEPT = reason(
    "witness.not-kept",
    Kind.UNAVAILABLE,
    "What witnesses cosigned could not be read or kept in the log's folder: {problem}.",
    "Give the disk room, or the folder `log` back to the user who writes it; it is tried again by itself.",
)
