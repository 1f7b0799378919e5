"""The page of every function of SQL, from the table by which expressions are bound."""

from collections.abc import Iterable

from tre.sql.functions import REGISTRY, exact, keyed
from tre.sql.functions.form import Function
from tre.sql.parse import DIALECTS

OF_THE_PLANNER = (*exact.FUNCTIONS, *keyed.FUNCTIONS)
HEAD = f"""# Functions of SQL

What an expression may use. All are *total*: where another database would stop with an error, such as a division by zero
or a cast that fails, the value is NULL, so that no error can depend on one person. A function that is not listed is
refused.

Types are BOOLEAN, BIGINT, NUMERIC(p, s), DOUBLE PRECISION, TEXT, VARCHAR(n), DATE and TIMESTAMP. The meaning is
PostgreSQL's, also of text that is written in another dialect. These are read:
{", ".join(f"`{name}`" for name in DIALECTS)}.

Over people there are the aggregates `COUNT(*)`, `COUNT(x)`, `COUNT(DISTINCT x)`, `SUM`, `AVG`, `VAR_SAMP`, `VAR_POP`,
`STDDEV_SAMP`, `STDDEV_POP`, `MEDIAN`, `PERCENTILE_CONT`, `PERCENTILE_DISC`, `MIN` and `MAX`, each with
`FILTER (WHERE …)` if you like, and `GROUPING(key, …)` beside ROLLUP, CUBE and GROUPING SETS. `CASE` is not in the
table, nor is `CURRENT_DATE`, the day on which a question is decided.
"""


def page() -> str:
    """Return the whole page: functions by the names that people write, then operators."""
    public = [row for row in REGISTRY.values() if row not in OF_THE_PLANNER]
    parts = [HEAD, "## Functions", "", "| name | meaning | takes |", "|---|---|---|"]
    parts += _rows((", ".join(f"`{name}`" for name in row.spelled), row) for row in public if row.spelled)
    parts += ["", "## Operators", "", "| operator | takes |", "|---|---|"]
    parts += [f"| {_text(row.summary)} | {row.expected} |" for row in public if not row.spelled]
    return "\n".join(parts) + "\n"


def _rows(named: Iterable[tuple[str, Function]]) -> list[str]:
    return [f"| {names} | {_text(row.summary)} | {row.expected} |" for names, row in sorted(named, key=_by_name)]


def _by_name(named: tuple[str, Function]) -> str:
    return named[0]


def _text(words: str) -> str:
    for mark in ("\\", "|", "*", "[", "]", "<", ">"):
        words = words.replace(mark, f"\\{mark}")
    return words
