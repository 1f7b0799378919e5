"""The audit log: appending durably, alone, together and in batches; starting; verifying; settling what a query says."""

from __future__ import annotations

import itertools
import secrets
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from audit import Ed25519Signer, Log, create_key, create_log, encode_entry
from bench.callers import together, writing
from bench.houses import ROOT
from bench.report import Report, Series, Target, milliseconds
from bench.scale import Scale
from tre.base.clock import SystemClock
from tre.journal import Act, Journal, entries, record
from tre.store import Store

_CALLERS, _BATCH = 64, 250
_number = itertools.count()


def append(folder: Path, scale: Scale) -> Report:
    """Append alone, in batches as large as the outbox's, and from 64 callers over the writer's socket."""
    signer = _made(folder)
    with Log(folder / "log", folder / "head", signer) as log:
        alone = [_appended(log, 1) for _ in range(scale.of(2000, 20))]
        batches = [_BATCH / _appended(log, _BATCH) for _ in range(scale.of(400, 5))]
    with writing(folder) as socket:
        rates = [_rate(socket, scale.of(600, 3)) for _ in range(scale.of(7, 1))]
    one = milliseconds("one entry, one caller", alone)
    many = Series(f"{_BATCH} entries at once, one caller", "entries/s", tuple(batches))
    callers = Series(f"{_CALLERS} callers over the socket, one entry at a time", "entries/s", tuple(rates))
    return Report(
        "Appending to the log",
        "Each entry stands under a signed head in two places, flushed in both, before its caller goes on.",
        (one, many, callers),
        (
            Target("one caller, median", "ms", one.median, 0.6),
            Target("one caller", "entries/s", len(alone) / sum(alone), least=2_000),
            Target(f"{_CALLERS} callers, median", "entries/s", callers.median, least=40_000),
            Target(f"batches of {_BATCH}, median", "entries/s", many.median, least=150_000),
        ),
    )


def verify(folder: Path, scale: Scale) -> Report:
    """Start a log of a million entries, and verify it with the verifier that outsiders run."""
    signer, count = _made(folder), scale.of(10**6, 2000)
    with Log(folder / "log", folder / "head", signer) as log:
        for _ in range(count // 1000):
            log.append([_entry() for _ in range(1000)])
    starts = [count / _started(folder, signer) for _ in range(scale.of(5, 1))]
    command = [sys.executable, "-m", "audit", "verify", "--log", str(folder / "log"), "--key", str(folder / "log.vkey")]
    seconds = []
    for _ in range(scale.of(3, 1)):
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - began)
    found = Series(f"verifying {count:,} entries", "s", tuple(seconds))
    replayed = Series("replay at the start", "entries/s", tuple(starts))
    return Report(
        "Starting and verifying the log",
        "A start hashes all entries and makes what is derived anew. The verifier checks signatures, every hash, "
        "every entry's form, every derived file, and the ledgers. Both in plain Python.",
        (found, replayed),
        (
            Target(f"{count:,} entries verified, median", "s", found.median, 30),
            Target("replay at the start, median", "entries/s", replayed.median, least=400_000),
        ),
    )


def settle(folder: Path, scale: Scale) -> Report:
    """Settle the two entries of a query: its intent, before anything is read, and its outcome, before the answer."""
    signer, clock = _made(folder), SystemClock()
    store = Store.create(f"sqlite:///{folder}/control.db")
    journal = Journal(store, lambda: Log(folder / "log", folder / "head", signer), clock)
    journal.recover()
    seconds, used = [], []
    for number in range(scale.of(1000, 10)):
        took, worked = 0.0, 0.0
        for _ in ("intent", "outcome"):
            with store.transaction() as tx:
                event = record(tx, entries.audit_read(Act.by("bench", clock), number, number + 1))
            began, worked_before = time.perf_counter(), time.process_time()
            journal.settle([event])
            took, worked = took + time.perf_counter() - began, worked + time.process_time() - worked_before
        seconds.append(took)
        used.append(worked)
    journal.close()
    store.close()
    waited, processor = milliseconds("both entries settled", seconds), milliseconds("processor time of it", used)
    return Report(
        "The log inside a query",
        "From the outbox to a signed head in two places, and its index noted in the control database.",
        (waited, processor),
        (
            Target("both entries, median", "ms", waited.median, 2),
            Target("processor time, median", "ms", processor.median),
        ),
    )


def _made(folder: Path) -> Ed25519Signer:
    signer = create_key("bench.example/log", secrets.token_bytes(32), folder / "log.key", folder / "log.vkey")
    create_log(folder / "log", folder / "head", signer)
    return signer


def _entry() -> bytes:
    facts = {
        "event_id": f"{next(_number):032x}",
        "event": "signin-failed",
        "actor": "system",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "count": 1,
        "reasons": ["identity.token-expired"],
    }
    return encode_entry(facts)


def _appended(log: Log, count: int) -> float:
    entries = [_entry() for _ in range(count)]
    began = time.perf_counter()
    log.append(entries)
    return time.perf_counter() - began


def _rate(socket: Path, each: int) -> float:
    """Return the entries that all callers append in a second."""
    callers = [[_entry() for _ in range(each)] for _ in range(_CALLERS)]
    return _CALLERS * each / together(socket, callers)


def _started(folder: Path, signer: Ed25519Signer) -> float:
    began = time.perf_counter()
    Log(folder / "log", folder / "head", signer).close()
    return time.perf_counter() - began
