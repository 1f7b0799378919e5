"""What the reviewers' pages and operations need from the flows behind them: one protocol (GOVERNANCE §1).

Every method takes who asks, and raises Refused; what is unknown and what is not for them answer alike. Whoever reads
what others did is on the record before they see it: once for each session or token, once more for each data set whose
questions they read, and once more for a file of entries. A token made for one project opens nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from tre.identity import Principal
from tre.journal.exports import Form
from tre.journal.search import Page, Wanted
from tre.web.oversight_views import (
    DecisionsView,
    EntriesView,
    EntryView,
    ErasureView,
    IncidentsView,
    LintView,
    OverseenDataset,
    OverseenProject,
    PoliciesView,
    PolicyDiffView,
    PolicyTextView,
    VerificationView,
)


class Oversight(Protocol):
    """The reviewers' side. Pages are by keyset: `Page.before` is the `next` of the page before, `limit` 1 to 200."""

    def projects(self, principal: Principal) -> tuple[OverseenProject, ...]:
        """Return the projects that this person oversees: all for board and auditors, a controller's data sets' own.

        A controller sees of a project what concerns their data sets. Nobody's are an empty tuple.
        """

    def project(self, principal: Principal, project: str) -> OverseenProject:
        """Return one of them; refused as web.unknown-project otherwise."""

    def decisions(self, principal: Principal, project: str, page: Page) -> DecisionsView:
        """Return decisions on a project's requests, allowed and denied; `sql` only to whom `requests` would show it."""

    def requests(self, principal: Principal, dataset: str, page: Page) -> DecisionsView:
        """Return who asked what of a data set, with what was typed: to its controllers and to auditors."""

    def incidents(self, principal: Principal, page: Page) -> IncidentsView:
        """Return the incidents of the projects that this person oversees."""

    def unlock(self, principal: Principal, project: str, reason: str) -> None:
        """Unlock a project after its incidents were looked at; nobody unlocks their own.

        Raises Refused (web.unknown-project, governance.own-project, governance.not-governance,
        governance.no-reason, governance.not-locked).
        """

    def erasure(self, principal: Principal, project: str) -> ErasureView:
        """Return how the erasure of a project's texts stands, to who is entitled; web.unknown-project to others."""

    def ask_erasure(self, principal: Principal, project: str) -> None:
        """Ask for it: nothing is erased before another person agrees.

        Raises Refused (web.unknown-project, governance.own-texts, governance.not-eraser).
        """

    def agree_erasure(self, principal: Principal, project: str) -> None:
        """Agree to what another person asked for, and erase for good.

        Raises Refused (web.unknown-project, governance.erasure-not-asked, governance.one-person,
        governance.own-texts, governance.not-eraser, governance.nothing-sealed).
        """

    def entries(self, principal: Principal, wanted: Wanted, page: Page) -> EntriesView:
        """Return entries of the log that are `wanted`, to board and auditors; web.unknown-entry to others."""

    def entry(self, principal: Principal, index: int) -> EntryView:
        """Return one entry of the log; refused as web.unknown-entry where there is none for this person."""

    def receipt(self, principal: Principal, index: int) -> str:
        """Return an entry's receipt, with the entry in it, as the text of a tlog-proof."""

    def export(self, principal: Principal, wanted: Wanted, form: Form) -> Iterator[bytes]:
        """Return all that are wanted, oldest first, as the pieces of a file. Rights are settled before the first."""

    def crate(self, principal: Principal, wanted: Wanted) -> Iterator[bytes]:
        """Return what `wanted.project` did as the pieces of a ZIP archive: an RO-Crate with receipts."""

    def bundle(self, principal: Principal | None, path: str) -> bytes:
        """Return a bundle of entries such as "entries/000.p/7" (C2SP tlog-tiles); web.unknown-log-file to others."""

    def verification(self, principal: Principal) -> VerificationView:
        """Return the verifier's last report; one that is too old is made anew beside, so ask again while `checking`.

        To board, auditors, controllers and operators: it shows no entry.
        """

    def datasets(self, principal: Principal) -> tuple[OverseenDataset, ...]:
        """Return the data sets that this person answers for; all for auditors. Nobody's are an empty tuple."""

    def dataset(self, principal: Principal, name: str) -> OverseenDataset:
        """Return one of them; refused as web.unknown-dataset otherwise."""

    def policies(self, principal: Principal, dataset: str) -> PoliciesView:
        """Return the history of a data set's policies."""

    def policy(self, principal: Principal, dataset: str, number: int) -> PolicyTextView:
        """Return the text of one policy of that history; refused as web.unknown-policy where there is none."""

    def diff(self, principal: Principal, dataset: str, old: int, new: int) -> PolicyDiffView:
        """Return two policies of that history line by line."""

    def lint(self, principal: Principal, text: str) -> LintView:
        """Return what is to be said about a policy document. It stays with whoever sent it: nothing is kept."""
