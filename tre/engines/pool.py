"""Warm pools of locked-down processes, one per version; what runs inside a process is its module's own."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tre.base import frames
from tre.base.passage import Partials
from tre.base.statement import Statement
from tre.engines.interface import EngineFailed, Parameter, Slot

if TYPE_CHECKING:
    import pyarrow as pa

_START_SECONDS = 60.0
_MOST_REPLY = 512 * 1024**2  # bytes that one answer may bring into the broker: more is a failure of the engine
_PREFIX = "engine-"


class Worker:
    """One child process, opened read-only on one version.

    `module` is what it runs; `settings` are sent to it first, and the folder that it may spill to with them.
    """

    def __init__(self, module: str, settings: Mapping[str, str], spill_root: Path) -> None:
        self._ended = False
        self._spill = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=spill_root))
        self._process = subprocess.Popen(  # noqa: S603 - a module of this package
            [sys.executable, "-I", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
            cwd=self._spill,
            bufsize=0,
        )
        settings = {**settings, "spill": str(self._spill / "spill")}
        try:
            self._exchange(time.monotonic() + _START_SECONDS, json.dumps(settings).encode())
        except EngineFailed:
            self.close()
            raise

    def partials(
        self,
        statement: Statement,
        parameters: Mapping[str, Parameter],
        seconds: float,
        inputs: Mapping[str, pa.Table] = MappingProxyType({}),
    ) -> Partials:
        """Return the exact sums of `statement`, still as the bytes that crossed the pipe."""
        return Partials(self._ask(statement, dict(parameters), inputs, seconds))

    def public(self, statement: Statement, inputs: Mapping[str, pa.Table], seconds: float) -> pa.Table:
        """Return the rows of a statement over public tables and released `inputs`."""
        import pyarrow as pa

        return pa.ipc.open_stream(self._ask(statement, {}, inputs, seconds)).read_all()

    def cancel(self) -> None:
        """Kill the process."""
        self._ended = True
        self._process.kill()

    def close(self) -> None:
        """Kill the process, reap it and remove its spill directory."""
        self.cancel()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    @property
    def alive(self) -> bool:
        """Whether the process can take another statement."""
        return not self._ended and self._process.poll() is None

    def _ask(
        self,
        statement: Statement,
        parameters: dict[str, Parameter],
        inputs: Mapping[str, pa.Table],
        seconds: float,
    ) -> bytearray:
        request = {
            "sql": statement.sql,
            "tables": [*statement.tables, *inputs],
            "parameters": {name: parameters[name] for name in statement.parameters},
            "inputs": list(inputs),
            "seconds": seconds,
        }
        streams = [_stream(table) for table in inputs.values()]
        reply = self._exchange(time.monotonic() + seconds, json.dumps(request).encode(), *streams)
        if reply[0] != b"ok":
            self.cancel()  # what a failed statement left behind may depend on private data
            raise EngineFailed
        return reply[1]

    def _exchange(self, deadline: float, *parts: bytes) -> tuple[bytearray, ...]:
        if self._process.stdin is None or self._process.stdout is None:
            raise EngineFailed
        try:
            frames.send(self._process.stdin.fileno(), *parts)
            return frames.receive(self._process.stdout.fileno(), deadline, _MOST_REPLY)
        except (frames.Broken, OSError, ValueError):
            self.cancel()
            raise EngineFailed from None


def _stream(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


class _Pool:
    """The processes of one version: `idle` ones ready, `count` in all (being started included)."""

    def __init__(self, version: Path) -> None:
        self.version = version
        self.idle: queue.SimpleQueue[Worker | None] = queue.SimpleQueue()
        self.count = 0


class PooledEngine:
    """Pools of workers. One keeper thread starts every process, because a child dies with the thread that made it.

    `settings` says what a process on a version is told first. Raises OSError or ValueError where there is no such.
    """

    def __init__(
        self,
        dialect: str,
        module: str,
        settings: Callable[[Path], Mapping[str, str]],
        workers: int,
        spill_root: Path,
    ) -> None:
        self.dialect = dialect
        self._module, self._settings, self._most = module, settings, workers
        self._spill_root = spill_root
        self._pools: dict[Path, _Pool] = {}
        self._workers: set[Worker] = set()
        self._lock = threading.Lock()
        self._wanted: queue.SimpleQueue[_Pool | None] = queue.SimpleQueue()
        spill_root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._keeper = threading.Thread(target=self._keep, name="engine-keeper", daemon=True)
        self._keeper.start()

    def warm(self, version: Path) -> None:
        """Start a process on `version` unless one is there."""
        pool = self._pool(version)
        with self._lock:
            if pool.count == 0:
                self._start(pool)

    @contextmanager
    def slot(self, version: Path, seconds: float) -> Iterator[Slot]:
        """Hold a process on `version`; see `Engine.slot`."""
        pool = self._pool(version)
        worker = self._acquire(pool, seconds)
        try:
            yield worker
        except EngineFailed:
            worker.cancel()
            raise
        finally:
            self._give_back(pool, worker)

    def close(self) -> None:
        """Kill every process and stop the keeper."""
        self._wanted.put(None)
        self._keeper.join()
        with self._lock:
            workers, self._workers = self._workers, set()
        for worker in workers:
            worker.close()

    def _pool(self, version: Path) -> _Pool:
        with self._lock:
            return self._pools.setdefault(version, _Pool(version))

    def _acquire(self, pool: _Pool, seconds: float) -> Worker:
        deadline = time.monotonic() + seconds
        while True:
            with self._lock:
                if pool.idle.empty() and pool.count < self._most:
                    self._start(pool)
            try:
                worker = pool.idle.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise EngineFailed from None
            if worker is None:
                raise EngineFailed
            if worker.alive:
                return worker
            self._forget(pool, worker)

    def _give_back(self, pool: _Pool, worker: Worker) -> None:
        if worker.alive:
            pool.idle.put(worker)
            return
        self._forget(pool, worker)
        self.warm(pool.version)

    def _forget(self, pool: _Pool, worker: Worker) -> None:
        worker.close()
        with self._lock:
            self._workers.discard(worker)
            pool.count -= 1

    def _start(self, pool: _Pool) -> None:
        pool.count += 1
        self._wanted.put(pool)

    def _keep(self) -> None:
        while (pool := self._wanted.get()) is not None:
            try:
                worker = Worker(self._module, self._settings(pool.version), self._spill_root)
            except (EngineFailed, OSError, ValueError):
                with self._lock:
                    pool.count -= 1
                pool.idle.put(None)
                continue
            with self._lock:
                self._workers.add(worker)
            pool.idle.put(worker)


def sweep(spill_root: Path) -> None:
    """Remove what engines of a killed server left on disk. Only for whoever alone may serve the home."""
    for folder in spill_root.glob(f"{_PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)
