"""The nodes of a tree that a query may hold, and the parts of each; whatever is not listed is refused (PRIVACY §2).

Nodes that the binder refuses by name (windows, set operations, …) are listed, so that their own reasons are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from sqlglot import exp

from tre.base.reasons import Reason, sql_private, sql_text
from tre.sql import functions

Found = tuple[Reason, Mapping[str, str], exp.Expr]

_RELATIONAL: dict[type[exp.Expr], str] = {
    exp.Select: "kind expressions from_ joins where group having order limit offset with_ distinct qualify windows",
    exp.From: "this",
    exp.Join: "this on using side kind method",
    exp.Table: "this alias db catalog joins",
    exp.TableAlias: "this columns",
    exp.Subquery: "this alias with_ order limit offset",
    exp.Values: "expressions alias",
    exp.With: "expressions recursive",
    exp.CTE: "this alias",
    exp.Where: "this",
    exp.Having: "this",
    exp.Qualify: "this",
    exp.Group: "expressions rollup cube grouping_sets",
    exp.Rollup: "expressions",
    exp.Cube: "expressions",
    exp.GroupingSets: "expressions",
    exp.Order: "expressions this",
    exp.Ordered: "this desc nulls_first",
    exp.Limit: "expression",
    exp.Offset: "expression",
    exp.Fetch: "direction count limit_options",
    exp.LimitOptions: "percent rows with_ties",
    exp.Distinct: "expressions on",
    exp.Alias: "this alias",
    exp.Star: "",
    exp.Column: "this table",
    exp.Identifier: "this quoted",
    exp.Union: "this expression distinct with_ order limit offset",
    exp.Intersect: "this expression distinct with_ order limit offset",
    exp.Except: "this expression distinct with_ order limit offset",
    exp.Exists: "this",
    exp.Any: "this",
    exp.All: "this",
    exp.Filter: "this expression",
    exp.Window: "this partition_by order spec alias over",
    exp.WindowSpec: "kind start start_side end end_side",
    exp.WithinGroup: "this expression",
}
_AGGREGATES = (
    exp.Count,
    exp.Sum,
    exp.Avg,
    exp.Min,
    exp.Max,
    exp.Variance,
    exp.VariancePop,
    exp.Stddev,
    exp.StddevPop,
    exp.StddevSamp,
    exp.Median,
    exp.Quantile,
    exp.PercentileCont,
    exp.PercentileDisc,
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.PercentRank,
    exp.CumeDist,
    exp.Ntile,
    exp.Lag,
    exp.Lead,
    exp.FirstValue,
    exp.LastValue,
    exp.NthValue,
    exp.Grouping,
    exp.GroupingId,
)
_BY_NAME: dict[type[exp.Expr], Reason] = {
    exp.Lateral: sql_private.LATERAL,
    exp.Unnest: sql_private.LATERAL,
    exp.TableSample: sql_private.SAMPLING,
}
_WORDS: dict[type[exp.Expr], str] = {
    exp.Into: "SELECT INTO",
    exp.Lock: "FOR UPDATE",
    exp.Hint: "A hint",
    exp.Bracket: "Indexing by [ ]",
    exp.Dot: "A name with that many parts",
    exp.ReadCSV: "Reading a file",
    exp.Placeholder: "A placeholder",
}
_PARTS = {
    "except_": "* EXCEPT",
    "replace": "* REPLACE",
    "rename": "* RENAME",
    "sample": "TABLESAMPLE",
    "only": "FROM ONLY",
    "materialized": "MATERIALIZED",
}

GRAMMAR: Mapping[type[exp.Expr], frozenset[str]] = MappingProxyType(
    {node: frozenset(parts.split()) for node, parts in _RELATIONAL.items()}
    | {
        node: frozenset({"this", "expression", "expressions", "offset", "default", "big_int", "quantile"})
        for node in _AGGREGATES
    }
    | dict(functions.GRAMMAR)
)


def off_list(nodes: Iterable[exp.Expr]) -> Iterator[Found]:
    """Yield why, with what words and where, for every one of `nodes` and every part of one that is not listed."""
    for node in nodes:
        allowed = GRAMMAR.get(type(node))
        if functions.is_named(node):
            continue
        if allowed is None:
            yield _unlisted(node)
        elif not node.args.keys() <= allowed:
            yield from _parts(node, allowed)
        if isinstance(node, exp.Table):
            yield from _file(node)
        if isinstance(node, exp.Select) and not node.expressions:
            yield sql_text.FORM, {"form": "SELECT without columns"}, node


def _unlisted(node: exp.Expr) -> Found:
    if type(node) in _BY_NAME:
        return _BY_NAME[type(node)], {}, node
    if isinstance(node, exp.Func) and type(node) not in _WORDS and not isinstance(node.parent, exp.Table):
        return functions.unknown(node)
    form = _WORDS.get(type(node), node.key.upper())
    return sql_text.FORM, {"form": "A table function" if isinstance(node, exp.Func) else form}, node


def _parts(node: exp.Expr, allowed: frozenset[str]) -> Iterator[Found]:
    for name, value in node.args.items():
        if name in allowed or value in (None, False, [], ""):
            continue
        nodes = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, exp.Expr)]
        if all(type(one) in GRAMMAR for one in nodes):
            word = _PARTS.get(name, f"{node.key.upper()} … {name.strip('_').replace('_', ' ').upper()}")
            yield sql_text.FORM, {"form": word}, node


def _file(node: exp.Table) -> Iterator[Found]:
    """A table is named by letters, digits and underscores: engines read other names as files or links."""
    for part in ("this", "db", "catalog"):
        name = node.args.get(part)
        if isinstance(name, exp.Identifier) and not _is_name(name.name):
            yield sql_text.FILE_AS_TABLE, {"name": name.name[:80]}, node


def _is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier()
