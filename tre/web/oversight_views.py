"""What reviewers are shown: board members, data controllers, auditors and operators (GOVERNANCE §1).

Codes, ids, digests and amounts, as the log's entries hold them; a result stands in none of these, and the text of a
question only where its reader may see it.
"""

from __future__ import annotations

from typing import Any, Literal

from tre.web.views import AmountView, Gate, PlaceView, View

State = Literal["denied", "open", "committed", "burned", "voided"]


class CodeView(View):
    """A reason by its code, with its sentence and remedy in general: what they name of one case is left out as “…”."""

    code: str
    sentence: str
    remedy: str


class MemberView(View):
    """A person of a project, and what they are in it."""

    person: str
    role: str


class ShareView(View):
    """The share of a budget on a data set that is spent and that is reserved for open requests, each 0 to 1."""

    dataset: str
    spent: float
    reserved: float


class OverseenProject(View):
    """A project as reviewers see it. `open_incidents` are those that governance has not looked at."""

    id: str
    state: str
    datasets: tuple[str, ...]
    purposes: tuple[str, ...]
    members: tuple[MemberView, ...]
    starts: str
    expires: str
    budget: tuple[ShareView, ...]
    incidents: int
    open_incidents: int


class ErasureView(View):
    """How many texts of a project are sealed; who has asked for their erasure, and when, while nobody has agreed."""

    project: str
    texts: int
    person: str | None = None
    at: str | None = None


class OverseenProjects(View):
    """The projects that a reviewer may look at."""

    projects: tuple[OverseenProject, ...]


class GateVerdictView(View):
    """What one gate said, with its reasons."""

    gate: Gate
    allowed: bool
    reasons: tuple[CodeView, ...] = ()


class DecidedView(View):
    """A decision of the log. `state` is what became of it: open until its outcome is in the log.

    `index` and `outcome_index` are the entries of decision and outcome; `sql` and `dialect` are there for readers
    who may see what was typed. `price` is None where none was known. `failure` says why there is no answer.
    """

    index: int
    time: str
    person: str
    project: str
    request: str
    allowed: bool
    state: State
    gates: tuple[GateVerdictView, ...]
    dataset: str | None = None
    version: str | None = None
    policy: str | None = None
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    price: AmountView | None = None
    outcome_index: int | None = None
    failure: CodeView | None = None
    sql: str | None = None
    dialect: str | None = None


class DecisionsView(View):
    """A page of decisions, newest first; `next` is the `before` of the page after it, None at the end."""

    decisions: tuple[DecidedView, ...]
    next: int | None = None


class EntryView(View):
    """An entry of the log: its index, and its fields as `audit/entries.py` defines them."""

    index: int
    fields: dict[str, Any]


class EntriesView(View):
    """A page of entries, newest first; `next` is the `before` of the page after it; `size` the log's when asked."""

    entries: tuple[EntryView, ...]
    size: int
    next: int | None = None


class CheckedView(View):
    """One thing that the verifier checked: how many of it, what is wrong, what the reader should know."""

    check: str
    count: int
    problems: tuple[str, ...] = ()
    unlisted_problems: int = 0
    notes: tuple[str, ...] = ()


class VerificationView(View):
    """The verifier's last report on the log, and the head of the log now.

    `verified` is None until a first report is there; `checking` says that one is being made; `checked_size` and
    `checked_root` are the head that it looked at, `fault` why the last attempt made none.
    """

    origin: str
    size: int
    root: str
    checkpoint: str
    key: str
    checking: bool
    verified: bool | None = None
    checked_at: str | None = None
    checked_size: int | None = None
    checked_root: str | None = None
    checks: tuple[CheckedView, ...] = ()
    fault: CodeView | None = None


class IncidentView(View):
    """Something governance must look at; `settled` is when it has. `index` is its entry in the log."""

    index: int
    project: str
    reason: CodeView
    at: str
    query: str | None = None
    settled: str | None = None


class IncidentsView(View):
    """A page of incidents, newest first; `next` is the `before` of the page after it."""

    incidents: tuple[IncidentView, ...]
    next: int | None = None


class UnlockedView(View):
    """A project that goes on."""

    project: str
    state: Literal["active"] = "active"


class VersionView(View):
    """A version of a data set: its random name, its number, the HMAC of its content, its catalogue's digest."""

    name: str
    number: int
    added: str
    commitment: str
    catalogue: str


class OverseenDataset(View):
    """A data set as its controller sees it: newest version first, policy in force, projects that may use it.

    `budget` is the share of the data set's own budget; None before there is one.
    """

    name: str
    versions: tuple[VersionView, ...]
    policy: str | None
    projects: tuple[str, ...]
    controllers: tuple[str, ...]
    budget: ShareView | None = None


class OverseenDatasets(View):
    """The data sets that a reviewer may look at."""

    datasets: tuple[OverseenDataset, ...]


class PolicyView(View):
    """A policy in a data set's history: number 1 is the first; `ended` is None while it is in force."""

    number: int
    digest: str
    status: str
    by: str
    at: str
    ended: str | None = None


class PoliciesView(View):
    """The history of a data set's policies, newest first."""

    dataset: str
    policies: tuple[PolicyView, ...]


class PolicyTextView(PolicyView):
    """A policy with its text."""

    dataset: str
    text: str


class DiffLineView(View):
    """A line of a comparison; its numbers are 1-based, None on the side where the line is not."""

    kind: Literal["same", "removed", "added"]
    old: int | None
    new: int | None
    text: str


class PolicyDiffView(View):
    """Two policies of a data set line by line: everything, so that a reader can fold what is the same."""

    dataset: str
    old: int
    new: int
    lines: tuple[DiffLineView, ...]


class FindingView(View):
    """Something to be said about a policy document, with its place where it has one."""

    level: Literal["error", "warning"]
    code: str
    sentence: str
    remedy: str
    place: PlaceView | None = None


class LintView(View):
    """What is to be said about a policy document, in reading order; `digest` is that of a valid one.

    After the first hundred findings the rest are only counted.
    """

    valid: bool
    findings: tuple[FindingView, ...]
    unlisted: int = 0
    digest: str | None = None
