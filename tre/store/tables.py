"""The tables of the control database, for SQLite and PostgreSQL alike.

Times are text as `tre.base.clock.stamp` writes them, so that they sort; amounts are exact 64-bit integers
(nano-rho or nano-epsilon, and delta in 10⁻¹⁸, at most `LARGEST`). No SQL text, address or personal name stands
in any column but the encrypted ones of `sidecar` (AUDIT "Entry").
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

LARGEST = 2**60
"""The largest amount of one cost or limit: sums of a few stay within 64 bits."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = String(64)
_Event = String(32)
_Digest = String(64)
_Ledger = String(128)
_Time = String(32)
_Word = String(32)
# SQLite counts up only a column whose type is exactly INTEGER.
_Counter = BigInteger().with_variant(Integer, "sqlite")


def _amounts(prefix: str) -> tuple[Column[int], Column[int]]:
    return (
        Column(f"{prefix}_amount", BigInteger, nullable=False),
        Column(f"{prefix}_delta", BigInteger, nullable=False),
    )


# --- people, projects, data sets ------------------------------------------------------------------------

people = Table(
    "people",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name_event", _Event),  # the side-car row that holds the name
    Column("added", _Time, nullable=False),
    Column("ended", _Time),
)
roles = Table(
    "roles",
    metadata,
    Column("person", _Id, ForeignKey("people.id"), primary_key=True),
    Column("role", _Word, primary_key=True),
    Column("since", _Time, nullable=False),
)
controllers = Table(
    "controllers",
    metadata,
    Column("person", _Id, ForeignKey("people.id"), primary_key=True),
    Column("dataset", _Id, ForeignKey("datasets.name"), primary_key=True),
    Column("since", _Time, nullable=False),
    Index(None, "dataset"),
)
credentials = Table(
    "credentials",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("person", _Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("kind", _Id, nullable=False),
    Column("issuer", _Id, nullable=False),
    Column("issued", _Time, nullable=False),
    Column("expires", _Time, nullable=False),
    Column("evidence", _Ledger),
    Column("revoked", _Time),
)
datasets = Table(
    "datasets",
    metadata,
    Column("name", _Id, primary_key=True),
    Column("added", _Time, nullable=False),
)
versions = Table(
    "versions",
    metadata,
    Column("name", _Id, primary_key=True),
    Column("dataset", _Id, ForeignKey("datasets.name"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("commitment", _Digest, nullable=False),
    Column("catalogue_digest", _Digest, nullable=False),
    Column("added", _Time, nullable=False),
    UniqueConstraint("dataset", "number"),
)
policies = Table(
    "policies",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("dataset", _Id, ForeignKey("datasets.name"), nullable=False),
    Column("digest", _Digest, nullable=False),
    Column("text", Text, nullable=False),
    Column("status", _Word, nullable=False),
    Column("by", _Id, nullable=False),
    Column("at", _Time, nullable=False),
    Column("ended", _Time),
    CheckConstraint("status IN ('proposed', 'active', 'ended')", name="status"),
)
Index(
    "ix_policies_one_active",
    policies.c.dataset,
    unique=True,
    sqlite_where=text("status = 'active'"),
    postgresql_where=text("status = 'active'"),
)
projects = Table(
    "projects",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("state", _Word, nullable=False),
    Column("purposes", Text, nullable=False),  # JSON list of DUO codes
    Column("epsilon", Text, nullable=False),  # exact fraction, as asked for
    Column("delta", Text, nullable=False),
    Column("starts", _Time, nullable=False),
    Column("expires", _Time, nullable=False),
    CheckConstraint("state IN ('active', 'locked', 'closed')", name="state"),
)
project_members = Table(
    "project_members",
    metadata,
    Column("project", _Id, ForeignKey("projects.id"), primary_key=True),
    Column("person", _Id, ForeignKey("people.id"), primary_key=True),
    Column("role", _Word, nullable=False),
    Column("since", _Time, nullable=False),
    Index(None, "person"),
)
project_datasets = Table(
    "project_datasets",
    metadata,
    Column("project", _Id, ForeignKey("projects.id"), primary_key=True),
    Column("dataset", _Id, ForeignKey("datasets.name"), primary_key=True),
    Column("looked", _Time),  # when a person judged purposes that the codes alone leave open
    Index(None, "dataset"),
)
incidents = Table(
    "incidents",
    metadata,
    Column("id", _Event, primary_key=True),  # its log entry
    Column("project", _Id, ForeignKey("projects.id"), index=True),
    Column("reason", _Id, nullable=False),
    Column("query", _Id),
    Column("at", _Time, nullable=False),
    Column("settled", _Time),  # when governance has looked
)
erasures = Table(
    "erasures",  # asked for by one person, and not agreed to by another
    metadata,
    Column("project", _Id, ForeignKey("projects.id"), primary_key=True),
    Column("person", _Id, ForeignKey("people.id"), nullable=False),
    Column("at", _Time, nullable=False),
)
tokens = Table(
    "tokens",
    metadata,
    Column("jti", _Id, primary_key=True),
    Column("person", _Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("project", _Id, ForeignKey("projects.id")),
    Column("expires", _Time, nullable=False),
    Column("revoked", _Time),
)

identities = Table(
    "identities",  # who a subject of an outside issuer is here
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("person", _Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("linked", _Time, nullable=False),
)
sign_ins = Table(
    "sign_ins",  # begun at an outside issuer and not yet come back
    metadata,
    Column("state", _Digest, primary_key=True),  # digest of the `state` sent along
    Column("browser", _Digest, nullable=False),  # digest of the cookie of the browser that began
    Column("issuer", Text, nullable=False),
    Column("nonce", _Digest, nullable=False),
    Column("verifier", Text, nullable=False),  # of PKCE; worth nothing without the code that comes back
    Column("target", Text, nullable=False),  # the page that was asked for
    Column("expires", _Time, nullable=False, index=True),
)
sign_in_codes = Table(
    "sign_in_codes",  # made by the operator for one sign-in
    metadata,
    Column("code", _Digest, primary_key=True),
    Column("id", _Id, nullable=False),  # stands in entries; opens nothing
    Column("person", _Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("expires", _Time, nullable=False, index=True),
)
sessions = Table(
    "sessions",
    metadata,
    Column("id", _Id, primary_key=True),  # stands in entries; opens nothing
    Column("secret", _Digest, nullable=False, unique=True),  # digest of the cookie
    Column("person", _Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("issuer", Text, nullable=False),
    Column("acr", _Id, nullable=False),
    Column("began", _Time, nullable=False),
    Column("seen", _Time, nullable=False),
    Column("expires", _Time, nullable=False, index=True),
    Column("ended", _Time),
)
rates = Table(
    "rates",
    metadata,
    Column("key", _Digest, primary_key=True),  # keyed digest of who and what is limited
    Column("window", BigInteger, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index(None, "window"),
)

# --- budgets ------------------------------------------------------------------------------------------------

ledgers = Table(
    "ledgers",
    metadata,
    Column("id", _Ledger, primary_key=True),
    Column("measure", _Word, nullable=False),
    *_amounts("limit"),
    *_amounts("spent"),
    *_amounts("reserved"),
    Column("seq", BigInteger, nullable=False),
    CheckConstraint("spent_amount >= 0 AND spent_delta >= 0", name="spent"),
    CheckConstraint("reserved_amount >= 0 AND reserved_delta >= 0", name="reserved"),
)
ledger_limits = Table(
    "ledger_limits",
    metadata,
    Column("ledger", _Ledger, ForeignKey("ledgers.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    *_amounts("limit"),
    Column("event", _Event, nullable=False),  # the entry that says why
)
movements = Table(
    "movements",
    metadata,
    Column("ledger", _Ledger, ForeignKey("ledgers.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("query", _Id, nullable=False),
    Column("kind", _Word, nullable=False),
    *_amounts("cost"),
    *_amounts("before"),
    *_amounts("after"),
    Column("closes", Integer, nullable=False),  # 0 for a reservation, 1 for what ends it, once, and for a charge
    CheckConstraint("kind IN ('reserve', 'commit', 'burn', 'void', 'charge')", name="kind"),
    UniqueConstraint("query", "ledger", "closes"),
)
draws = Table(
    "draws",
    metadata,
    Column("question", _Digest, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("state", _Word, nullable=False),
    Column("leader", _Id, nullable=False, index=True),
    Column("measure", _Word, nullable=False),
    *_amounts("cost"),
    Column("release", Text),
    CheckConstraint("state IN ('pending', 'stored', 'failed')", name="state"),
)
draw_payments = Table(
    "draw_payments",
    metadata,
    Column("payer", _Ledger, ForeignKey("ledgers.id"), primary_key=True),
    Column("question", _Digest, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("query", _Id, primary_key=True, index=True),
)

bounds_releases = Table(
    "bounds_releases",  # of histograms and sizes: what each cost the data set and costs every project
    metadata,
    Column("id", _Id, primary_key=True),
    Column("dataset", _Id, ForeignKey("datasets.name"), nullable=False, index=True),
    Column("version", _Id, ForeignKey("versions.name"), nullable=False),
    Column("measure", _Word, nullable=False),
    *_amounts("cost"),
    Column("charged", _Event, nullable=False),  # the entry of the data set's charge
    Column("released", _Event),  # that of what was found; none where the measuring ended without
)
histograms = Table(
    "histograms",
    metadata,
    Column("dataset", _Id, ForeignKey("datasets.name"), primary_key=True),
    Column("table_name", _Id, primary_key=True),
    Column("column_name", _Id, primary_key=True),  # empty: of the table's rows
    Column("statistic", _Word, primary_key=True),
    Column("release", _Id, ForeignKey("bounds_releases.id"), nullable=False),
    Column("found", Text, nullable=False),  # JSON: released values only
)

sizes = Table(
    "sizes",
    metadata,
    Column("version", _Id, ForeignKey("versions.name"), primary_key=True),
    Column("table_name", _Id, primary_key=True),
    Column("release", _Id, ForeignKey("bounds_releases.id"), nullable=False),
    Column("found", Text, nullable=False),  # JSON: released values only
)

# --- requests -----------------------------------------------------------------------------------------------

queries = Table(
    "queries",
    metadata,
    Column("number", _Counter, primary_key=True, autoincrement=True),  # the order in which they wait
    Column("id", _Id, nullable=False, unique=True),
    Column("state", _Word, nullable=False),
    Column("project", _Id, ForeignKey("projects.id"), nullable=False, index=True),
    Column("person", _Id, ForeignKey("people.id"), nullable=False),
    Column("dataset", _Id, ForeignKey("datasets.name"), nullable=False),
    Column("version", _Id, ForeignKey("versions.name"), nullable=False),
    Column("questions", Text, nullable=False),  # JSON list of question digests
    Column("decision", Text, nullable=False),  # JSON: the plan's facts
    Column("intent", _Event, nullable=False),
    Column("release_ms", BigInteger, nullable=False),
    Column("limit_ms", BigInteger, nullable=False),
    Column("created", _Time, nullable=False),
    Column("started", _Time),
    Column("finished", _Time),
    Column("lease_owner", _Id),
    Column("lease_until", _Time),
    Column("outcome", _Event),
    Column("releases", Text),  # JSON list of [question, position]
    Column("result", Text),  # JSON; released values only
    Column("error", _Id),  # code of the refusal that ended it
    Column("cancelled", _Time),  # when its asker took a running one back
    Column("aim", Text),  # JSON: who asked a pilot, until its second step is taken or refused
    Column("second", _Id),  # the request that is a pilot's second step
    CheckConstraint("state IN ('queued', 'running', 'committed', 'burned', 'voided')", name="state"),
    Index(None, "state", "number"),
    Index(None, "aim"),
)

leases = Table(
    "leases",  # what one server alone does for all, such as ending what a dead one left
    metadata,
    Column("name", _Id, primary_key=True),
    Column("owner", _Id, nullable=False),
    Column("until", _Time, nullable=False),
)

# --- the road to the log ------------------------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    Column("number", _Counter, primary_key=True, autoincrement=True),
    Column("event_id", _Event, nullable=False, unique=True),
    Column("entry", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
indexed = Table(
    "indexed",
    metadata,
    Column("event_id", _Event, primary_key=True),
    Column("log_index", BigInteger, nullable=False, unique=True),
)
trail = Table(
    "trail",  # the log's entries as reviewers search them; made again from the log when it lags
    metadata,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("time", _Time, nullable=False, index=True),
    Column("terms", Integer, nullable=False),  # how many of them, so that a loss is seen
)
trail_terms = Table(
    "trail_terms",  # what an entry names: its event, people, project, data set, tables, reasons, request
    metadata,
    Column("kind", _Word, primary_key=True),
    Column("term", Text, primary_key=True),
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,  # pages are read in the order of this key
)
audit_reads = Table(
    "audit_reads",  # whose reading of what is on the record already
    metadata,
    Column("key", _Digest, primary_key=True),  # digest of who, session or token, what is read, and the day
    Column("event", _Event, nullable=False),
    Column("expires", _Time, nullable=False, index=True),
)
sidecar_keys = Table(
    "sidecar_keys",
    metadata,
    Column("scope", _Ledger, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
sidecar = Table(
    "sidecar",
    metadata,
    Column("event_id", _Event, primary_key=True),
    Column("kind", _Word, primary_key=True),
    Column("scope", _Ledger, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
)
