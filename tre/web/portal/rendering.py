"""How templates become pages: strict and escaped, with the deployment's brand, shipped files and a page's headers."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Flask, Response
from jinja2 import StrictUndefined

from tre.base.reasons import Refused
from tre.base.reasons.web import UNKNOWN_PATH
from tre.web.portal import csp, words

STATIC = Path(__file__).resolve().parent / "static"
_KEPT = {path.name: path for path in STATIC.iterdir()}


@dataclass(frozen=True, slots=True)
class Brand:
    """What a deployment calls itself, and its colour as #rrggbb, on which white text stands."""

    name: str = "Research Data Gateway"
    colour: str = "#12436d"


def dress(app: Flask, brand: Brand) -> None:
    """Let the application render the portal's templates: a name that is not there is a fault, never empty text."""
    jinja = app.jinja_env
    jinja.undefined = StrictUndefined
    jinja.trim_blocks = jinja.lstrip_blocks = True
    jinja.filters.update(words.FILTERS, zip=zip)
    jinja.globals.update(brand=brand, gates=words.GATES, dialects=words.DIALECTS, static=static)


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_KEPT[name].read_bytes()).hexdigest()[:12]


def static(name: str) -> str:
    """Return the address of a shipped file; it changes with the file, so that browsers may keep it."""
    return f"/static/{name}?v={_digest(name)}"


def shipped(name: str, brand: Brand) -> Response:
    """Return a shipped file, or the brand's stylesheet. Raises Refused (web.unknown-path)."""
    if name == "brand.css":
        return _kept(f":root {{ --brand: {brand.colour}; }}\n".encode(), "text/css")
    if name not in _KEPT:
        raise Refused.because(UNKNOWN_PATH)
    return _kept(_KEPT[name].read_bytes(), mimetypes.guess_type(name)[0] or "application/octet-stream")


def _kept(content: bytes, kind: str) -> Response:
    response = Response(content, content_type=kind)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def framed(response: Response) -> Response:
    """Give a page its headers.

    The referrer stays within this origin, so that browsers still say where a form was sent from.
    """
    response.headers["Content-Security-Policy"] = csp.header(csp.PAGE)
    response.headers["Referrer-Policy"] = "same-origin"
    return response
