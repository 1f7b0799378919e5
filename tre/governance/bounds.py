"""Releases of histograms and of sizes: what each cost, who has paid for it, and what was found (PRIVACY §3.2).

A release is paid before anything is read: by the data set, and by every project that has it as far as its budget goes;
a project that is given the data set later pays for what was released until then. Nothing of it is ever given back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import insert, select, update

from tre import ledger
from tre.base.cost import Cost, Measure
from tre.base.ids import new_id
from tre.journal import Trail
from tre.journal.entries import bounds_charged, bounds_released
from tre.ledger import LedgerId
from tre.privacy import sizes as released
from tre.privacy.histograms import Histogram, Statistic, Subject
from tre.privacy.sizes import Sizes
from tre.store import Reading, Transaction
from tre.store.tables import bounds_releases, histograms, project_datasets, sizes, versions


def pay_for_bounds(tx: Transaction, trail: Trail, dataset: str, version: str, cost: Cost) -> str:
    """Charge a release that is about to be measured on a version; return its id. Raises Refused (budget.exhausted)."""
    release = new_id("b", trail.randomness)
    charged = _charge(tx, trail, LedgerId.of_dataset(dataset), release, dataset, cost, version=version)
    row = {"id": release, "dataset": dataset, "version": version, "measure": cost.measure.value, "charged": charged}
    tx.execute(insert(bounds_releases).values(cost_amount=cost.amount, cost_delta=cost.delta, **row))
    users = select(project_datasets.c.project).where(project_datasets.c.dataset == dataset)
    for project in sorted(tx.execute(users).scalars()):
        account = LedgerId.of_project(project, dataset)
        owed = cost.least(ledger.balance(tx, account).left)
        if owed.amount:
            _charge(tx, trail, account, release, dataset, owed, project=project)
    return release


def pay_as_newcomer(tx: Transaction, trail: Trail, project: str, dataset: str) -> None:
    """Charge a project that is given a data set for what was released and serves it. Raises Refused (budget.exhausted).

    Bounds serve every version, sizes their own: those of versions before the newest are told to nobody who comes now.
    """
    account = LedgerId.of_project(project, dataset)
    newest = select(versions.c.name).where(versions.c.dataset == dataset).order_by(versions.c.number.desc()).limit(1)
    past = select(sizes.c.release).where(sizes.c.version != newest.scalar_subquery())
    serving = (bounds_releases.c.dataset == dataset, bounds_releases.c.id.not_in(past))
    for row in tx.execute(select(bounds_releases).where(*serving)).all():
        cost = Cost(Measure(row.measure), row.cost_amount, row.cost_delta)
        _charge(tx, trail, account, row.id, dataset, cost, project=project)


def keep_bounds(tx: Transaction, trail: Trail, release: str, found: Sequence[Histogram]) -> None:
    """Keep what a release found, in place of nothing: what was found before stays."""
    dataset = tx.execute(select(bounds_releases.c.dataset).where(bounds_releases.c.id == release)).scalar_one()
    for one in found:
        values = {"dataset": dataset, **_place(one.subject), "release": release, "found": one.as_json()}
        tx.insert_new(histograms, values)
    columns = {f"{one.subject.table}.{one.subject.column}" for one in found if one.subject.column}
    _released(tx, trail, release, [one.as_json() for one in found], {one.subject.table for one in found}, columns)


def keep_sizes(tx: Transaction, trail: Trail, release: str, found: Sizes) -> None:
    """Keep the sizes that a release found of its version."""
    version = tx.execute(select(bounds_releases.c.version).where(bounds_releases.c.id == release)).scalar_one()
    texts = {table: released.as_json(one) for table, one in sorted(found.items())}
    for table, text in texts.items():
        tx.insert_new(sizes, {"version": version, "table_name": table, "release": release, "found": text})
    _released(tx, trail, release, list(texts.values()), texts.keys())


def found_bounds(tx: Reading, dataset: str) -> Mapping[Subject, Histogram]:
    """Return every histogram of a data set."""
    rows = tx.execute(select(histograms).where(histograms.c.dataset == dataset))
    subjects = ((Subject(row.table_name, row.column_name, Statistic(row.statistic)), row.found) for row in rows)
    return {subject: Histogram.from_json(subject, text) for subject, text in subjects}


def found_sizes(tx: Reading, version: str) -> Sizes:
    """Return the noisy size of each table of a version that one was released of."""
    rows = tx.execute(select(sizes).where(sizes.c.version == version))
    return {row.table_name: released.from_json(row.found) for row in rows}


def _released(
    tx: Transaction,
    trail: Trail,
    release: str,
    texts: Sequence[str],
    tables: Collection[str],
    columns: Collection[str] = (),
) -> None:
    """Put on the record what a release found."""
    row = tx.execute(select(bounds_releases).where(bounds_releases.c.id == release)).one()
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    entry = bounds_released(trail.act(), release, row.dataset, row.version, digest, tuple(tables), tuple(columns))
    event = trail.record(tx, entry)
    tx.execute(update(bounds_releases).where(bounds_releases.c.id == release).values(released=event))


def _place(subject: Subject) -> dict[str, str]:
    return {"table_name": subject.table, "column_name": subject.column, "statistic": subject.statistic.value}


def _charge(
    tx: Transaction, trail: Trail, account: LedgerId, release: str, dataset: str, cost: Cost, **facts: str
) -> str:
    moved = [movement.as_entry() for movement in ledger.charge(tx, release, {account: cost})]
    return trail.record(tx, bounds_charged(trail.act(), release, dataset, cost, moved, **facts))
