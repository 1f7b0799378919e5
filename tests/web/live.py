"""The real application behind a real socket on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from werkzeug.serving import make_server

from tests.web.fake import FakeService, principal
from tre.web import create_app


@contextmanager
def serving(service: FakeService) -> Iterator[str]:
    """Yield the address of a server over `service`."""
    server = make_server("127.0.0.1", 0, create_app(service, principal), threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
