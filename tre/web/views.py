"""What the REST surface answers with. These models are the answers and their description in one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

Gate = Literal["people", "projects", "settings", "data", "outputs"]
State = Literal["queued", "running", "committed", "burned", "voided", "denied"]
Exact = Annotated[str, Field(pattern=r"^\d+(\.\d+)?$", description="An exact decimal number")]
Scalar = bool | int | float | str


class View(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlaceView(View):
    """Where in the text: 1-based line and column, and the line with a caret under it."""

    line: int
    column: int
    caret: str


class ReasonView(View):
    """One reason of a refusal, with its page under /problems/<code>."""

    code: str
    sentence: str
    remedy: str
    gate: Gate | None = None
    place: PlaceView | None = None


class ProblemView(View):
    """A refusal or a failure (RFC 9457). `code`, `detail` and `remedy` are those of the first reason."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    remedy: str
    request_id: str
    reasons: tuple[ReasonView, ...] = ()
    query: str | None = None


class GateView(View):
    """What one of the five gates said."""

    gate: Gate
    allowed: bool


class AmountView(View):
    """A privacy loss: rho and delta exact as in the ledger (no rho under pure DP), epsilon by conversion."""

    epsilon: float
    rho: Exact | None = None
    delta: Exact


class PriceView(AmountView):
    """What an answer costs, and which share of the project's whole budget that is."""

    share: float


class ErrorView(View):
    """The half-width of the 95 % interval of one output's noise; none where it is known only after release."""

    output: str
    half_width: float | None
    note: str = ""


class ClippedView(View):
    """The noisy share of people at a clip bound, with its own 95 % half-width."""

    share: float
    half_width: float | None = None


class SourcedBoundView(View):
    """What is clipped to what, and who says so: policy, request, proof, or histograms that were released."""

    of: str
    value: str
    source: str


class OutputBoundsView(View):
    """The bounds of one output, and with an answer the share of people at a bound of what was measured with it.

    That is none before an answer, and where nobody can be clipped.
    """

    output: str
    bounds: tuple[SourcedBoundView, ...]
    clipped: ClippedView | None = None


class BoundsView(View):
    """Contribution bounds in use: groups of one person, rows of one person in a group, totals by output.

    `together` says that rows and totals are those of one person in all groups of an output together, `automatic` that
    a first step tells the groups: before it is released they are not known. `outputs` tells every bound of each output.
    """

    groups: int | None = None
    rows: int | None = None
    together: bool = False
    automatic: bool = False
    totals: dict[str, tuple[float, float]] = Field(default_factory=dict)
    outputs: tuple[OutputBoundsView, ...] = ()


class DecisionView(View):
    """A decision with all its reasons. `release_seconds` is the time at which an answer leaves.

    With a relative accuracy `price` is that of the pilot, and `most` what it and the second step may cost together.
    """

    allowed: bool
    dataset: str | None = None
    version: str | None = None
    policy: str | None = None
    reasons: tuple[ReasonView, ...] = ()
    gates: tuple[GateView, ...] = ()
    price: PriceView | None = None
    most: PriceView | None = None
    error: tuple[ErrorView, ...] = ()
    bounds: BoundsView | None = None
    notes: tuple[str, ...] = ()
    release_seconds: float | None = None


class SuppressedView(View):
    """A cell that is withheld. Never 0, and the same whatever it hides."""

    marker: Literal["suppressed"] = "suppressed"


class ColumnView(View):
    """A column of an answer. `bound` marks the ends of the 95 % interval of the column `of`."""

    name: str
    type: Literal["boolean", "integer", "decimal", "double", "text", "date", "timestamp"]
    noisy: bool
    bound: Literal["low", "high"] | None = None
    of: str | None = None


class SharperView(View):
    """What a sharper answer would cost: `half` is the further price of half the error, `affordable` whether that may
    be spent, `error` about what the widest interval of each output would reach to either side then. All that is left of
    the budget would leave the part `least` of the error."""

    half: PriceView
    affordable: bool
    least: float
    error: tuple[ErrorView, ...] = ()


class ResultView(View):
    """A released answer. Decimals, dates and timestamps are strings; a withheld cell is a marker.

    With `salt` the answer's columns and rows give the commitment that its entry in the log holds.
    """

    query: str
    columns: tuple[ColumnView, ...]
    rows: tuple[tuple[Scalar | SuppressedView | None, ...], ...]
    level: float = 0.95
    cost: PriceView
    bounds: BoundsView
    clipped: ClippedView | None = None
    sharper: SharperView | None = None
    notes: tuple[str, ...] = ()
    salt: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def receipt(self) -> str:
        """Where the receipt is."""
        return f"/api/v1/queries/{self.query}/receipt"


class QueryView(View):
    """A question that was taken in. `retry_after` is the time in seconds after which asking again may help.

    `release_at` is when a ready answer leaves and `limit_at` when every other outcome does, once it has `started`:
    there is no other progress. `failure` says why a burned or voided query has no answer, or a pilot no second step.
    `sql` and its `dialect` are shown to who asked and to the project's lead. `refines` is the query of whose answer
    this is a sharper one; `second` the query that is this pilot's second step.
    """

    id: str
    project: str
    state: State
    person: str | None = None
    submitted: str
    started: str | None = None
    release_at: str | None = None
    limit_at: str | None = None
    finished: str | None = None
    sql: str | None = None
    dialect: str | None = None
    decision: DecisionView | None = None
    failure: ReasonView | None = None
    refines: str | None = None
    second: str | None = None
    retry_after: float = 1.0
    result: ResultView | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def links(self) -> dict[str, str]:
        """Where the query, its result and its receipt are."""
        here = f"/api/v1/queries/{self.id}"
        return {"self": here, "result": f"{here}/result", "receipt": f"{here}/receipt"}


class QueriesView(View):
    """Questions, newest first. `next` is the number to name as `before` for those that follow; none at the end."""

    queries: tuple[QueryView, ...]
    next: int | None = None


class DatasetSummary(View):
    """A data set by name, with the version at hand."""

    name: str
    version: str
    policy: str


class DictionaryColumn(View):
    """A column that a query may name, as the policy declares it; `found` says that its bounds follow from a release."""

    name: str
    type: str
    klass: str
    nullable: bool
    bounds: tuple[float, float] | None = None
    found: bool = False
    domain: tuple[Scalar, ...] | None = None
    calendar: tuple[str, str] | None = None


class DictionaryLink(View):
    """An enforced N:1 link to another table."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


class SizeView(View):
    """The noisy size of a table, released once for the version: rows and people, each within so much in 95 of 100.

    Of one person `counted` rows at most are among `rows`.
    """

    rows: int
    rows_within: float
    people: int
    people_within: float
    counted: int


class DictionaryTable(View):
    """A table that a query may name. `usual_rows` are those of one person that count where a request names no number,
    as the policy says or, where they were `found`, a release; `size` is noisy, none where none was released."""

    name: str
    access: Literal["private", "attribute", "public"]
    unit: str | None = None
    rows_per_person: int | None = None
    usual_rows: int | None = None
    found: bool = False
    size: SizeView | None = None
    columns: tuple[DictionaryColumn, ...] = ()
    links: tuple[DictionaryLink, ...] = ()


class DatasetView(DatasetSummary):
    """The data dictionary of a data set."""

    unit_table: str
    unit_key: str
    tables: tuple[DictionaryTable, ...] = ()


class ProjectView(View):
    """A project that the asking person belongs to."""

    id: str
    state: str
    datasets: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    expires: str | None = None


class AccountView(View):
    """One ledger of a project: what it may spend on a data set, has spent, holds reserved and has left."""

    dataset: str
    measure: Literal["zcdp", "pure"]
    limit: AmountView
    spent: AmountView
    reserved: AmountView
    left: AmountView


class BudgetView(View):
    """A project's accounts."""

    project: str
    accounts: tuple[AccountView, ...]


class DatasetsView(View):
    """The data sets of the asking person's projects."""

    datasets: tuple[DatasetSummary, ...]


class ProjectsView(View):
    """The asking person's projects."""

    projects: tuple[ProjectView, ...]


class HealthView(View):
    """The service answers questions."""

    status: Literal["ok"] = "ok"
