"""Text, choices and patterns. Text is compared and folded by its bytes: every text here has the collation "C"."""

from __future__ import annotations

from tre.sql.functions import rendering
from tre.sql.functions.form import Rendering
from tre.sql.functions.postgres.pieces import let
from tre.sql.plan import Call, Literal


def _nullif(_call: Call, texts: tuple[str, ...]) -> str:
    return let(lambda a, b: f"CASE WHEN {a} = {b} THEN NULL ELSE {a} END", *texts)


def _like(call: Call, texts: tuple[str, ...]) -> str:
    """PostgreSQL's LIKE gives up where a later % cannot match either, so that it never is exponential."""
    given = call.arguments[1]
    text = given.value if isinstance(given, Literal) and isinstance(given.value, str) else ""
    return f"({texts[0]} LIKE {rendering.string(text)})"


FORMS: dict[str, Rendering] = {
    "nullif": _nullif,
    "like": _like,
    "lower": lambda _, texts: f'lower({texts[0]} COLLATE "C")',
    "upper": lambda _, texts: f'upper({texts[0]} COLLATE "C")',
    "position": lambda _, texts: f"CAST(strpos({texts[0]}, {texts[1]}) AS BIGINT)",
    "trim": lambda _, texts: f"btrim({texts[0]}, ' ')",
}
