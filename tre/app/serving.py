"""The server: one process that writes the log, measures questions and answers over HTTP."""

from __future__ import annotations

import fcntl
import gc
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from werkzeug.middleware.proxy_fix import ProxyFix

from audit import LogError, LogReader, TileError
from audit.cosignatures import Cosigner
from tre import engines, governance
from tre.app.compose import QUESTION_KEY, House
from tre.app.failures import FailedSignIns
from tre.app.limiting import Limiting
from tre.app.metrics import Metrics
from tre.app.publishing import Heads, judge_of
from tre.app.reviewing import Reviewing
from tre.app.signing_in import SigningIn
from tre.app.telling import as_json_lines, tell
from tre.app.witnessing import Witnessing
from tre.app.writing import await_writer, log_refused, second_key
from tre.base.cost import Measure
from tre.base.home import Home
from tre.base.lean import leave_frames_out
from tre.base.reasons import Refused, identity
from tre.base.reasons import app as reasons
from tre.base.reasons import web as web_reasons
from tre.broker import Broker
from tre.broker.parts import Step
from tre.broker.standing import version_at
from tre.engines import EngineFailed
from tre.governance import oversight
from tre.identity import Principal, verify
from tre.identity.rates import Rates
from tre.journal import OWN
from tre.onboarding import forgetting, sweep
from tre.privacy.mechanisms import Mechanism, accuracy
from tre.web.adapter import BrokerService
from tre.web.app import create_app
from tre.web.docs import add_docs
from tre.web.operations.reviewing import reviewing
from tre.web.portal import Brand, Known, Portal, add_portal
from tre.web.signin import add_sign_in
from tre.web.visitors import Visitors

_DRAIN = 0.05


class Running:
    """A house in service: log recovered, requests taken on, other processes' entries written.

    `alone` says that no other process serves this house: what a dead one left is ended at once, not after its lease.
    """

    def __init__(self, house: House, step: Step = lambda _name: None, *, alone: bool = True) -> None:
        self._house = house
        house.journal.recover()
        if alone:
            _sweep(house)
        self._parts = house.parts(step)
        self._failures = FailedSignIns(house)
        self.broker = Broker(self._parts, house.settings.runner.threads, alone=alone)
        self._log = LogReader(house.home.log).judging(judge_of(house.home, house.settings.log))
        second = second_key(house.home)
        self._heads = Heads(self._log, second)
        self._witnessing = _witnessing(house, second)
        self.reviewing = Reviewing(house, self._log)
        self._stopping = threading.Event()
        self._drainer = threading.Thread(target=self._drain, name="drainer", daemon=True)
        self._drainer.start()
        self._warm()
        self.broker.start()

    def app(self) -> Flask:
        """Return the REST surface, the pages of signing in and the portal."""
        house, most = self._house, self._house.settings.limits
        metrics = Metrics(house.store, self.reviewing.desk, self._heads, *self._witnessing)
        service = BrokerService(self.broker, _Files(self._log, self._heads, self.reviewing.desk), metrics.text)
        counting = Limiting(Rates(house.store, house.key(QUESTION_KEY), house.clock), most)
        oversight = self.reviewing.service
        app = create_app(
            service, self._principal, more=reviewing(oversight), counting=counting, observe=metrics.observe
        )
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=most.proxies, x_proto=0, x_host=0)  # type: ignore[method-assign]
        desk, said = SigningIn(house, self._failures), house.settings.portal
        visitors, brand = Visitors(desk.principal, said.url), Brand(said.name, said.colour)
        add_docs(app)
        add_sign_in(app, visitors, desk)
        add_portal(app, Portal(service, oversight, visitors, self._known, house.clock, brand, counting))
        return app

    def stop(self) -> None:
        """Finish what runs, write what waits, give everything back. A second call does nothing."""
        if self._stopping.is_set():
            return
        self.broker.stop()
        self._stopping.set()
        self._drainer.join()
        self.reviewing.stop()
        for witnessing in self._witnessing:
            witnessing.stop()
        with suppress(Refused):
            self._failures.flush()
            self._house.journal.drain_once()  # what was counted last, and what a command wrote meanwhile
        self._parts.engine.close()
        self._log.close()
        self._house.close()

    def _principal(self, token: str) -> Principal:
        """Return who a token speaks for; failures are counted a minute and go to the log."""
        try:
            principal = verify(token, self._house.trusted, self._house.clock)
            with self._house.store.reading() as tx:
                if governance.token_revoked(tx, principal.token):
                    raise Refused.because(identity.TOKEN_EXPIRED)
                if not governance.is_here(tx, principal.person):
                    raise Refused.because(identity.PERSON_UNKNOWN)
        except Refused as refused:
            self._failures.count(refused.refusals[0].reason.code)
            raise
        return principal

    def _known(self, principal: Principal) -> Known:
        """Return what pages show of a person: the name, which lies encrypted, and the roles."""
        reading = self._house.readings.on_record(self._house.trail(principal.person, principal.token), OWN)
        with self._house.store.reading() as tx:
            found = governance.find_person(tx, principal.person)
            if found is None:
                raise Refused.because(identity.PERSON_UNKNOWN)
            return Known(found.name(tx, self._house.sidecar, reading) or "", tuple(sorted(found.roles)))

    def _drain(self) -> None:
        said: str | None = None
        while not self._stopping.wait(_DRAIN):
            try:
                self._failures.flush_past()
                self._house.journal.drain_once()
                said = None
            except Refused as refused:
                said = _say(refused, said)

    def _warm(self) -> None:
        """Load what the first question would wait for: its release time allows for no imports."""
        self._parts.noise.vector([0], Mechanism(Measure.ZCDP, 1.0))
        accuracy(Mechanism(Measure.ZCDP, 1.0))
        import_module("tre.privacy.estimates")
        import_module("pyarrow.compute")
        with self._house.store.reading() as tx:
            for name in governance.list_datasets(tx):
                with suppress(Refused, EngineFailed):
                    governance.policy_in_force(tx, name)  # compiled once: reading and converting budgets takes 0.5 s
                    version = governance.current_version(tx, name)
                    path = version_at(self._house.home.versions / version.name).path
                    with self._parts.engine.slot(path, self._parts.patience):
                        pass


def _witnessing(house: House, second: Cosigner) -> list[Witnessing]:
    """Show the log to its witnesses where it is written here."""
    said = house.settings.log
    return [] if said.writer == "process" else [Witnessing(house.home.log, said, second)]


def _sweep(house: House) -> None:
    """Remove what a killed server left on disk. Only for whoever alone serves the home."""
    sweep(house.home.versions, house.home.spill, forget=forgetting(house.server()))
    engines.sweep(house.home.spill)


def _say(refused: Refused, said: str | None) -> str:
    """Tell the operator of a fault once."""
    code = refused.refusals[0].reason.code
    if code != said:
        tell(refused)
    return code


class _Files:
    """The log's files: hash tiles for anyone, entries for those who review."""

    def __init__(self, log: LogReader, heads: Heads, desk: oversight.Desk) -> None:
        self._log, self._heads, self._desk = log, heads, desk

    def checkpoint(self) -> str:
        """Return the newest signed checkpoint."""
        return self._heads.newest()

    def cosigned(self) -> str:
        """Return the newest cosigned checkpoint. Raises Refused (web.unknown-log-file)."""
        found = self._heads.cosigned()
        if found is None:
            raise Refused.because(web_reasons.UNKNOWN_LOG_FILE)
        return found

    def tile(self, path: str) -> bytes:
        """Return a tile. Raises Refused (web.unknown-log-file)."""
        try:
            return self._log.resource(f"tile/{path}")
        except (TileError, LogError):
            raise Refused.because(web_reasons.UNKNOWN_LOG_FILE) from None

    def bundle(self, principal: Principal | None, path: str) -> bytes:
        """Return a bundle of entries. Raises Refused (web.unknown-log-file)."""
        return oversight.bundle(self._desk, principal, path)


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with workers of threads; the house is opened inside each worker."""

    def __init__(self, house: House, options: dict[str, Any]) -> None:
        self._house, self._options = house, options
        self._running: Running | None = None
        super().__init__()

    def load_config(self) -> None:
        """Take the settings of the house."""
        for name, value in self._options.items():
            self.cfg.set(name, value)
        self.cfg.set("pre_fork", _share_memory)
        self.cfg.set("worker_exit", self._stopped)

    def load(self) -> Callable[..., Any]:
        """Open the house; called in the worker."""
        leave_frames_out()
        self._running = Running(self._house, alone=self._options["workers"] == 1)
        return self._running.app()

    def _stopped(self, _server: object, _worker: object) -> None:
        if self._running is not None:
            self._running.stop()


def _share_memory(_server: object, _worker: object) -> None:
    """Keep the collector's marks off what arbiter and worker share: each would get a copy of its own of it."""
    gc.collect()
    gc.freeze()


def serve(house: House, host: str, port: int, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises Refused: app.server-runs where another process serves the home, app.workers where it has the parts of one
    server only.
    """
    settings = house.settings
    if workers > 1 and (settings.control is None or settings.log.writer != "process"):
        raise Refused.because(reasons.WORKERS, workers=str(workers))
    place = _take_place(house.home)
    if settings.log.writer == "process":
        await_writer(house.home, lambda line: print(line, file=sys.stderr, flush=True))
    _check_free(house)
    _sweep(house)
    as_json_lines()
    options = {
        "bind": f"{host}:{port}",
        "worker_class": "gthread",
        "workers": workers,
        "threads": settings.server.threads,
        "timeout": 0,
        "graceful_timeout": 120,
        "control_socket_disable": True,
        "proc_name": "tre",
    }
    _Server(house, options).run()
    os.close(place)


def _take_place(home: Home) -> int:
    """Become the one server of a home, with the processes that it forks. Raises Refused (app.server-runs)."""
    place = os.open(home.root / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(place)
        raise Refused.because(reasons.SERVER_RUNS) from None
    return place


def _check_free(house: House) -> None:
    """Recover the log here first: what is wrong with it is said to the operator, not inside a worker."""
    try:
        house.journal.recover()
    except Refused as refused:
        cause = refused.__cause__
        if isinstance(cause, LogError) and house.settings.log.writer == "process":
            raise Refused.because(reasons.NO_WRITER, problem=str(cause)) from refused
        if isinstance(cause, (LogError, OSError)):
            raise log_refused(cause) from refused
        raise
    house.close()
