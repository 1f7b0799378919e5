"""What somebody typed, laid out for reading. It is shown beside the text and never runs."""

from __future__ import annotations

import sqlparse
from sqlparse.exceptions import SQLParseError

LONGEST = 16 * 1024


def laid_out(sql: str) -> str | None:
    """Return the text with its lines broken and indented, broken SQL too; None where it is too long or too deep."""
    if len(sql) > LONGEST:
        return None
    try:
        return str(sqlparse.format(sql, reindent=True, keyword_case="upper")).strip()
    except (SQLParseError, RecursionError):
        return None
