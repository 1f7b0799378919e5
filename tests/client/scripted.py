"""A server that answers as its script says, for what a real one does not do on demand: faults and races."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answer = tuple[int, dict[str, Any], dict[str, str]]
LOST = (0, {}, {})
"""The connection ends without an answer."""


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Script:
    """Answers in turn; the last one again and again. `asked` is what arrived."""

    answers: list[Answer | Callable[[Asked], Answer]]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def next(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return found(asked) if callable(found) else found


@contextmanager
def scripted(*answers: Answer | Callable[[Asked], Answer]) -> Iterator[Script]:
    """Serve a script on a free loopback port."""
    script = Script(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            asked = Asked(self.command, self.path, {name.lower(): text for name, text in self.headers.items()}, body)
            status, document, headers = script.next(asked)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            data = document["text"].encode() if "text" in document else json.dumps(document).encode()
            for name, text in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *arguments: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever)
        thread.start()
        script.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()


def query(state: str, **more: Any) -> dict[str, Any]:
    """Return the JSON of a query."""
    price = {"epsilon": 0.25, "rho": "0.001", "delta": "0", "share": 0.01}
    decision = {"allowed": True, "reasons": [], "gates": [], "error": [], "notes": [], "price": price}
    here = "/api/v1/queries/q_1"
    return {
        "id": "q_1",
        "project": "p1",
        "state": state,
        "submitted": "2026-03-01T09:00:00Z",
        "decision": {**decision, "release_seconds": 0.3},
        "retry_after": 0.05,
        "links": {"self": here, "result": f"{here}/result", "receipt": f"{here}/receipt"},
        **more,
    }


def problem(status: int, code: str, **headers: str) -> Answer:
    """Return a problem document with one reason."""
    reason = {"code": code, "sentence": "It is so.", "remedy": "Do this."}
    return status, {"status": status, "reasons": [reason], "request_id": "r_1"}, headers


RESULT: dict[str, Any] = {
    "query": "q_1",
    "columns": [{"name": "n", "type": "integer", "noisy": True}],
    "rows": [[7]],
    "cost": {"epsilon": 0.25, "rho": "0.001", "delta": "0", "share": 0.01},
    "bounds": {},
    "notes": [],
    "salt": "5a",
    "receipt": "/api/v1/queries/q_1/receipt",
}
RECEIPT: Answer = (200, {"text": "c2sp.org/tlog-proof@v1\nindex 7\n"}, {})
