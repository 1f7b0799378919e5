"""The reviewers' side over its flows: records become the views that the protocol promises."""

from __future__ import annotations

from collections.abc import Iterator

from audit.notes import encode_base64, parse_checkpoint, parse_note
from tre.base.clock import stamp
from tre.base.reasons import Refused, web
from tre.governance import oversight as flows
from tre.identity import Principal
from tre.journal.exports import FORMS, Form
from tre.journal.search import Hit, Page, Wanted
from tre.journal.zipped import zipped
from tre.web import oversight_views as views
from tre.web.adapter.comparing import line_by_line
from tre.web.adapter.general import code_view
from tre.web.adapter.reviewing import data_view, decided_view, finding_view, incident_view, policy_view, project_view

_FINDINGS = 100


class OversightService:
    """Implements `tre.web.oversight.Oversight`."""

    def __init__(self, desk: flows.Desk, check: flows.LogCheck, key: str) -> None:
        """Answer from `desk`; `check` verifies its log, whose public key is `key`."""
        self._desk, self._check, self._key = desk, check, key

    def projects(self, principal: Principal) -> tuple[views.OverseenProject, ...]:
        """Return the projects that this person oversees."""
        return tuple(project_view(one) for one in flows.projects(self._desk, principal))

    def project(self, principal: Principal, project: str) -> views.OverseenProject:
        """Return one of them."""
        return project_view(flows.project(self._desk, principal, project))

    def decisions(self, principal: Principal, project: str, page: Page) -> views.DecisionsView:
        """Return decisions on a project's requests."""
        return _decisions(flows.decisions(self._desk, principal, project, page))

    def requests(self, principal: Principal, dataset: str, page: Page) -> views.DecisionsView:
        """Return who asked what of a data set."""
        return _decisions(flows.requests(self._desk, principal, dataset, page))

    def incidents(self, principal: Principal, page: Page) -> views.IncidentsView:
        """Return incidents."""
        found = flows.incidents(self._desk, principal, page)
        return views.IncidentsView(incidents=tuple(map(incident_view, found.incidents)), next=found.next)

    def unlock(self, principal: Principal, project: str, reason: str) -> None:
        """Unlock a project."""
        flows.unlock(self._desk, principal, project, reason)

    def erasure(self, principal: Principal, project: str) -> views.ErasureView:
        """Return how the erasure of a project's texts stands."""
        found = flows.erasure(self._desk, principal, project)
        at = None if found.at is None else stamp(found.at)
        return views.ErasureView(project=found.project, texts=found.texts, person=found.person, at=at)

    def ask_erasure(self, principal: Principal, project: str) -> None:
        """Ask for it."""
        flows.ask(self._desk, principal, project)

    def agree_erasure(self, principal: Principal, project: str) -> None:
        """Agree, and erase."""
        flows.agree(self._desk, principal, project)

    def entries(self, principal: Principal, wanted: Wanted, page: Page) -> views.EntriesView:
        """Return entries of the log."""
        found = flows.entries(self._desk, principal, wanted, page)
        return views.EntriesView(entries=tuple(map(_entry, found.entries)), size=self._desk.log.size, next=found.next)

    def entry(self, principal: Principal, index: int) -> views.EntryView:
        """Return one entry."""
        return _entry(flows.entry(self._desk, principal, index))

    def receipt(self, principal: Principal, index: int) -> str:
        """Return an entry's receipt."""
        return flows.receipt(self._desk, principal, index)

    def export(self, principal: Principal, wanted: Wanted, form: Form) -> Iterator[bytes]:
        """Return entries as the pieces of a file."""
        return FORMS[form](flows.everything(self._desk, principal, wanted), flows.origin(self._key))

    def crate(self, principal: Principal, wanted: Wanted) -> Iterator[bytes]:
        """Return what a project did as an archive with its proofs."""
        return zipped(flows.crate(self._desk, principal, wanted, self._key), self._desk.clock.now())

    def bundle(self, principal: Principal | None, path: str) -> bytes:
        """Return a bundle of entries."""
        return flows.bundle(self._desk, principal, path)

    def verification(self, principal: Principal) -> views.VerificationView:
        """Return the verifier's last report, and the head now."""
        flows.may_verify(self._desk, principal)
        last, checking = self._check.last()
        note = self._desk.log.checkpoint()
        head = parse_checkpoint(parse_note(note.encode()).text)
        now = views.VerificationView(
            origin=head.origin,
            size=head.size,
            root=encode_base64(head.root),
            checkpoint=note,
            key=self._key,
            checking=checking,
        )
        return now if last is None else now.model_copy(update=_report(last))

    def datasets(self, principal: Principal) -> tuple[views.OverseenDataset, ...]:
        """Return the data sets that this person answers for or audits."""
        return tuple(data_view(one) for one in flows.datasets(self._desk, principal))

    def dataset(self, principal: Principal, name: str) -> views.OverseenDataset:
        """Return one of them."""
        return data_view(flows.dataset(self._desk, principal, name))

    def policies(self, principal: Principal, dataset: str) -> views.PoliciesView:
        """Return the history of a data set's policies, newest first."""
        found = flows.policies(self._desk, principal, dataset)
        return views.PoliciesView(dataset=dataset, policies=tuple(policy_view(one) for one in reversed(found)))

    def policy(self, principal: Principal, dataset: str, number: int) -> views.PolicyTextView:
        """Return one policy with its text."""
        for one in flows.policies(self._desk, principal, dataset):
            if one.number == number:
                shown = policy_view(one).model_dump()
                return views.PolicyTextView(**shown, dataset=dataset, text=one.policy.text)
        raise Refused.because(web.UNKNOWN_POLICY)

    def diff(self, principal: Principal, dataset: str, old: int, new: int) -> views.PolicyDiffView:
        """Return two policies line by line."""
        texts = [self.policy(principal, dataset, number).text for number in (old, new)]
        return views.PolicyDiffView(dataset=dataset, old=old, new=new, lines=line_by_line(*texts))

    def lint(self, principal: Principal, text: str) -> views.LintView:
        """Return what is to be said about a policy document."""
        found, said = flows.linted(self._desk, principal, text)
        return views.LintView(
            valid=found is not None,
            findings=tuple(map(finding_view, said[:_FINDINGS])),
            unlisted=max(0, len(said) - _FINDINGS),
            digest=None if found is None else found.digest,
        )


def _decisions(found: flows.Decisions) -> views.DecisionsView:
    return views.DecisionsView(decisions=tuple(map(decided_view, found.decisions)), next=found.next)


def _entry(hit: Hit) -> views.EntryView:
    return views.EntryView(index=hit.index, fields=hit.fields)


def _report(last: flows.Checked) -> dict[str, object]:
    found: dict[str, object] = {"checked_at": stamp(last.at)}
    if last.report is None:
        return found | {"fault": code_view(web.UNVERIFIED.code)}
    report = last.report
    checks = tuple(views.CheckedView.model_validate(one, strict=False) for one in report["checks"])
    head = {"checked_size": report["size"], "checked_root": report["root"]}
    return found | head | {"verified": report["verified"], "checks": checks}
