"""The path of a request, as its faces see it: check, submit, wait, result, receipt."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tre import governance, jobs, ledger
from tre.base.reasons import Refused, web
from tre.broker.asking import Taken, check, submit
from tre.broker.facts import amount, facts
from tre.broker.parts import Parts
from tre.broker.runner import Runner
from tre.broker.standing import Asker, Standing, standing
from tre.catalogue import Catalogue
from tre.decide import Decision, Question
from tre.governance import ProjectRecord
from tre.jobs import Job, State
from tre.journal import outbox
from tre.ledger import LedgerId
from tre.policy import with_version
from tre.store import Reading

_POLL = 0.01


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as its asker may see it. An end is shown once its outcome is in the log: until then it runs."""

    job: Job
    state: State
    index: int | None

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.state in (State.COMMITTED, State.BURNED, State.VOIDED)


class Broker:
    """One gated path from a question to an answer, over the parts that it was given."""

    def __init__(self, parts: Parts, threads: int = 2) -> None:
        self.parts = parts
        self._runner = Runner(parts, threads)

    def start(self) -> None:
        """End what a dead process left running, note what the log knows, take what waits."""
        self._runner.start()

    def stop(self) -> None:
        """Finish what runs and take no more."""
        self._runner.stop()

    def check(
        self, asker: Asker, project: str, dataset: str | None, question: Question
    ) -> tuple[Decision, Mapping[str, Any]]:
        """Return the decision on a question with its facts: the same code as `submit`, no cost, no entry."""
        decision, at = check(self.parts, asker, project, dataset, question)
        return decision, facts(decision, at)

    def submit(
        self, asker: Asker, project: str, dataset: str | None, question: Question, key: str | None = None
    ) -> Taken:
        """Take a question in; see `tre.broker.asking.submit`."""
        taken = submit(self.parts, asker, project, dataset, question, key)
        if taken.queued:
            self._runner.wake()
        return taken

    def find(self, asker: Asker, query: str) -> Shown:
        """Return a request to those who may see it: members of its project. Raises Refused (request.unknown)."""
        with self.parts.store.reading() as tx:
            job = jobs.find(tx, query)
            if job is None or not _is_member(tx, asker.person, job.project):
                raise Refused.because(web.UNKNOWN_QUERY)
            return _shown(tx, job)

    def wait(self, asker: Asker, query: str, seconds: float) -> Shown:
        """Return the request when it has ended, or as it stands after `seconds`."""
        deadline = self.parts.clock.monotonic() + seconds
        pause = threading.Event()
        while not (found := self.find(asker, query)).ended and self.parts.clock.monotonic() < deadline:
            pause.wait(_POLL)
        return found

    def receipt(self, asker: Asker, query: str) -> str:
        """Return the proof that the request's outcome stands in the log, with the entry itself."""
        found = self.find(asker, query)
        if found.index is None:
            raise Refused.because(web.NOT_FINISHED)
        return self.parts.journal.receipt(found.index, with_entry=True)

    def projects(self, asker: Asker) -> tuple[ProjectRecord, ...]:
        """Return the projects that a person belongs to."""
        with self.parts.store.reading() as tx:
            return governance.list_projects(tx, asker.person)

    def standing(self, asker: Asker, project: str, dataset: str) -> Standing:
        """Return where a project stands on a data set of its own."""
        with self.parts.store.reading() as tx:
            return standing(tx, self.parts, asker, project, dataset)

    def catalogue(self, at: Standing) -> Catalogue:
        """Return the catalogue of the version at hand: what a query may name and more."""
        version = at.version
        return with_version(at.policy.catalogue, version.name, version.enforced, version.public_sizes, version.absent)

    def accounts(self, asker: Asker, project: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Return, for each data set of a project, its ledger as amounts that people read."""
        with self.parts.store.reading() as tx:
            found = governance.find_project(tx, project)
            if found is None or asker.person not in found.members:
                raise Refused.because(web.UNKNOWN_PROJECT)
            return tuple((name, self._account(tx, asker, project, name)) for name in sorted(found.datasets))

    def _account(self, tx: Reading, asker: Asker, project: str, dataset: str) -> Mapping[str, Any]:
        at = standing(tx, self.parts, asker, project, dataset)
        balance = ledger.balance(tx, LedgerId.of_project(project, dataset))
        amounts = {"limit": balance.limit, "spent": balance.spent, "reserved": balance.reserved, "left": balance.left}
        return {name: amount(cost, at) for name, cost in amounts.items()}


def _is_member(tx: Reading, person: str, project: str) -> bool:
    found = governance.find_project(tx, project)
    return found is not None and person in found.members


def _shown(tx: Reading, job: Job) -> Shown:
    if job.outcome is None:
        return Shown(job, job.state, None)
    index = job.receipt_index
    if index is None:
        index = outbox.indexes_of(tx, [job.outcome]).get(job.outcome)
    return Shown(job, job.state if index is not None else State.RUNNING, index)
