"""Metrics for whoever watches over the house: counts and states, never times of engines, rows or bytes (PRIVACY §1)."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from tre.base.reasons import Refused
from tre.base.reasons import web as reasons
from tre.governance import oversight
from tre.identity import Principal
from tre.jobs import State
from tre.policy.actions import Action
from tre.policy.actions import House as TheHouse
from tre.store import Store
from tre.store.tables import incidents, outbox, queries


class Metrics:
    """One process's counts of requests, and the states that the control database holds for all."""

    def __init__(self, store: Store, desk: oversight.Desk, *more: Collector) -> None:
        """Count nothing yet; `more` is read with the rest."""
        self._desk = desk
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tre_requests", "Requests answered by this process", ["operation", "status"], registry=self._registry
        )
        for collector in (_States(store), *more):
            self._registry.register(collector)

    def observe(self, operation: str, status: int) -> None:
        """Count an answered request."""
        self._requests.labels(operation, str(status)).inc()

    def text(self, principal: Principal) -> str:
        """Return the metrics to operators and auditors. Raises Refused (web.unknown-path) to everybody else."""
        if not self._desk.may(principal, Action.HEALTH_READ, TheHouse()):
            raise Refused.because(reasons.UNKNOWN_PATH)
        return generate_latest(self._registry).decode()


class _States(Collector):
    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the counts now."""
        with self._store.reading() as tx:
            rows = tx.execute(select(queries.c.state, func.count().label("number")).group_by(queries.c.state))
            by_state = {row.state: row.number for row in rows}
            waiting = tx.execute(select(func.count()).select_from(outbox)).scalar_one()
            unsettled = select(func.count()).select_from(incidents).where(incidents.c.settled.is_(None))
            incident = tx.execute(unsettled).scalar_one()
        states = GaugeMetricFamily("tre_queries", "Questions by state, in all", labels=["state"])
        for state in State:
            states.add_metric([state.value], by_state.get(state.value, 0))
        yield states
        yield GaugeMetricFamily("tre_entries_waiting", "Entries that wait for the log", value=waiting)
        yield GaugeMetricFamily("tre_incidents_unsettled", "Incidents nobody has looked at", value=incident)
