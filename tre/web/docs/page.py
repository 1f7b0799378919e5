"""One page and its files, whose names change with what is in them; it asks this server and nobody else.

`static/` holds Swagger UI as its makers built it, compressed as it is sent; `build.sh` brings it there.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request

from tre.base.reasons import Refused
from tre.base.reasons.web import UNKNOWN_PATH
from tre.web.portal import csp

DOCS = "/api/v1/docs"
_ROOTS = ("/api", "/api/", "/api/v1", "/api/v1/")
_STATIC = Path(__file__).resolve().parent / "static"
_STYLE, _PROGRAM, _START = "swagger-ui.css", "swagger-ui-bundle.js", "start.js"
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Operations of the REST surface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{style}">
<main id="operations">
<noscript>This page needs scripts. The same, for programs: <a href="/api/v1/openapi.json">openapi.json</a>.</noscript>
</main>
<script src="{program}"></script>
<script src="{start}"></script>
</html>
"""


@dataclass(frozen=True, slots=True)
class _File:
    """A shipped file, compressed."""

    address: str
    kind: str
    content: bytes


def add_docs(app: Flask) -> None:
    """Show the operations at `DOCS`, and send there whoever looks at the root of the surface."""
    files = {name: _file(name) for name in (_STYLE, _PROGRAM, _START)}
    page = _PAGE.format(style=files[_STYLE].address, program=files[_PROGRAM].address, start=files[_START].address)
    served = {file.address: file for file in files.values()}
    app.add_url_rule(DOCS, "docs", lambda: _framed(page), methods=["GET"], provide_automatic_options=False)
    app.add_url_rule(f"{DOCS}/<name>", "docs-file", lambda name: _kept(served, name), provide_automatic_options=False)
    for root in _ROOTS:
        app.add_url_rule(root, f"root {root}", _to_docs, methods=["GET"], provide_automatic_options=False)


def _file(name: str) -> _File:
    shipped, packed = _STATIC / name, _STATIC / f"{name}.gz"
    content = packed.read_bytes() if packed.exists() else gzip.compress(shipped.read_bytes(), mtime=0)
    digest = hashlib.sha256(content).hexdigest()[:12]
    stem, _, end = name.rpartition(".")
    return _File(f"{DOCS}/{stem}.{digest}.{end}", mimetypes.guess_type(name)[0] or "text/plain", content)


def _framed(page: str) -> Response:
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = csp.header(csp.OPERATIONS)
    return response


def _kept(served: Mapping[str, _File], name: str) -> Response:
    """Return a file for as long as a browser likes: another content has another name."""
    file = served.get(f"{DOCS}/{name}")
    if file is None:
        raise Refused.because(UNKNOWN_PATH)
    takes = request.accept_encodings["gzip"] > 0
    response = Response(file.content if takes else gzip.decompress(file.content), content_type=file.kind)
    if takes:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _to_docs() -> Response:
    return Response(status=302, headers={"Location": DOCS})
