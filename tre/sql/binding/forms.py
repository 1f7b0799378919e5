"""Forms of SQL that are refused by name, found anywhere in the tree, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlglot import exp

from tre.base.reasons import Reason, Refusal
from tre.base.reasons import sql_private as reasons
from tre.sql.binding.session import Session

Found = tuple[Reason, dict[str, str]]

_NODES: dict[type[exp.Expr], Reason] = {
    exp.Lateral: reasons.LATERAL,
    exp.Unnest: reasons.LATERAL,
    exp.TableSample: reasons.SAMPLING,
    exp.Any: reasons.QUANTIFIED,
    exp.All: reasons.QUANTIFIED,
}
_REFUSED = tuple(_NODES)
_SELECT = {"kind", "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset"}
_SET = {"this", "expression", "distinct", "with_", "order", "limit", "offset"}
_WINDOW = {"this", "partition_by", "order", "spec", "alias", "over"}
_KNOWN: dict[type[exp.Expr], set[str]] = {
    exp.Select: _SELECT | {"with_", "distinct", "windows", "qualify"},
    exp.Table: {"this", "alias", "db", "catalog", "joins"},
    exp.Subquery: {"this", "alias"},
    exp.TableAlias: {"this", "columns"},
    exp.Values: {"expressions", "alias"},
    exp.Group: {"expressions", "rollup", "cube", "grouping_sets", "all"},
    exp.Join: {"this", "on", "using", "side", "kind", "method"},
    exp.With: {"expressions", "recursive"},
    exp.CTE: {"this", "alias"},
    exp.Ordered: {"this", "desc", "nulls_first"},
    exp.Order: {"expressions"},
    exp.Limit: {"expression"},
    exp.Offset: {"expression"},
    exp.Fetch: {"direction", "count", "limit_options"},
    exp.Where: {"this"},
    exp.Having: {"this"},
    exp.Filter: {"this", "expression"},
    exp.Window: _WINDOW,
    exp.Union: _SET,
    exp.Intersect: _SET,
    exp.Except: _SET,
    exp.WindowSpec: {"kind", "start", "start_side", "end", "end_side"},
    exp.Qualify: {"this"},
    exp.From: {"this"},
}
"""The parts of each relational node that the binder reads; any other is refused, never overlooked."""


def refused_forms(tree: exp.Expr, session: Session) -> list[Refusal]:
    """Return a refusal for every form in `tree` that is not answered."""
    refusals: list[Refusal] = []
    for node in tree.walk():
        for why, values in _found(node):
            refusals += [one for one in session.refused(why, node, **values).refusals if one not in refusals]
    return refusals


def _found(node: exp.Expr) -> Iterator[Found]:
    if isinstance(node, _REFUSED):
        yield from ((why, {}) for kind, why in _NODES.items() if isinstance(node, kind))
    check = _CHECKS.get(type(node))
    if check is not None:
        yield from check(node)
    known = _KNOWN.get(type(node))
    if known is not None:
        yield from ((reasons.CLAUSE, {"clause": _clause(name)}) for name in _rest(node, known))


def _rest(node: exp.Expr, known: set[str]) -> Iterator[str]:
    refused_elsewhere = {"sample"}
    return (
        name
        for name, value in node.args.items()
        if name not in known and name not in refused_elsewhere and value not in (None, False, [])
    )


def _clause(name: str) -> str:
    return name.strip("_").replace("_", " ").upper()


def _join(node: exp.Join) -> Iterator[Found]:
    side, kind = (node.args.get("side") or "").upper(), (node.args.get("kind") or "").upper()
    if node.args.get("method"):
        yield (reasons.NATURAL, {}) if node.args["method"].upper() == "NATURAL" else (reasons.CLAUSE, _named(node))
    if side not in ("", "LEFT", "RIGHT", "FULL"):
        yield reasons.OUTER_JOIN, {"kind": side}
    if kind not in ("", "INNER", "OUTER", "CROSS"):
        yield reasons.OUTER_JOIN, {"kind": kind}


def _named(node: exp.Join) -> dict[str, str]:
    return {"clause": f"{str(node.args['method']).upper()} JOIN"}


def _select(node: exp.Select) -> Iterator[Found]:
    if not node.args.get("from_") and node.args.get("joins"):
        yield reasons.CLAUSE, {"clause": "JOIN without FROM"}
    if node.args.get("kind"):
        yield reasons.CLAUSE, {"clause": f"SELECT AS {node.args['kind']}"}


def _with(node: exp.With) -> Iterator[Found]:
    if node.args.get("recursive"):
        yield reasons.RECURSIVE, {}


def _fetch(node: exp.Fetch) -> Iterator[Found]:
    options = node.args.get("limit_options")
    if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
        yield reasons.CLAUSE, {"clause": "FETCH … WITH TIES or PERCENT"}


def _table(node: exp.Table) -> Iterator[Found]:
    if not isinstance(node.this, exp.Identifier):
        yield reasons.TABLE_EXPRESSION, {}


def _group(node: exp.Group) -> Iterator[Found]:
    """WITH ROLLUP and WITH CUBE are about a list of plain keys."""
    suffixes = [name for name in ("rollup", "cube", "grouping_sets") for _ in node.args.get(name) or ()]
    sets = any(isinstance(one, exp.Rollup | exp.Cube | exp.GroupingSets) for one in node.expressions)
    if len(suffixes) + sets > 1:
        yield reasons.CLAUSE, {"clause": "WITH ROLLUP or WITH CUBE beside other grouping sets"}


_CHECKS: dict[type[exp.Expr], Callable[[Any], Iterator[Found]]] = {
    exp.Join: _join,
    exp.Group: _group,
    exp.Select: _select,
    exp.With: _with,
    exp.Fetch: _fetch,
    exp.Table: _table,
}
