"""The log's writer of a home: inside the server, or a process of its own (`tre audit serve`)."""

from __future__ import annotations

import time
from collections.abc import Callable

from audit import Log, LogError, RemoteLog, load_signer
from audit.service import serve
from audit.wire import connect
from tre.app.settings import Writer
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.base.reasons import app as reasons

LOG_KEY = "log.key"
_AWAITED = 60.0
_PAUSE = 0.1


def open_log(home: Home, writer: Writer) -> Log | RemoteLog:
    """Become the home's writer, or connect to it. Raises LogError, OSError."""
    if writer == "process":
        return RemoteLog(home.log, home.socket)
    return _own(home)


def serve_log(home: Home, writer: Writer, tell: Callable[[str], None]) -> None:
    """Write the home's log for its servers and commands until SIGTERM or SIGINT.

    Raises Refused (app.writer-embedded, app.server-runs, app.log-unusable, app.log-unwritable).
    """
    if writer != "process":
        raise Refused.because(reasons.WRITER_EMBEDDED)
    try:
        with _own(home) as log:
            serve(log, home.socket, ready=lambda: tell(f"The log is written at {home.socket}."))
    except (LogError, OSError) as error:
        raise log_refused(error) from error


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
