"""Golden files in ZetaSQL's manner: SQL, then the plan or the refusal; one file a rule family (PRIVACY §5).

TRE_UPDATE_GOLDEN=1 writes the files anew; the difference is then read like code.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from tests.sql.catalogue import CATALOGUE
from tre.base.reasons import Refusal, Refused, every_reason
from tre.privacy.above import standing_in
from tre.sql import bind, refusals_for, render
from tre.sql.plan import Column, Expression, PrivateAggregate, PublicKeys, Query, Relation, Released

HERE = Path(__file__).parent
FAMILIES = sorted(path.name for path in HERE.glob("*.txt"))
TODAY = date(2024, 1, 1)
MOST_ROWS_OF_ONE, MOST_ROWS = 10**6, 10**13
"""The limits of work that a policy sets unless it says otherwise."""
OF_SIZE = frozenset(
    {
        "private.too-many-steps",
        "private.too-much-text",
        "sql.constant-too-long",
        "sql.control-character",
        "sql.dialect-unknown",
        "sql.expression-too-large",
        "sql.joins-open",
        "sql.text-too-long",
        "sql.too-deep",
        "sql.too-long",
        "sql.too-many-digits",
        "sql.too-nested",
    }
)
"""Refusals of texts that nobody would read in a file; they are in tests of their own."""
GUARDS = frozenset({"names.no-columns", "private.aggregate-inside", "private.not-a-query"})
"""Refusals that no text is known to reach, because another one comes first; they stand behind it."""


def described(text: str) -> str:
    """Return what the binder makes of `text`, for people."""
    try:
        query = bind(text, CATALOGUE, TODAY)
    except Refused as refused:
        return "\n".join(refusal(one) for one in refused.refusals)
    too_much = refusals_for(query.root, MOST_ROWS_OF_ONE, MOST_ROWS)
    return "\n".join(map(refusal, too_much) if too_much else _lines(query))


def refusal(one: Refusal) -> str:
    caret = f"{one.place.caret()}\n" if one.place else ""
    return f"refused {one.reason.code}: {one.sentence}\n{caret}→ {one.remedy}"


def _lines(query: Query) -> list[str]:
    lines = [f"columns {', '.join(query.names)}", *(f"note {note}" for note in query.notes)]
    for block, rows in zip(query.blocks, rows_of(query), strict=True):
        lines += _block(block, rows)
    return [*lines, f"question {query.canonical}"]


def rows_of(query: Query) -> list[Relation]:
    """Return what each block is measured over, with a released table in the place of every block below it."""
    tables = {id(block): Released(f"released_{at}", block.columns) for at, block in enumerate(query.blocks)}
    return [standing_in(block.input, tables) for block in query.blocks]


def _block(block: PrivateAggregate, rows: Relation) -> list[str]:
    asked = ", ".join(one.function.value for one in block.asked)
    keys = ", ".join(_key(column, expression) for column, expression in block.keys) or "none"
    return [
        f"private {asked}; keys {keys}",
        f"a person: groups {block.groups_per_unit}, rows {block.rows_per_unit}, typical {block.typical_rows}"
        f"{', one row' if block.one_row else ', one row a group' if block.one_row_a_group else ''}",
        *(f"  {line}" for line in render(rows).sql.splitlines()),
    ]


def _key(column: Column, _expression: Expression) -> str:
    domain = column.facts.domain
    if isinstance(domain, PublicKeys):
        return f"{column.name} (known: {' '.join(render(domain.relation).sql.split())})"
    return f"{column.name} ({'unknown' if domain is None else f'known: {len(domain)} values'})"


@pytest.mark.parametrize("family", FAMILIES)
def test_plans_and_refusals_are_those_of_the_golden_file(family: str) -> None:
    same(HERE / family, {case: described(case) for case in cases(family)})


def cases(family: str) -> list[str]:
    """Return the texts of a family."""
    return [part.partition("\n--")[0].strip() for part in (HERE / family).read_text().split("\n==\n")]


def same(path: Path, now: Mapping[str, str]) -> None:
    """Hold what is said of each text now against the file, or write the file anew."""
    text = "\n==\n".join(f"{case}\n--\n{said}" for case, said in now.items()) + "\n"
    if os.environ.get("TRE_UPDATE_GOLDEN") == "1":
        path.write_text(text)
    assert path.read_text() == text


def test_every_refusal_of_a_text_is_on_file_with_its_caret_and_remedy() -> None:
    spoken = "\n" + "\n".join((HERE / family).read_text() for family in FAMILIES)
    wanted = {one.code for one in every_reason() if one.code.split(".")[0] in ("names", "private", "sql")}
    assert {code for code in wanted - OF_SIZE - GUARDS if f"\nrefused {code}: " not in spoken} == set()
