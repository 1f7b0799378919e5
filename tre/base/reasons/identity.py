"""Reasons of the room that says who asks. None repeats a part of the token."""

from tre.base.reasons.form import Kind, reason

_SIGN_IN_ANEW = "Make a new token with `tre token --person P`, or ask the operator for one."

TOKEN_MISSING = reason(
    "identity.token-missing",
    Kind.SIGN_IN,
    "This needs a bearer token and none was sent.",
    "Send one `Authorization: Bearer …` header; `tre token --person P` makes a token.",
)
TOKEN_MALFORMED = reason(
    "identity.token-malformed",
    Kind.SIGN_IN,
    "What was sent as a token is not a signed token in compact form.",
    "Copy the whole last line that `tre token` printed, without quotes or line breaks.",
    "A token is at most 8,192 characters: three base64url parts joined by dots, with a strict JSON header.",
)
TOKEN_SIGNATURE = reason(
    "identity.token-signature",
    Kind.SIGN_IN,
    "The token is not signed by a key of an issuer that this environment trusts.",
    _SIGN_IN_ANEW,
    "The algorithm is fixed by the issuer's key and never read from the token. A token of another environment, or "
    "one from before a key was replaced, ends here.",
)
TOKEN_KIND = reason(
    "identity.token-kind",
    Kind.SIGN_IN,
    "The token is not an access token.",
    "Send the access token, not the identity token, of your sign-in.",
    "The header's `typ` must be `at+jwt` (RFC 9068 §2.1), so that no other token of the issuer passes for one. "
    "A provider that does not set it has a switch for it, or its tokens are no use here.",
)
TOKEN_AUDIENCE = reason(
    "identity.token-audience", Kind.SIGN_IN, "The token was issued for another service.", _SIGN_IN_ANEW
)
TOKEN_EXPIRED = reason("identity.token-expired", Kind.SIGN_IN, "The token has expired.", _SIGN_IN_ANEW)
TOKEN_EARLY = reason(
    "identity.token-early",
    Kind.SIGN_IN,
    "The token is not valid yet.",
    "Compare the clocks of the issuer and of the server; they may differ by a minute.",
)
TOKEN_CLAIMS = reason(
    "identity.token-claims",
    Kind.SIGN_IN,
    "The token lacks a claim that every access token has, or one has the wrong form.",
    _SIGN_IN_ANEW,
    "Required are iss, sub, aud, exp, iat and jti (RFC 9068 §2.2) in a strict JSON object, of the environment's own "
    "tokens also acr; a token lives for at most as long as its issuer is trusted to issue for.",
)
TOKEN_PROJECT = reason(
    "identity.token-project",
    Kind.REFUSED,
    "The token is for another project than the one asked about.",
    "Make a token for this project, or one without a project.",
)
TOKEN_MINUTES = reason(
    "identity.token-minutes",
    Kind.USAGE,
    "A token lives for 1 to {most} minutes.",
    "Ask for fewer minutes and make a new token when it has expired.",
)
PERSON_UNKNOWN = reason(
    "identity.person-unknown",
    Kind.SIGN_IN,
    "The token speaks for nobody whom this environment knows.",
    "Ask the operator whether you have been added, and under which id.",
)
KEY_UNSAFE = reason(
    "identity.key-unsafe",
    Kind.FAULT,
    "The issuer's key file is missing, damaged or open to other users, so no token is issued or accepted.",
    "Make the file readable for its owner alone (0600), or put it back from a backup.",
)
SESSION_MISSING = reason(
    "identity.session-missing",
    Kind.SIGN_IN,
    "You are not signed in.",
    "Sign in at the portal's page /sign-in.",
)
SESSION_ENDED = reason(
    "identity.session-ended",
    Kind.SIGN_IN,
    "Your session has ended.",
    "Sign in again.",
    "A session ends when it is not used for a while, after a working day at the latest, when you sign out here or "
    "everywhere, and when you leave. How long it lasts stands in the settings.",
)
CODE_REFUSED = reason(
    "identity.code-refused",
    Kind.SIGN_IN,
    "This code opens nothing.",
    "Ask the operator for a new one: a code works once and for a few minutes.",
    "Codes that never were, that were used and that have expired are answered alike.",
)
CODE_MINUTES = reason(
    "identity.code-minutes",
    Kind.USAGE,
    "A code for signing in lasts for 1 to {most} minutes.",
    "Ask for fewer minutes; make another code when it has expired.",
)
DEMONSTRATION_ONLY = reason(
    "identity.demonstration-only",
    Kind.REFUSED,
    "Choosing who one is belongs to the demonstration, on the machine that serves it.",
    "Sign in with a code of the operator or with your organisation's account.",
)
ACR_UNKNOWN = reason(
    "identity.acr-unknown",
    Kind.SIGN_IN,
    "Your organisation's sign-in does not say in known words how you were recognised.",
    "Sign in there with a second factor; if that does not help, tell the operator.",
    "`acr` and `amr` under the issuer in the settings say what its words mean here; without `otherwise` all else is "
    "refused.",
)
ISSUER_UNAVAILABLE = reason(
    "identity.issuer-unavailable",
    Kind.UNAVAILABLE,
    "Your organisation's sign-in service cannot be reached or answers what it should not.",
    "Try again in a minute; if that does not help, tell the operator.",
    "Its keys are fetched over HTTPS, within seconds, and never from another address. Nothing is accepted on trust "
    "while they cannot be had.",
)
ISSUER_UNKNOWN = reason(
    "identity.issuer-unknown",
    Kind.UNKNOWN,
    "The settings name no issuer {issuer}.",
    "Name it exactly as under `[[issuers]]` in the settings.",
)
SUBJECT_UNFIT = reason(
    "identity.subject-unfit",
    Kind.USAGE,
    "This is no subject: 1 to 255 printable characters.",
    "Give the `sub` of the person's tokens at the issuer, as it stands there.",
)
SUBJECT_TAKEN = reason(
    "identity.subject-taken",
    Kind.CONFLICT,
    "This subject of the issuer is somebody here already.",
    "Look who it is; undo the link with `tre person unlink` if it is wrong.",
    "A subject is one person. One person may have several subjects.",
)
SUBJECT_UNKNOWN = reason(
    "identity.subject-unknown",
    Kind.UNKNOWN,
    "This subject of the issuer is nobody here.",
    "Compare the issuer and the subject, letter by letter, with those that were linked.",
)
SIGN_IN_LOST = reason(
    "identity.sign-in-lost",
    Kind.SIGN_IN,
    "This answer belongs to no sign-in that this browser has begun.",
    "Begin again here; do not use an old address or one that somebody sent you.",
    "A sign-in is for one browser, once, within ten minutes, and its answer comes from the issuer it was begun at. "
    "Allow this site its cookies.",
)
SIGN_IN_REFUSED = reason(
    "identity.sign-in-refused",
    Kind.SIGN_IN,
    "Your organisation's sign-in service did not sign you in.",
    "Begin again; if that does not help, tell the operator the time.",
)
SIGN_IN_BUSY = reason(
    "identity.sign-in-busy",
    Kind.TOO_MANY,
    "Too many sign-ins have begun and not ended.",
    "Try again in a few minutes.",
)
PROVIDER_UNKNOWN = reason(
    "identity.provider-unknown",
    Kind.UNKNOWN,
    "There is no such way of signing in here.",
    "Choose one of those on the page.",
)
