"""An answer as a file."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Response

from tre.web.views import ResultView, SuppressedView


def as_csv(result: ResultView) -> str:
    """Return RFC 4180 CSV: numbers as they were released, NULL empty, a withheld cell the word `suppressed`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in result.columns])
    writer.writerows([_plain(cell) for cell in row] for row in result.rows)
    return text.getvalue()


def _plain(cell: Any) -> str:
    if isinstance(cell, SuppressedView):
        return cell.marker
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


def download(content: str, media: str, name: str) -> Response:
    """Return a file that the browser keeps."""
    return kept(Response(content, content_type=f"{media}; charset=utf-8"), name)


def kept(response: Response, name: str) -> Response:
    """Have the browser keep an answer as a file."""
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
