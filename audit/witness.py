"""A witness of other people's logs: remembers the last head of each, and cosigns only what continues it.

Source: https://c2sp.org/tlog-witness, `add-checkpoint`. The memory is one file for each log, of the kind that the log
keeps as its own second place: replaced by compare-and-swap, and durable before a cosignature leaves. A log that shows
one history here and another elsewhere, or goes back, gets no cosignature: that is the whole of what a witness does.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import indent

from audit.cosignatures import Cosigner
from audit.files import Files, OsFiles
from audit.head import Head, HeadError
from audit.merkle import ProofError, verify_consistency
from audit.notes import (
    Checkpoint,
    NoteError,
    Verifier,
    decode_base64,
    encode_base64,
    open_checkpoint,
    parse_note,
    sign_note,
)
from audit.recovery import take_lock

MAX_PROOF = 63
MAX_REQUEST = 1 << 16
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: str
    kind: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """A head to be cosigned, and the proof that it continues the one of `old` entries."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    @classmethod
    def parse(cls, body: bytes) -> "Request":
        """Read the body of an `add-checkpoint`. Raises NoteError."""
        head, blank, note = body.partition(b"\n\n")
        try:
            first, *lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise NoteError("a malformed request") from error
        old = _OLD.fullmatch(first)
        if not blank or old is None or len(lines) > MAX_PROOF:
            raise NoteError("a malformed request")
        return cls(int(old[1]), tuple(map(decode_base64, lines)), note)

    def __bytes__(self) -> bytes:
        lines = [f"old {self.old}", *map(encode_base64, self.proof), "", ""]
        return "\n".join(lines).encode() + self.note


class Witness:
    """A witness with its memory. Its methods may be called from many threads."""

    def __init__(
        self, folder: Path, cosigners: Sequence[Cosigner], logs: Sequence[Verifier], files: Files | None = None
    ) -> None:
        """Open the memory in `folder`, or begin one. Raises LogError when another process has it, OSError."""
        self._disk = files or OsFiles()
        self._folder, self._cosigners = folder, cosigners
        self._logs = {log.name: log for log in logs}
        self._disk.make_folder(folder)
        self._lock = take_lock(self._disk, folder)
        self._deciding = threading.Lock()

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer one `add-checkpoint`. Raises HeadError, OSError when the memory cannot be read or written."""
        try:
            request = Request.parse(body)
            origin = parse_note(request.note).text.partition("\n")[0]
        except NoteError as error:
            return Reply(400, f"{error}\n")
        log = self._logs.get(origin)
        if log is None:
            return Reply(404, "this log is not witnessed here\n")
        try:
            head = open_checkpoint(request.note, log)
        except NoteError as error:
            return Reply(403, f"{error}\n")
        if request.old > head.size:
            return Reply(400, "the old size is larger than the new one\n")
        with self._deciding:
            return self._decided(request, log, head)

    def known(self, log: Verifier) -> Checkpoint | None:
        """Return the last head of a log that was cosigned here."""
        with self._deciding:
            known = self._known(log)
        return known[1] if known else None

    def close(self) -> None:
        """Give the memory back."""
        self._lock.close()

    def _decided(self, request: Request, log: Verifier, head: Checkpoint) -> Reply:
        known = self._known(log)
        size = known[1].size if known else 0
        if request.old != size:
            return _conflict(size)
        if known and head.size == size and head.root != known[1].root:
            return _conflict(size)
        try:
            _continues(request, known[1] if known else None, head)
        except ProofError as error:
            return Reply(422, f"{error}\n")
        self._remember(log, known[0] if known else None, request.note)
        signatures = sign_note(head.text, self._cosigners).signatures
        return Reply(200, "".join(one.line for one in signatures))

    def _place(self, log: Verifier) -> Path:
        return self._folder / hashlib.sha256(log.name.encode()).hexdigest()

    def _known(self, log: Verifier) -> tuple[bytes, Checkpoint] | None:
        place = self._place(log)
        if not place.exists():
            return None
        memory = Head.open(self._disk, place, writing=False)
        try:
            note = memory.read()
        finally:
            memory.close()
        try:
            return note, open_checkpoint(note, log)
        except NoteError as error:
            raise HeadError(f"the memory of {log.name} is not of this log: {error}") from error

    def _remember(self, log: Verifier, before: bytes | None, note: bytes) -> None:
        place = self._place(log)
        if before is None:
            Head.create(self._disk, place, note).close()
            return
        memory = Head.open(self._disk, place, writing=True)
        try:
            memory.swap(before, note)
        finally:
            memory.close()


def _continues(request: Request, known: Checkpoint | None, head: Checkpoint) -> None:
    if known is None or known.size == 0:
        if request.proof:
            raise ProofError("the empty log needs no proof")
        return
    verify_consistency(known.size, head.size, request.proof, known.root, head.root)


def _conflict(size: int) -> Reply:
    return Reply(409, f"{size}\n", "text/x.tlog.size")


def _shown(body: bytes) -> str:
    """Show a refused request. A head with the log's own signature is the proof of what was tried: it is shown whole."""
    try:
        request = Request.parse(body)
        head = str(parse_note(request.note))
    except NoteError:
        return repr(body[:200])
    return f"to continue {request.old} entries by\n{indent(head, '    ')}"


def serve(witness: Witness, host: str, port: int, tell: Callable[[str], None]) -> ThreadingHTTPServer:
    """Return the HTTP server of a witness, bound and not yet running; `tell` hears of every refusal and fault."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "tre-witness", ""
        timeout = _TIMEOUT

        def do_POST(self) -> None:
            reply = self._reply()
            body = reply.body.encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _reply(self) -> Reply:
            length = self.headers.get("Content-Length", "")
            if self.path != "/add-checkpoint":
                self.close_connection = True
                return Reply(404, "POST /add-checkpoint alone is answered here\n")
            if not length.isdecimal() or int(length) > MAX_REQUEST:
                self.close_connection = True
                return Reply(413, "a request has a Content-Length of at most 64 KiB\n")
            body = self.rfile.read(int(length))
            try:
                reply = witness.add_checkpoint(body)
            except (HeadError, OSError) as error:
                tell(f"the memory failed, nothing was cosigned: {error}")
                return Reply(500, "the witness's memory failed\n")
            if reply.status != 200:
                tell(f"refused with {reply.status}: {_shown(body)}")
            return reply

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    return server
