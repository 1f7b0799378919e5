"""Productions of windows: derived tables of persons' rows, each with values of the rows around it (PRIVACY §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.oracle.calls import Kinds

if TYPE_CHECKING:
    from tests.oracle.grammar import Col, Grammar, Source

INT, NUM, DOUBLE, DATE = Kinds.INT, Kinds.NUM, Kinds.DOUBLE, Kinds.DATE
FRAMES = {
    "none": "",
    "rows": "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW",
    "rows short": "ROWS UNBOUNDED PRECEDING",
    "rows after": "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING",
    "range": "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "groups": "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "whole": "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
}
OF_ROWS = [one for one in FRAMES.values() if one.startswith("ROWS")]


def windowed(grammar: Grammar, depth: int) -> Source:
    """Return a derived table with one or two windows; often only rows with a certain number are kept."""
    from tests.oracle.grammar import Col, Source

    source, inner, outer = grammar.source(depth - 1), grammar.alias(), grammar.alias()
    listed, columns = [f"{source.key.text} AS u"], [Col(f"{outer}.u", INT, True)]
    for place, one in enumerate(source.columns):
        if not one.key and grammar.chance(0.6):
            listed.append(f"{one.text} AS c{place}")
            columns.append(Col(f"{outer}.c{place}", one.kind, bounded=one.bounded))
    named, clause = _clause(grammar, source)
    numbered = False
    for place in range(grammar.random.choice((1, 1, 2))):
        text, kind, bounded = window(grammar, source, named)
        numbered = numbered or text.startswith("ROW_NUMBER")
        listed.append(f"{text} AS w{place}")
        columns.append(Col(f"{outer}.w{place}", kind, bounded=bounded))
    text = f"SELECT {', '.join(listed)} FROM {source.text}{grammar.where(source)}{clause}"
    if numbered and grammar.chance(0.6):
        number = next(place for place in (0, 1) if f"AS w{place}" in text and _numbers(listed, place))
        text = f"SELECT * FROM ({text}) {inner} WHERE {inner}.w{number} {grammar.random.choice(('= 1', '<= 2'))}"
    return Source(f"({text}) {outer}", tuple(columns))


def _numbers(listed: list[str], place: int) -> bool:
    return any(one.startswith("ROW_NUMBER") and one.endswith(f"AS w{place}") for one in listed)


def _clause(grammar: Grammar, source: Source) -> tuple[str, str]:
    """Return the name of a window of the WINDOW clause and the clause, now and then."""
    if not grammar.chance(0.2):
        return "", ""
    grammar.used["window:named"] += 1
    return "w", f" WINDOW w AS ({_partition(grammar, source)} {_order(grammar, source)})"


def _partition(grammar: Grammar, source: Source) -> str:
    others = [one.text for one in source.columns if not one.key]
    keys = [source.key.text] + ([grammar.random.choice(others)] if others and grammar.chance(0.3) else [])
    if grammar.loose and others and grammar.chance(0.1):
        keys = [grammar.random.choice(others)]
    return f"PARTITION BY {', '.join(keys)}"


def _order(grammar: Grammar, source: Source) -> str:
    """Plain text tells tied rows apart only where all columns stand in its order."""
    columns = list(source.columns)
    grammar.random.shuffle(columns)
    kept = columns if grammar.plain else columns[: grammar.random.choice((1, 1, 2))]
    return f"ORDER BY {', '.join(one.text + grammar.random.choice(('', ' DESC', ' NULLS FIRST')) for one in kept)}"


def window(grammar: Grammar, source: Source, named: str) -> tuple[str, Kinds, bool]:
    """Return a window: its text, kind and whether its value is bounded."""
    whole = f"{_partition(grammar, source)} {_order(grammar, source)}"
    over = named or f"({whole})"

    def plain(text: str, kind: Kinds, bounded: bool = True) -> tuple[str, Kinds, bool]:
        return f"{text} OVER {over}", kind, bounded

    found = grammar.pick(
        "window",
        {
            "row number": lambda: plain("ROW_NUMBER()", INT),
            "rank": lambda: plain(grammar.random.choice(("RANK()", "DENSE_RANK()")), INT),
            "share": lambda: plain(grammar.random.choice(("PERCENT_RANK()", "CUME_DIST()")), DOUBLE),
            "tiles": lambda: plain("NTILE(3)", INT),
            "neighbour": lambda: _neighbour(grammar, source, over),
            "end": lambda: _end(grammar, source, whole),
            "aggregate": lambda: _aggregate(grammar, source),
            "distance": lambda: _distance(grammar, source),
        },
    )
    assert isinstance(found, tuple)
    return found


def _any(grammar: Grammar, source: Source) -> Col:
    return grammar.random.choice(source.columns)


def _neighbour(grammar: Grammar, source: Source, over: str) -> tuple[str, Kinds, bool]:
    one = _any(grammar, source)
    more = grammar.random.choice(("", ", 2", f", 1, {grammar.literal(one.kind)}"))
    return f"{grammar.random.choice(('LAG', 'LEAD'))}({one.text}{more}) OVER {over}", one.kind, False


def _end(grammar: Grammar, source: Source, whole: str) -> tuple[str, Kinds, bool]:
    one, frame = _any(grammar, source), grammar.random.choice([*OF_ROWS, FRAMES["whole"]])
    called = grammar.random.choice((f"FIRST_VALUE({one.text})", f"LAST_VALUE({one.text})", f"NTH_VALUE({one.text}, 2)"))
    return f"{called} OVER ({whole} {frame})", one.kind, False


def _aggregate(grammar: Grammar, source: Source) -> tuple[str, Kinds, bool]:
    text, kind, bounded = grammar.exact(source)
    if "DISTINCT" in text:
        text, kind, bounded = "COUNT(*)", INT, True
    name = grammar.random.choice(sorted(FRAMES))
    grammar.used[f"frame:{name}"] += 1
    order = f" {_order(grammar, source)}" if name in ("groups", "rows") or grammar.chance(0.7) else ""
    if FRAMES[name].startswith("ROWS") and grammar.plain:
        order = f" {_order(grammar, source)}"
    filtered = f" FILTER (WHERE {grammar.comparison(source)})" if grammar.chance(0.2) else ""
    return f"{text}{filtered} OVER ({_partition(grammar, source)}{order} {FRAMES[name]})", kind, bounded


def _distance(grammar: Grammar, source: Source) -> tuple[str, Kinds, bool]:
    """A RANGE of values around the row's own: whatever they are, no sum may overflow."""
    numbers, days = source.of(INT), source.of(DATE)
    if days and (not numbers or grammar.chance(0.5)):
        by, step = grammar.random.choice(days).text, "INTERVAL '1 day'"
    else:
        by, step = grammar.random.choice(numbers).text if numbers else source.key.text, "1"
    text, kind, bounded = grammar.exact(source)
    if "DISTINCT" in text:
        text, kind, bounded = "COUNT(*)", INT, True
    down = grammar.random.choice(("", " DESC"))
    frame = f"RANGE BETWEEN {step} PRECEDING AND {step} FOLLOWING"
    return f"{text} OVER ({_partition(grammar, source)} ORDER BY {by}{down} {frame})", kind, bounded


def first_rows(grammar: Grammar, depth: int) -> Source:
    """Return the first rows by DISTINCT ON."""
    from tests.oracle.grammar import Col, Source

    source, outer = grammar.source(depth - 1), grammar.alias()
    others = [one.text for one in source.columns if not one.key]
    on = [source.key.text] + ([grammar.random.choice(others)] if others and grammar.chance(0.3) else [])
    listed, columns = [f"{source.key.text} AS u"], [Col(f"{outer}.u", INT, True)]
    for place, one in enumerate(source.columns):
        if not one.key:
            listed.append(f"{one.text} AS c{place}")
            columns.append(Col(f"{outer}.c{place}", one.kind, bounded=one.bounded))
    order = f" ORDER BY {', '.join(on)}, {_order(grammar, source).removeprefix('ORDER BY ')}"
    kept = order if grammar.plain or grammar.chance(0.8) else ""
    text = f"SELECT DISTINCT ON ({', '.join(on)}) {', '.join(listed)} FROM {source.text}{grammar.where(source)}{kept}"
    return Source(f"({text}) {outer}", tuple(columns))
