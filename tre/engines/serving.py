"""What every engine process does with the frames that reach it."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from tre.base import frames
from tre.base.confine import confine, private_pipes
from tre.base.lean import leave_frames_out

Run = Callable[[Mapping[str, Any], Mapping[str, pa.Table]], pa.Table]
"""Answer a request over its inputs by name."""


def serve(opened: Callable[[dict[str, str]], Run]) -> None:
    """Serve statements until the pipe closes. Nothing but frames leaves: standard streams go nowhere."""
    commands, replies = private_pipes()
    confine()
    leave_frames_out()
    settings = json.loads(frames.receive(commands)[0])
    run = opened(settings)
    frames.send(replies, b"ready")
    while True:
        try:
            parts = frames.receive(commands)
        except frames.Broken:
            return
        frames.send(replies, *_answer(run, int(settings["threads"]), parts))


def _answer(run: Run, threads: int, parts: tuple[bytearray, ...]) -> tuple[bytes, ...]:
    request = json.loads(parts[0])
    inputs = {
        name: pa.ipc.open_stream(given).read_all() for name, given in zip(request["inputs"], parts[1:], strict=True)
    }
    _limit_processor_time(float(request["seconds"]), threads)
    try:
        return b"ok", _stream(run(request, inputs))
    except Exception:  # noqa: BLE001 - the cause may depend on private data, so it ends here
        return (b"failed",)


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream


def _limit_processor_time(seconds: float, threads: int) -> None:
    # A second wall beside the broker's kill at the limit: processor time over all threads.
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime + seconds * (threads + 1)) + 5
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))
