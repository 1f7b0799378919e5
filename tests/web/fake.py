"""A service that answers from memory, for tests of the faces."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tre.base.reasons import Place, Refused
from tre.base.reasons.faults import ENGINE
from tre.base.reasons.identity import TOKEN_SIGNATURE
from tre.base.reasons.requests import CANCELLED, ENDED, NOT_ANSWERED
from tre.base.reasons.web import (
    NOT_FINISHED,
    UNKNOWN_DATASET,
    UNKNOWN_LOG_FILE,
    UNKNOWN_PATH,
    UNKNOWN_PROJECT,
    UNKNOWN_QUERY,
)
from tre.identity import Principal
from tre.web.plan_views import (
    CheckView,
    ExplanationView,
    GroupView,
    LossView,
    NoiseView,
    RelationView,
    StepView,
)
from tre.web.problems import reason_view
from tre.web.service import QueryRequest, RefinementRequest
from tre.web.views import (
    AccountView,
    AmountView,
    BoundsView,
    BudgetView,
    ClippedView,
    ColumnView,
    DatasetSummary,
    DatasetView,
    DictionaryColumn,
    DictionaryTable,
    ErrorView,
    GateView,
    OutputBoundsView,
    PlaceView,
    PriceView,
    ProjectView,
    QueriesView,
    QueryView,
    ReasonView,
    ResultView,
    SharperView,
    SizeView,
    SourcedBoundView,
    SuppressedView,
)

OF_N = OutputBoundsView(
    output="n",
    bounds=(SourcedBoundView(of="rows of one person in a group", value="1", source="the policy: usual rows"),),
    clipped=ClippedView(share=0.02, half_width=0.01),
)
PRICE = PriceView(epsilon=0.5, rho="0.012", delta="0.0000001", share=0.1)
NONE = AmountView(epsilon=0.0, rho="0", delta="0")
SUMMARY = DatasetSummary(name="northfield", version="v1", policy="sha256:00")
REFUSED_SQL = ReasonView(
    code="web.field-invalid",
    gate="data",
    sentence="The column nhs_number is not known.",
    remedy="Leave it out.",
    place=PlaceView(line=1, column=8, caret="SELECT nhs_number FROM person\n       ^^^^^^^^^^"),
)


EXPLANATION = ExplanationView(
    steps=(
        StepView(
            number=1,
            reads=(),
            measures=("count_rows(*)",),
            rows=(RelationView(depth=0, operation="table person", status="unit-keyed", why="its key is person_id"),),
            groups=(GroupView(name="person.sex", known_from="its declared values"),),
            known_groups=2,
            bounds=(SourcedBoundView(of="groups of one person", value="1", source="no groups"),),
            noise=(
                NoiseView(
                    of="rows", distribution="discrete Gaussian", scale=6.4, unit="1", sensitivity=1, cells=1, share=1.0
                ),
            ),
            error=(ErrorView(output="n", half_width=12.5),),
            stored_draws=0,
            new_draw=LossView(unit="rho", amount="0.012", delta="0"),
            paid=LossView(unit="rho", amount="0.012", delta="0"),
            sql='SELECT COUNT(*) AS c1\nFROM "person" AS t1',
        ),
    ),
    rows=(RelationView(depth=0, operation="result 1", status="released", why="noisy by then"),),
    sql='SELECT t1.c1 AS c1\nFROM "released_0" AS t1(c1)',
)


def principal(token: str) -> Principal:
    """Return whom a test's token speaks for: "ada" or "ada@p1"; everything else is forged."""
    person, _, project = token.partition("@")
    if person not in ("ada", "bob"):
        raise Refused.because(TOKEN_SIGNATURE)
    return Principal(
        person, "tre.example", "local", ("user",), project or None, "t_1", datetime(2030, 1, 1, tzinfo=UTC)
    )


@dataclass
class FakeService:
    """Answers by keywords in the SQL: nhs_number is denied, slow takes `polls` looks, burn and boom fail."""

    polls: int = 2
    asked: list[QueryRequest] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    refined: list[RefinementRequest] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    queries: dict[str, tuple[str, QueryView]] = field(default_factory=dict)

    def check(self, principal: Principal, project: str, request: QueryRequest, *, explain: bool = False) -> CheckView:
        self._enter(project, request)
        denied = "nhs_number" in request.sql
        return CheckView(
            explanation=EXPLANATION if explain and not denied else None,
            allowed=not denied,
            dataset="northfield",
            reasons=(REFUSED_SQL,) if denied else (),
            gates=(GateView(gate="people", allowed=True), GateView(gate="data", allowed=not denied)),
            price=None if denied else PRICE,
            error=() if denied else (ErrorView(output="n", half_width=12.5),),
            bounds=BoundsView(groups=request.groups or 1, rows=1, totals={"s": (0.0, 9.5)}),
            release_seconds=0.25,
        )

    def submit(self, principal: Principal, project: str, request: QueryRequest, idempotency: str | None) -> QueryView:
        self.keys.append(idempotency)
        decision = self.check(principal, project, request)
        state: Any = "committed" if decision.allowed else "denied"
        state = "queued" if "slow" in request.sql else "burned" if "burn" in request.sql else state
        failure = reason_view(Refused.because(ENGINE).refusals[0]) if state == "burned" else None
        view = QueryView(
            id=f"q_{len(self.queries):032x}",
            project=project,
            state=state,
            submitted="2026-03-01T09:00:00.000Z",
            decision=decision,
            failure=failure,
            retry_after=0.01,
        )
        self.queries[view.id] = (principal.person, view)
        return view

    def refine(self, principal: Principal, query: str, offer: RefinementRequest, idempotency: str | None) -> QueryView:
        found = self._own(principal, query)
        if found.state != "committed":
            raise Refused.because(NOT_ANSWERED)
        self.refined.append(offer)
        view = self.submit(principal, found.project, QueryRequest("SELECT 1"), idempotency)
        view = view.model_copy(update={"refines": query})
        self.queries[view.id] = (principal.person, view)
        return view

    def wait(self, principal: Principal, query: str, seconds: float) -> QueryView:
        self.waited.append(seconds)
        return self.query(principal, query)

    def query(self, principal: Principal, query: str) -> QueryView:
        view = self._own(principal, query)
        if view.state == "queued":
            self.polls -= 1
            if self.polls <= 0:
                view = view.model_copy(update={"state": "committed"})
                self.queries[query] = (principal.person, view)
        return view

    def cancel(self, principal: Principal, query: str) -> QueryView:
        view = self._own(principal, query)
        if view.state not in ("queued", "running", "voided"):
            raise Refused.because(ENDED)
        failure = reason_view(Refused.because(CANCELLED).refusals[0])
        view = view.model_copy(update={"state": "voided", "failure": failure})
        self.queries[query] = (principal.person, view)
        return view

    def history(self, principal: Principal, project: str, before: int | None, limit: int) -> QueriesView:
        self.project(principal, project)
        own = [view for person, view in self.queries.values() if person == principal.person]
        numbered = [(number, view) for number, view in enumerate(own, 1) if before is None or number < before]
        page = numbered[::-1][:limit]
        more = page[-1][0] if page and page[-1][0] > 1 else None
        return QueriesView(queries=tuple(view for _, view in page), next=more)

    def result(self, principal: Principal, query: str) -> ResultView:
        if self._own(principal, query).state != "committed":
            raise Refused.because(NOT_FINISHED)
        return ResultView(
            query=query,
            columns=(
                ColumnView(name="sex", type="text", noisy=False),
                ColumnView(name="n", type="integer", noisy=True),
                ColumnView(name="n_low", type="integer", noisy=True, bound="low", of="n"),
                ColumnView(name="n_high", type="integer", noisy=True, bound="high", of="n"),
                ColumnView(name="mean_cost", type="decimal", noisy=True),
                ColumnView(name="day", type="date", noisy=False),
            ),
            rows=(
                ("F", 5021, 5008, 5034, "12.50", "2026-01-01"),
                ("M", SuppressedView(), SuppressedView(), SuppressedView(), None, None),
            ),
            cost=PRICE,
            bounds=BoundsView(groups=1, rows=1, outputs=(OF_N,)),
            clipped=ClippedView(share=0.02),
            sharper=SharperView(
                half=PRICE, affordable=True, least=0.25, error=(ErrorView(output="n", half_width=6.25),)
            ),
            notes=("Rows of one person beyond 1 are clipped.",),
            salt="5a" * 32,
        )

    def receipt(self, principal: Principal, query: str) -> str:
        if self._own(principal, query).state != "committed":
            raise Refused.because(NOT_FINISHED)
        return "c2sp.org/tlog-proof@v1\nindex 7\n"

    def datasets(self, principal: Principal) -> tuple[DatasetSummary, ...]:
        return (SUMMARY,)

    def dataset(self, principal: Principal, name: str) -> DatasetView:
        if name != "northfield":
            raise Refused.because(UNKNOWN_DATASET)
        column = DictionaryColumn(
            name="year_of_birth", type="integer", klass="quasi-identifier", nullable=True, bounds=(1900, 2026)
        )
        size = SizeView(rows=1203, rows_within=9.5, people=1198, people_within=9.5, counted=1)
        table = DictionaryTable(name="person", access="private", unit="person_id", size=size, columns=(column,))
        return DatasetView(**SUMMARY.model_dump(), unit_table="person", unit_key="person_id", tables=(table,))

    def projects(self, principal: Principal) -> tuple[ProjectView, ...]:
        return (self.project(principal, "p1"),)

    def project(self, principal: Principal, project: str) -> ProjectView:
        if project != "p1":
            raise Refused.because(UNKNOWN_PROJECT)
        return ProjectView(id="p1", state="active", datasets=("northfield",), members=("ada",))

    def budget(self, principal: Principal, project: str) -> BudgetView:
        self.project(principal, project)
        limit = AmountView(epsilon=5.0, rho="0.5", delta="0.000001")
        account = AccountView(dataset="northfield", measure="zcdp", limit=limit, spent=NONE, reserved=NONE, left=limit)
        return BudgetView(project=project, accounts=(account,))

    def checkpoint(self) -> str:
        return "tre.example\n8\nAAAA\n\n— tre.example AAAA\n"

    def cosigned(self) -> str:
        return self.checkpoint()

    def tile(self, principal: Principal | None, path: str) -> bytes:
        if path.startswith("entries") and principal is None:
            raise Refused.because(UNKNOWN_LOG_FILE)
        return b"\x00" * 32

    def metrics(self, principal: Principal) -> str:
        if principal.person != "ada":
            raise Refused.because(UNKNOWN_PATH)
        return "# HELP tre_queries Questions by state\n"

    def health(self) -> None:
        return None

    def _enter(self, project: str, request: QueryRequest) -> None:
        if project != "p1":
            raise Refused.because(UNKNOWN_PROJECT)
        self.asked.append(request)
        if "boom" in request.sql:
            raise RuntimeError("patient 9434765919 has a secret")
        if "caret" in request.sql:
            raise Refused.because(UNKNOWN_DATASET, Place(1, 8, "SELECT caret", 5))

    def _own(self, principal: Principal, query: str) -> QueryView:
        owner, view = self.queries.get(query, ("", None))
        if view is None or owner != principal.person:
            raise Refused.because(UNKNOWN_QUERY)
        return view
