"""From a home to the parts that flows are made of."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from audit import Log, RemoteLog
from tre import jobs, ledger
from tre.app.issuers import outside_issuer, sign_in_providers
from tre.app.settings import Settings, control_url, read_settings
from tre.app.writing import open_log
from tre.base.clock import Clock, SystemClock
from tre.base.home import Home
from tre.base.ids import new_id
from tre.base.reasons import Refused
from tre.base.reasons import app as reasons
from tre.broker import Parts
from tre.broker.parts import Step
from tre.engines import DuckDBEngine, EngineLimits, PooledEngine, PostgresEngine
from tre.identity import EmbeddedIssuer, Issuer, Provider, load_key, load_retired, state_of
from tre.journal import Journal, Readings, Shown, Sidecar, Trail, destroy_again, settle_master
from tre.onboarding import Server
from tre.privacy.mechanisms import OpenDPNoise
from tre.store import Store, Transaction

MEBI = 1024**2
QUESTION_KEY, MIX_KEY, COMMITMENT_KEY, MASTER_KEY = "questions.key", "mix.key", "commitment.key", "master.key"
SYSTEM = "system"


@dataclass(frozen=True)
class House:
    """A home with what is opened of it. Everything heavy is opened when first asked for."""

    home: Home

    @cached_property
    def settings(self) -> Settings:
        """The deployment's settings. Raises Refused (app.no-home, app.settings)."""
        if not self.home.exists:
            raise Refused.because(reasons.NO_HOME, home=str(self.home.root))
        return read_settings(self.home)

    @property
    def is_demonstration(self) -> bool:
        """Whether one may choose here who one is: the settings say so, and `tre demo` made the home."""
        return self.settings.portal.demonstration and self.home.demonstration.is_file()

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock."""
        return SystemClock()

    @cached_property
    def store(self) -> Store:
        """The control database, brought to this release."""
        control = self.settings.control
        store = Store(control_url(control.url if control else None, self.home))
        store.migrate()
        return store

    @cached_property
    def sidecar(self) -> Sidecar:
        """The encrypted texts beside the log."""
        settle_master(self.store, self.home.keys / MASTER_KEY)
        return Sidecar.open(self.home.keys / MASTER_KEY)

    @cached_property
    def journal(self) -> Journal:
        """The road to the log."""
        return Journal(self.store, self._open_log, self.clock, self._reconcile)

    @cached_property
    def readings(self) -> Readings:
        """Who reads what, each on the record before it is shown."""
        return Readings(self.store, self.journal)

    @property
    def issuer(self) -> EmbeddedIssuer:
        """The embedded issuer of tokens, with the keys that stand in the home now: a rotation holds at once."""
        keys, state = self.home.keys, state_of(self.home.keys)
        if self._issuer.get("state") != state:
            self._issuer.update(state=state, key=load_key(keys), retired=load_retired(keys))
        names = self.settings.log.origin, self.settings.server.audience
        return EmbeddedIssuer(*names, self._issuer["key"], self.clock, self._issuer["retired"])

    @cached_property
    def _issuer(self) -> dict[str, Any]:
        return {}

    @property
    def trusted(self) -> tuple[Issuer, ...]:
        """Every issuer whose tokens are taken now: the embedded one, and those that the settings name."""
        return (self.issuer.trusted(), *self.outside)

    @cached_property
    def outside(self) -> tuple[Issuer, ...]:
        """The issuers that the settings name, with what was read of their keys."""
        return tuple(outside_issuer(said, self.home.root, self.store, self.clock) for said in self.settings.issuers)

    @cached_property
    def providers(self) -> tuple[Provider, ...]:
        """The issuers at which people may sign in to the portal."""
        return sign_in_providers(self.settings.issuers, self.outside, self.home.root, self.clock)

    def key(self, name: str) -> bytes:
        """Return a secret of the home."""
        return (self.home.keys / name).read_bytes()

    def trail(self, actor: str, session: str | None = None) -> Trail:
        """Begin an act of `actor`."""
        return Trail(actor, self.clock, self.sidecar, session, secrets.token_bytes)

    def act(self, actor: str, change: Callable[[Transaction, Trail], None]) -> None:
        """Make one change with its entries, and return once they are in the log."""
        trail = self.trail(actor)
        with self.store.transaction() as tx:
            change(tx, trail)
        self.journal.settle(trail.events)

    def engine(self) -> PooledEngine:
        """Return a new engine: where the versions are."""
        said = self.settings.engine
        limits = EngineLimits(said.memory * MEBI, said.spill * MEBI, said.threads, said.workers)
        if said.postgresql is None:
            return DuckDBEngine(limits, self.home.spill)
        return PostgresEngine(limits, self.home.spill, said.postgresql.reader)

    def server(self) -> Server | None:
        """Return the server in which versions stay, if they stay in one."""
        said = self.settings.engine.postgresql
        return None if said is None else Server(said.owner, said.role)

    def parts(self, step: Step = lambda _name: None) -> Parts:
        """Return what the path of a request is made of."""
        return Parts(
            store=self.store,
            journal=self.journal,
            engine=self.engine(),
            sidecar=self.sidecar,
            readings=self.readings,
            noise=OpenDPNoise(),
            clock=self.clock,
            randomness=secrets.token_bytes,
            versions=self.home.versions,
            question_key=self.key(QUESTION_KEY),
            mix_secret=int.from_bytes(self.key(MIX_KEY)[:8]) >> 2,
            owner=new_id("server"),
            patience=float(self.settings.runner.patience),
            step=step,
        )

    def close(self) -> None:
        """Give the log and the database back; whatever is asked for next is opened anew."""
        for name in ("sidecar", "readings", "outside", "providers"):
            self.__dict__.pop(name, None)
        for name in ("journal", "store"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    def _open_log(self) -> Log | RemoteLog:
        return open_log(self.home, self.settings.log)

    def _reconcile(self, tx: Transaction, shown: Shown) -> None:
        """Before anything else: budgets never below the log, a restored back-up's requests ended, erased texts gone."""
        ledger.raise_to(tx, shown)
        jobs.adopt(tx, shown)
        ledger.burn_unknown(tx, shown, self.trail(SYSTEM))
        destroy_again(tx, shown)
