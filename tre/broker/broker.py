"""The path of a request, as its faces see it: check, submit, wait, result, receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tre import governance, jobs, ledger
from tre.base.reasons import Refused, web
from tre.broker.asking import SQL, Taken, check, named, submit, unsealed
from tre.broker.cancelling import cancel
from tre.broker.facts import amount, facts, sharper
from tre.broker.parts import Parts
from tre.broker.refining import Offer, refine
from tre.broker.runner import Runner
from tre.broker.standing import Asker, Standing, standing
from tre.catalogue import Catalogue
from tre.decide import Decision, Explanation, Question, explain
from tre.governance import ProjectRecord
from tre.jobs import Job, State
from tre.journal import OWN, OnRecord, on_record, outbox
from tre.journal.entries import audit_read
from tre.ledger import LedgerId
from tre.policy import CompiledPolicy, gates
from tre.policy.actions import Action, Answer
from tre.policy.context import Role
from tre.store import Reading

# Seconds after which a waiting thread looks by itself: another server may have ended the request.
_LOOK = 0.25


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as its asker may see it. An end is shown once its outcome is in the log: until then it runs.

    `sharper` is told with an answer: what a sharper one would cost.
    """

    job: Job
    state: State
    index: int | None
    sharper: Mapping[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.state in (State.COMMITTED, State.BURNED, State.VOIDED)


class Broker:
    """One gated path from a question to an answer, over the parts that it was given."""

    def __init__(self, parts: Parts, threads: int = 2, *, alone: bool = True) -> None:
        """Take `alone` to say that no other server works on the same database."""
        self.parts = parts
        self._runner = Runner(parts, threads, alone=alone)

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

    def explain(self, decision: Decision, question: Question) -> Explanation | None:
        """Return the plan of a decision on `question` for people; None where there is none."""
        return explain(decision, question.ask, self.parts.engine.dialect)

    def submit(
        self, asker: Asker, project: str, dataset: str | None, question: Question, key: str | None = None
    ) -> Taken:
        """Take a question in; see `tre.broker.asking.submit`. `key` is the caller's idempotency key."""
        query = named(self.parts, asker, project, key)
        return self._taken(submit(self.parts, asker, project, dataset, question, query))

    def refine(self, asker: Asker, query: str, offer: Offer, key: str | None = None) -> Taken:
        """Ask an answered question for a further draw, by who may read its answer; see `tre.broker.refining`."""
        job = self.read(asker, query).job
        return self._taken(refine(self.parts, asker, job, offer, named(self.parts, asker, job.project, key)))

    def _taken(self, taken: Taken) -> Taken:
        if taken.queued:
            self._runner.wake()
        return taken

    def find(self, asker: Asker, query: str) -> Shown:
        """Return how a request stands to who asked it or leads its project. Raises Refused (web.unknown-query)."""
        with self.parts.store.reading() as tx:
            return _shown(_own(tx, asker, query))

    def read(self, asker: Asker, query: str, action: Action = Action.ANSWER_READ) -> Shown:
        """Return a request whose answer or receipt is about to be read, under the rights in force now.

        A read by anyone but its owner is an entry of the log before it is answered (GOVERNANCE §1).
        """
        found = self._may(action, asker, query)
        job = found.job
        if found.index is not None and asker.person != job.person:
            self._note_read(asker, found.index, job)
        return found

    def cancel(self, asker: Asker, query: str) -> Shown:
        """End a request by the wish of who asked or leads its project; see `tre.broker.cancelling`."""
        self._may(Action.ANSWER_CANCEL, asker, query)
        cancel(self.parts, asker, query)
        self._runner.end(query)
        self._runner.wake()
        return self.find(asker, query)

    def asked(self, asker: Asker, query: str) -> Question | None:
        """Return what a request asked, to who asked it; a read by its project's lead is an entry of the log first.

        None where the text was erased, or where its intent is not in the log yet and somebody else asks for it.
        """
        with self.parts.store.reading() as tx:
            job = _own(tx, asker, query)
            index = outbox.indexes_of(tx, [job.intent]).get(job.intent)
        if asker.person == job.person:
            reading = self._own_reading(asker)
        elif index is None:
            return None
        else:
            reading = self._note_read(asker, index, job)
        with self.parts.store.reading() as tx:
            return _asked(tx, self.parts, job, reading)

    def history(
        self, asker: Asker, project: str, before: int | None, most: int
    ) -> tuple[tuple[Shown, Question | None], ...]:
        """Return a project's requests, newest first: one's own with what was asked; to a lead also others', without.

        Raises Refused (web.unknown-project).
        """
        with self.parts.store.reading() as tx:
            role = governance.role_in(tx, project, asker.person)
            if role is None:
                raise Refused.because(web.UNKNOWN_PROJECT)
            own = None if role is Role.LEAD else asker.person
            page = jobs.jobs_of(tx, project, person=own, before=before, most=most)
        questions = self._own_questions(asker, [job for job in page if job.person == asker.person])
        return tuple((_shown(job), questions.get(job.id)) for job in page)

    def wait(self, asker: Asker, query: str, seconds: float) -> Shown:
        """Return the request when it has ended, or as it stands after `seconds`."""
        now = self.parts.clock.monotonic
        deadline = now() + seconds
        with self.parts.ends.watch(query) as heard:
            while (found := self._ended(asker, query)) is None and (left := deadline - now()) > 0:
                heard.wait(min(left, _LOOK))
                heard.clear()
        return found or self.find(asker, query)

    def receipt(self, asker: Asker, query: str) -> str:
        """Return the proof that the request's outcome stands in the log, with the entry itself."""
        found = self.read(asker, query, Action.RECEIPT_READ)
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
        return at.ground.catalogue

    def accounts(self, asker: Asker, project: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Return, for each data set of a project, its ledger as amounts that people read."""
        with self.parts.store.reading() as tx:
            found = governance.find_project(tx, project)
            if found is None or asker.person not in found.members:
                raise Refused.because(web.UNKNOWN_PROJECT)
            return tuple((name, self._account(tx, asker, project, name)) for name in sorted(found.datasets))

    def _ended(self, asker: Asker, query: str) -> Shown | None:
        """Return a request that has ended; whether it may have is asked first, which is cheap."""
        with self.parts.store.reading() as tx:
            if jobs.states_of(tx, [query]).get(query) in (State.QUEUED, State.RUNNING):
                return None
            found = _shown(_own(tx, asker, query))
        return found if found.ended else None

    def _may(self, action: Action, asker: Asker, query: str) -> Shown:
        """Return a request on which the asker may act, under the rights in force now."""
        with self.parts.store.reading() as tx:
            job = _own(tx, asker, query)
            context = governance.context(tx, asker.person, job.project, asker.acr, self.parts.clock.now())
            policy = governance.policy_in_force(tx, job.dataset)
            if context.project is None:
                raise Refused.because(web.UNKNOWN_QUERY)
            verdict = gates.may(action, context, Answer(job.id, job.person, context.project), policy)
            if not verdict.allowed:
                raise Refused(verdict.refusals)
            found = _shown(job)
            if action is Action.ANSWER_READ and found.state is State.COMMITTED and policy is not None:
                return replace(found, sharper=_sharper(tx, job, policy))
            return found

    def _note_read(self, asker: Asker, index: int, job: Job) -> OnRecord:
        trail = self.parts.trail(asker.person, asker.token)
        with self.parts.store.transaction() as tx:
            event = trail.record(tx, audit_read(trail.act(job.id), index, index + 1, job.project))
        return on_record(self.parts.journal, event, job.intent)

    def _own_reading(self, asker: Asker) -> OnRecord:
        return self.parts.readings.on_record(self.parts.trail(asker.person, asker.token), OWN)

    def _own_questions(self, asker: Asker, own: Sequence[Job]) -> Mapping[str, Question | None]:
        if not own:
            return {}
        reading = self._own_reading(asker)
        with self.parts.store.reading() as tx:
            return {job.id: _asked(tx, self.parts, job, reading) for job in own}

    def _account(self, tx: Reading, asker: Asker, project: str, dataset: str) -> Mapping[str, Any]:
        at = standing(tx, self.parts, asker, project, dataset)
        balance = ledger.balance(tx, LedgerId.of_project(project, dataset))
        amounts = {"limit": balance.limit, "spent": balance.spent, "reserved": balance.reserved, "left": balance.left}
        return {name: amount(cost, at.policy) for name, cost in amounts.items()}


def _own(tx: Reading, asker: Asker, query: str) -> Job:
    """Return a request of the asker's own, or of a project that they lead; all others are unknown alike."""
    job = jobs.find(tx, query)
    role = governance.role_in(tx, job.project, asker.person) if job is not None else None
    if job is None or role is None or (asker.person != job.person and role is not Role.LEAD):
        raise Refused.because(web.UNKNOWN_QUERY)
    return job


def _asked(tx: Reading, parts: Parts, job: Job, reading: OnRecord) -> Question | None:
    sealed = parts.sidecar.read(tx, job.intent, SQL, reading)
    return None if sealed is None else unsealed(sealed)


def _sharper(tx: Reading, job: Job, policy: CompiledPolicy) -> Mapping[str, Any] | None:
    own = ledger.balance(tx, LedgerId.of_project(job.project, job.dataset))
    dataset = ledger.balance(tx, LedgerId.of_dataset(job.dataset))
    return sharper(job, own.left.least(dataset.left), own.limit, policy)


def _shown(job: Job) -> Shown:
    if job.outcome is None:
        return Shown(job, job.state, None)
    if job.aim is not None and job.state is State.COMMITTED:
        return Shown(job, State.RUNNING, None)  # a pilot, whose second step is being priced
    index = job.receipt_index
    return Shown(job, job.state if index is not None else State.RUNNING, index)
