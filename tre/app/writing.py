"""The log's writer of a home: inside the server, or a process of its own (`tre audit serve`)."""

from __future__ import annotations

import time
from collections.abc import Callable

from audit import Log, LogError, NoteError, RemoteLog, load_signer
from audit.cosignatures import Cosigner
from audit.service import serve
from audit.wire import connect
from tre.app.publishing import SECOND_KEY, judge_of, load_second_key
from tre.app.settings import LogSettings
from tre.app.telling import as_json_lines
from tre.app.witnessing import Witnessing
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.base.reasons import app as reasons

LOG_KEY = "log.key"
_AWAITED = 60.0
_PAUSE = 0.1


def open_log(home: Home, settings: LogSettings) -> Log | RemoteLog:
    """Become the home's writer, or connect to it. Raises LogError, NoteError, OSError."""
    judge = judge_of(home, settings)
    log = RemoteLog(home.log, home.socket) if settings.writer == "process" else _own(home)
    log.judging(judge)
    return log


def serve_log(home: Home, settings: LogSettings, tell: Callable[[str], None]) -> None:
    """Write the home's log for its servers and commands, and show it to its witnesses, until SIGTERM or SIGINT.

    Raises Refused (app.writer-embedded, app.server-runs, app.log-unusable, app.log-unwritable, app.secret-unreadable).
    """
    if settings.writer != "process":
        raise Refused.because(reasons.WRITER_EMBEDDED)
    second = second_key(home)
    as_json_lines()
    try:
        with _own(home) as log:
            witnessing = Witnessing(home.log, settings, second)
            try:
                serve(log, home.socket, ready=lambda: tell(f"The log is written at {home.socket}."))
            finally:
                witnessing.stop()
    except (LogError, OSError) as error:
        raise log_refused(error) from error


def second_key(home: Home) -> Cosigner:
    """Return the log's second key. Raises Refused (app.secret-unreadable)."""
    try:
        return load_second_key(home.keys / SECOND_KEY)
    except (NoteError, OSError) as error:
        raise Refused.because(reasons.SECRET_UNREADABLE, file=SECOND_KEY) from error


def await_writer(home: Home, tell: Callable[[str], None], patience: float = _AWAITED) -> None:
    """Wait for the writer's process; tell once that it is waited for. Raises Refused (app.no-writer)."""
    end = time.monotonic() + patience
    told = False
    while True:
        try:
            connect(home.socket, patience).close()
        except OSError as error:
            if time.monotonic() >= end:
                raise Refused.because(reasons.NO_WRITER, problem=f"nobody answers at {home.socket}") from error
        else:
            return
        if not told:
            tell(f"Waiting for the log's writer at {home.socket}: start `tre audit serve`.")
            told = True
        time.sleep(_PAUSE)


def log_refused(error: LogError | OSError) -> Refused:
    """Say to the operator what keeps the log from being opened, and what to do."""
    if isinstance(error, OSError):
        return Refused.because(reasons.LOG_UNWRITABLE, problem=str(error.strerror))
    if "another" in str(error):
        return Refused.because(reasons.SERVER_RUNS)
    return Refused.because(reasons.LOG_UNUSABLE, problem=str(error))


def _own(home: Home) -> Log:
    return Log(home.log, home.head, load_signer(home.keys / LOG_KEY))
