"""The audit log: appending durably, alone, together and in batches; verifying all of it."""

from __future__ import annotations

import itertools
import secrets
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from audit import Log, create_key, create_log, encode_entry
from bench.houses import ROOT
from bench.report import Report, Series, Target, milliseconds
from bench.scale import Scale

_number = itertools.count()


def append(folder: Path, scale: Scale) -> Report:
    """Append alone, from 64 threads, and a hundred entries at a time."""
    log = _log(folder)
    alone = [_appended(log, 1) for _ in range(scale.of(2000, 20))]
    batches = [_appended(log, 100) for _ in range(scale.of(300, 5))]
    rate = [_together(log, 64, scale.of(200, 3)) for _ in range(scale.of(5, 1))]
    log.close()
    one = milliseconds("one entry, one caller", alone)
    many = milliseconds("a hundred entries at once", batches)
    together = Series("64 callers", "entries/s", tuple(rate))
    return Report(
        "Appending to the log",
        "Each entry stands under a signed head in two places, flushed in both, before its caller goes on.",
        (one, many, together),
        (
            Target("one entry, median", "ms", one.median),
            Target("a hundred entries, median", "ms", many.median),
            Target("64 callers, median", "entries/s", together.median),
        ),
    )


def verify(folder: Path, scale: Scale) -> Report:
    """Verify a log of a million entries with the verifier that outsiders run."""
    log, count = _log(folder), scale.of(10**6, 2000)
    for _ in range(count // 1000):
        log.append([_entry() for _ in range(1000)])
    log.close()
    command = [sys.executable, "-m", "audit", "verify", "--log", str(folder / "log"), "--key", str(folder / "log.vkey")]
    seconds = []
    for _ in range(scale.of(3, 1)):
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - began)
    found = Series(f"{count:,} entries", "s", tuple(seconds))
    return Report(
        "Verifying the log",
        "Signatures, every hash, every entry's form, every derived file, and the ledgers, in plain Python.",
        (found,),
        (Target(f"{count:,} entries, median", "s", found.median, 30),),
    )


def _log(folder: Path) -> Log:
    signer = create_key("bench.example/log", secrets.token_bytes(32), folder / "log.key", folder / "log.vkey")
    create_log(folder / "log", folder / "head", signer)
    return Log(folder / "log", folder / "head", signer)


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


def _together(log: Log, callers: int, each: int) -> float:
    """Return the entries that so many callers append in a second."""
    entries = [[_entry() for _ in range(each)] for _ in range(callers)]
    threads = [threading.Thread(target=_each, args=(log, mine)) for mine in entries]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return callers * each / (time.perf_counter() - began)


def _each(log: Log, entries: list[bytes]) -> None:
    for entry in entries:
        log.append([entry])
