"""A reviewers' side that answers from memory, for tests of the faces: "ada" reviews, everybody else sees nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tre.base.reasons import Refused
from tre.base.reasons.governance import NOT_LOCKED, ONE_PERSON
from tre.base.reasons.web import (
    UNKNOWN_DATASET,
    UNKNOWN_ENTRY,
    UNKNOWN_LOG_FILE,
    UNKNOWN_PATH,
    UNKNOWN_POLICY,
    UNKNOWN_PROJECT,
)
from tre.identity import Principal
from tre.journal.exports import Form
from tre.journal.search import Page, Wanted
from tre.web.oversight_views import (
    CheckedView,
    CodeView,
    DecidedView,
    DecisionsView,
    DiffLineView,
    EntriesView,
    EntryView,
    ErasureView,
    FindingView,
    GateVerdictView,
    IncidentsView,
    IncidentView,
    LintView,
    MemberView,
    OverseenDataset,
    OverseenProject,
    PoliciesView,
    PolicyDiffView,
    PolicyTextView,
    PolicyView,
    ShareView,
    VerificationView,
    VersionView,
)
from tre.web.views import AmountView, PlaceView

AT = "2026-03-01T09:00:00.000Z"
ROOT = "A" * 43 + "="
CHECKPOINT = f"tre.example\n8\n{ROOT}\n\n— tre.example AAAA\n"
BUDGET = ShareView(dataset="northfield", spent=0.25, reserved=0.01)
ENGINE = CodeView(code="fault.engine", sentence="The question could not be answered.", remedy="Ask the operator.")
UNLISTED = CodeView(
    code="sql-text.unknown-column",
    sentence="There is no column … that you may name.",
    remedy="Look at the data dictionary.",
)
TEXTS = ("policy: northfield\nanswers: {minimum group: 10}\n", "policy: northfield\nanswers: {minimum group: 15}\n")


def _entry(index: int) -> EntryView:
    events = ("bootstrap", "query-intent", "query-outcome", "query-decision", "audit-read", "incident")
    fields = {"event": events[index % len(events)], "event_id": f"{index:032x}", "time": AT, "actor": "okafor"}
    return EntryView(index=index, fields=fields | {"project": "p1", "dataset": "northfield"})


def _decided(index: int, *, sql: bool) -> DecidedView:
    allowed = index % 3 != 0
    return DecidedView(
        index=index,
        time=AT,
        person="okafor",
        project="p1",
        request=f"q_{index:032x}",
        allowed=allowed,
        state="committed" if allowed else "denied",
        gates=(
            GateVerdictView(gate="people", allowed=True),
            GateVerdictView(gate="data", allowed=allowed, reasons=() if allowed else (UNLISTED,)),
        ),
        dataset="northfield",
        version="v1",
        policy="ab" * 32,
        tables=("person",),
        columns=("person.year_of_birth",),
        price=AmountView(epsilon=0.5, rho="0.012", delta="0.0000001"),
        outcome_index=index + 1 if allowed else None,
        sql="SELECT COUNT(*) AS n FROM person" if sql else None,
        dialect="postgres" if sql else None,
    )


@dataclass
class FakeOversight:
    """One project p1, one data set northfield with two policies, a log of `size` entries."""

    size: int = 60
    state: str = "active"
    unlocked: list[tuple[str, str, str]] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    texts: int = 3
    asked: str | None = None

    def projects(self, principal: Principal) -> tuple[OverseenProject, ...]:
        return (self._project(),) if principal.person == "ada" else ()

    def project(self, principal: Principal, project: str) -> OverseenProject:
        if principal.person != "ada" or project != "p1":
            raise Refused.because(UNKNOWN_PROJECT)
        return self._project()

    def decisions(self, principal: Principal, project: str, page: Page) -> DecisionsView:
        self.project(principal, project)
        return self._decisions(page, sql=False)

    def requests(self, principal: Principal, dataset: str, page: Page) -> DecisionsView:
        self.dataset(principal, dataset)
        return self._decisions(page, sql=True)

    def incidents(self, principal: Principal, page: Page) -> IncidentsView:
        if principal.person != "ada":
            return IncidentsView(incidents=())
        open_one = IncidentView(index=41, project="p1", reason=ENGINE, at=AT, query="q_1")
        return IncidentsView(incidents=(open_one, open_one.model_copy(update={"index": 17, "settled": AT})))

    def unlock(self, principal: Principal, project: str, reason: str) -> None:
        self.project(principal, project)
        if self.state != "locked":
            raise Refused.because(NOT_LOCKED, project=project)
        self.unlocked.append((principal.person, project, reason))
        self.state = "active"

    def erasure(self, principal: Principal, project: str) -> ErasureView:
        self.project(principal, project)
        return ErasureView(project=project, texts=self.texts, person=self.asked, at=AT if self.asked else None)

    def ask_erasure(self, principal: Principal, project: str) -> None:
        self.project(principal, project)
        self.asked = principal.person

    def agree_erasure(self, principal: Principal, project: str) -> None:
        self.project(principal, project)
        if self.asked in (None, principal.person):
            raise Refused.because(ONE_PERSON)
        self.texts, self.asked = 0, None

    def entries(self, principal: Principal, wanted: Wanted, page: Page) -> EntriesView:
        if principal.person != "ada":
            raise Refused.because(UNKNOWN_ENTRY)
        self.wanted.append(wanted)
        indexes, following = self._page(page)
        return EntriesView(entries=tuple(_entry(index) for index in indexes), size=self.size, next=following)

    def entry(self, principal: Principal, index: int) -> EntryView:
        if principal.person != "ada" or not 0 <= index < self.size:
            raise Refused.because(UNKNOWN_ENTRY)
        return _entry(index)

    def receipt(self, principal: Principal, index: int) -> str:
        self.entry(principal, index)
        return f"c2sp.org/tlog-proof@v1\nindex {index}\n\n{CHECKPOINT}"

    def export(self, principal: Principal, wanted: Wanted, form: Form) -> Iterator[bytes]:
        found = [self.entry(principal, index) for index in range(self.size)]
        if form == "csv":
            return iter([b"index,event\r\n", *(f"{one.index},{one.fields['event']}\r\n".encode() for one in found)])
        return iter([one.model_dump_json().encode() + b"\n" for one in found])

    def crate(self, principal: Principal, wanted: Wanted) -> Iterator[bytes]:
        self.entry(principal, 0)
        return iter([b"PK\x05\x06", bytes(18)])

    def bundle(self, principal: Principal | None, path: str) -> bytes:
        if principal is None or principal.person != "ada":
            raise Refused.because(UNKNOWN_LOG_FILE)
        return b"\x00\x02{}"

    def verification(self, principal: Principal) -> VerificationView:
        if principal.person != "ada":
            raise Refused.because(UNKNOWN_PATH)
        check = CheckedView(check="every entry is well-formed", count=self.size)
        return VerificationView(
            origin="tre.example",
            size=self.size,
            root=ROOT,
            checkpoint=CHECKPOINT,
            key="tre.example+00000000+AAAA",
            checking=False,
            verified=True,
            checked_at=AT,
            checked_size=self.size,
            checked_root=ROOT,
            checks=(check,),
        )

    def datasets(self, principal: Principal) -> tuple[OverseenDataset, ...]:
        return (self._dataset(),) if principal.person == "ada" else ()

    def dataset(self, principal: Principal, name: str) -> OverseenDataset:
        if principal.person != "ada" or name != "northfield":
            raise Refused.because(UNKNOWN_DATASET)
        return self._dataset()

    def policies(self, principal: Principal, dataset: str) -> PoliciesView:
        self.dataset(principal, dataset)
        found = tuple(PolicyView(**self._policy(number)) for number in (2, 1))
        return PoliciesView(dataset=dataset, policies=found)

    def policy(self, principal: Principal, dataset: str, number: int) -> PolicyTextView:
        self.dataset(principal, dataset)
        if number not in (1, 2):
            raise Refused.because(UNKNOWN_POLICY)
        return PolicyTextView(dataset=dataset, text=TEXTS[number - 1], **self._policy(number))

    def diff(self, principal: Principal, dataset: str, old: int, new: int) -> PolicyDiffView:
        before, after = (self.policy(principal, dataset, number).text.splitlines() for number in (old, new))
        lines = (
            DiffLineView(kind="same", old=1, new=1, text=before[0]),
            DiffLineView(kind="removed", old=2, new=None, text=before[1]),
            DiffLineView(kind="added", old=None, new=2, text=after[1]),
        )
        return PolicyDiffView(dataset=dataset, old=old, new=new, lines=lines)

    def lint(self, principal: Principal, text: str) -> LintView:
        if principal.person != "ada":
            raise Refused.because(UNKNOWN_PATH)
        if "policy:" in text:
            return LintView(valid=True, findings=(), digest="cd" * 32)
        place = PlaceView(line=1, column=1, caret=f"{text.splitlines()[0] if text else ''}\n^")
        found = FindingView(
            level="error", code="policy.missing", sentence="It has no name.", remedy="Begin with one.", place=place
        )
        return LintView(valid=False, findings=(found,))

    def _project(self) -> OverseenProject:
        return OverseenProject(
            id="p1",
            state=self.state,
            datasets=("northfield",),
            purposes=("DUO:0000006",),
            members=(MemberView(person="lind", role="lead"), MemberView(person="okafor", role="researcher")),
            starts=AT,
            expires="2027-03-01T09:00:00.000Z",
            budget=(BUDGET,),
            incidents=2,
            open_incidents=1,
        )

    def _dataset(self) -> OverseenDataset:
        versions = tuple(
            VersionView(name=f"v{number}", number=number, added=AT, commitment="ef" * 32, catalogue="01" * 32)
            for number in (2, 1)
        )
        return OverseenDataset(
            name="northfield",
            versions=versions,
            policy="a2" * 32,
            projects=("p1",),
            controllers=("ada",),
            budget=BUDGET,
        )

    def _policy(self, number: int) -> dict[str, object]:
        status = "active" if number == 2 else "ended"
        ended = None if number == 2 else AT
        return {
            "number": number,
            "digest": f"a{number}" * 32,
            "status": status,
            "by": "operator",
            "at": AT,
            "ended": ended,
        }

    def _page(self, page: Page) -> tuple[list[int], int | None]:
        end = self.size if page.before is None else min(page.before, self.size)
        start = max(0, end - page.limit)
        return list(reversed(range(start, end))), start or None

    def _decisions(self, page: Page, *, sql: bool) -> DecisionsView:
        indexes, following = self._page(page)
        return DecisionsView(decisions=tuple(_decided(index, sql=sql) for index in indexes), next=following)
