"""The table of every function and operator that an expression may use, by name (PRIVACY §3.8)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from tre.sql.functions import (
    arithmetic,
    casts,
    choices,
    comparison,
    exact,
    keyed,
    moments,
    moves,
    numeric,
    patterns,
    texts,
)
from tre.sql.functions.form import Function, typed
from tre.sql.plan import Call, Expression

_ROWS = (
    *arithmetic.FUNCTIONS,
    *comparison.FUNCTIONS,
    *choices.FUNCTIONS,
    *numeric.FUNCTIONS,
    *casts.FUNCTIONS,
    *texts.FUNCTIONS,
    *patterns.FUNCTIONS,
    *moments.FUNCTIONS,
    *moves.FUNCTIONS,
    *exact.FUNCTIONS,
    *keyed.FUNCTIONS,
)
REGISTRY: Mapping[str, Function] = MappingProxyType({row.name: row for row in _ROWS})
"""Every row by its name in the plan; `spelled` of a row are the names that people write."""

SPELLED = tuple(sorted({"CASE", "CONCAT", "CURRENT_DATE"}.union(*(row.spelled for row in _ROWS))))
"""The public names, for the manual and for “did you mean”."""


def call(name: str, *arguments: Expression) -> Call:
    """Return the call of the function `name`; raises Refused where the arguments do not fit its types."""
    return typed(REGISTRY[name], arguments)


def meant(name: str) -> str:
    """Return a hint for a misspelt function name, from public names alone, or nothing."""
    close = difflib.get_close_matches(name.upper()[:40], SPELLED, n=1)
    return f" Did you mean {close[0]}()?" if close else ""
