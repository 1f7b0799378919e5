"""Reasons of the REST surface: what is wrong with a request before its question is looked at."""

from tre.base.reasons.form import Kind, reason

_READ_CONTRACT = "Compare the request with GET /api/v1/openapi.json."

UNKNOWN_PATH = reason("web.unknown-path", Kind.UNKNOWN, "There is nothing under this address.", _READ_CONTRACT)
UNKNOWN_QUERY = reason(
    "web.unknown-query",
    Kind.UNKNOWN,
    "There is no such query for you.",
    "Use the id that the request was answered with; others' queries are answered as if they did not exist.",
)
UNKNOWN_PROJECT = reason(
    "web.unknown-project",
    Kind.UNKNOWN,
    "There is no such project for you.",
    "List your projects with GET /api/v1/projects.",
)
UNKNOWN_DATASET = reason(
    "web.unknown-dataset",
    Kind.UNKNOWN,
    "There is no such data set for you.",
    "List your data sets with GET /api/v1/datasets.",
)
UNKNOWN_LOG_FILE = reason(
    "web.unknown-log-file",
    Kind.UNKNOWN,
    "The log has no such file.",
    "Read the size of the log from GET /api/v1/log/checkpoint; tiles are named as C2SP tlog-tiles says. There is a "
    "cosigned checkpoint as soon as enough witnesses have signed one.",
)
UNKNOWN_ENTRY = reason(
    "web.unknown-entry",
    Kind.UNKNOWN,
    "There is no such entry of the log for you.",
    "Read the size of the log from GET /api/v1/log/checkpoint; entries are shown to board members and auditors.",
)
UNKNOWN_POLICY = reason(
    "web.unknown-policy",
    Kind.UNKNOWN,
    "The data set has no policy of this number.",
    "List its policies with GET /api/v1/datasets/NAME/policies.",
)
UNVERIFIED = reason(
    "web.unverified",
    Kind.FAULT,
    "The verifier could not read the log, so nothing is said about it.",
    "Ask the operator to run `tre audit verify` beside the log; a check is begun again after a few minutes.",
)
METHOD = reason(
    "web.method",
    Kind.METHOD,
    "This address does not take {method}.",
    "Use one of the methods that the `Allow` header lists.",
)
BAD_REQUEST = reason("web.bad-request", Kind.USAGE, "The request cannot be read as HTTP.", _READ_CONTRACT)
BODY_TOO_LARGE = reason(
    "web.body-too-large",
    Kind.TOO_LARGE,
    "The body is longer than {most} bytes.",
    "Ask a shorter question; SQL is limited to 16 KiB.",
)
BODY_LENGTH = reason(
    "web.body-length",
    Kind.USAGE,
    "The body's length is not said, or a request without a body has one.",
    "Send `Content-Length` with every body, and no body where none is taken.",
)
MEDIA_TYPE = reason(
    "web.media-type",
    Kind.MEDIA_TYPE,
    "The body must be application/json in UTF-8.",
    "Send `Content-Type: application/json`.",
)
BODY_JSON = reason(
    "web.body-json",
    Kind.USAGE,
    "The body is not strict JSON: {problem}.",
    "Send one JSON object in UTF-8, each name once, no NaN or Infinity, nothing after it.",
)
FIELD_UNKNOWN = reason(
    "web.field-unknown", Kind.USAGE, "There is no field {field}.", "Leave it out; check its spelling."
)
FIELD_MISSING = reason("web.field-missing", Kind.USAGE, "The field {field} is missing.", _READ_CONTRACT)
FIELD_INVALID = reason(
    "web.field-invalid",
    Kind.USAGE,
    "The field {field} has the wrong type or value: {problem}.",
    'Correct the value. Types are taken as they are sent: "1" is no number, a JSON text no object. ' + _READ_CONTRACT,
)
QUERY_PARAMETER = reason(
    "web.query-parameter",
    Kind.USAGE,
    "The query parameter {name} is unknown here, repeated or has a wrong value.",
    "Send each documented parameter at most once.",
)
HEADER = reason(
    "web.header", Kind.USAGE, "The header {name} has a wrong form.", "Send it once and as its description says."
)
TOO_MANY = reason(
    "web.too-many",
    Kind.TOO_MANY,
    "There were too many requests within a minute.",
    "Ask again after the seconds of `Retry-After`. The operator sets how many there may be.",
)
PROJECT_MISSING = reason(
    "web.project-missing",
    Kind.USAGE,
    "Neither the request nor the token names a project.",
    "Name one in the field `project`, or use a token made for one project.",
)
NOT_FINISHED = reason(
    "web.query-not-finished",
    Kind.CONFLICT,
    "The query has no result yet.",
    "Ask again after the seconds of `Retry-After`; GET the query itself to see its state.",
)
FOREIGN_ORIGIN = reason(
    "web.foreign-origin",
    Kind.REFUSED,
    "The request comes from a page of another site.",
    "Go to the portal's own page and press the button there.",
    "Whatever changes something is taken only from the portal's own pages: `Sec-Fetch-Site` must say `same-origin` and "
    "`Origin` the portal's address, and one of the two must be there. Behind a proxy, `url` under `[portal]` in the "
    "settings is that address.",
)
UNKNOWN_HOST = reason(
    "web.unknown-host",
    Kind.REFUSED,
    "The portal is asked for under an address that is not its own.",
    "Use the address that the operator has told you.",
    "Without `url` under `[portal]` in the settings the portal is for the machine that serves it: 127.0.0.1, ::1 or "
    "localhost. Its cookies need HTTPS everywhere else.",
)
