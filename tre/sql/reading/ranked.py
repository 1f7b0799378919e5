"""Percentiles counted by hand, read as PERCENTILE_DISC.

Where a dialect has no percentiles, people number the rows by a value and take the first at or past a share of their
count: `MIN(CASE WHEN n < 0.25 * rows THEN 9999 ELSE x END)`. That is the value of rank ceil(0.25 · rows), which is
what PERCENTILE_DISC(0.25) gives. Only the text changes; what it then means is bound and proven like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from tre.sql.parsed import Parsed
from tre.sql.reading.lineage import Step, below, meant, named, same, select_of, sources, tables, way


@dataclass(frozen=True, slots=True)
class Counted:
    """`MIN(CASE WHEN number < share * size THEN … ELSE value END)`, at `node`."""

    node: exp.Expr
    number: exp.Column
    size: exp.Column
    share: str
    value: exp.Expr


def plainly(parsed: Parsed) -> tuple[Parsed, tuple[str, ...]] | None:
    """Return the text with its percentiles written as such, and what to say of it; None where there are none."""
    if parsed.tree.find(exp.Window) is None:  # rows are numbered by windows alone
        return None
    tree, notes, gone = parsed.tree.copy(), list[str](), list[Step]()
    for select in list(tree.find_all(exp.Select)):
        _of_all_rows(select)
        counted = [found for node in _own(select) if (found := _counted(node)) is not None]
        if counted and _rewritten(select, counted, gone):
            notes += [_note(one.share, one.value) for one in counted]
        shown = meant(select.expressions[0]).copy() if len(select.expressions) == 1 else None
        share = _at_rank(select, gone)
        if share is not None and shown is not None:
            notes.append(_note(share, shown))
    for step in gone:  # only now: several percentiles may stand on one numbering
        step.select.set("expressions", [one for one in step.select.expressions if one is not step.item])
    return (replace(parsed, tree=tree), tuple(dict.fromkeys(notes))) if notes else None


def _note(share: str, value: exp.Expr) -> str:
    return (
        f"the percentile that is counted by hand is answered as PERCENTILE_DISC({share}) of {value.sql('postgres')} "
        "over the rows that are numbered"
    )


def _own(select: exp.Select) -> Iterator[exp.Expr]:
    """Yield the nodes of a SELECT list, not of its subqueries."""
    for item in select.expressions:
        yield from item.walk(prune=lambda node: isinstance(node, exp.Query))


# --- MIN(CASE WHEN number < share * size … ELSE value END) ------------------------------------------------


def _counted(node: exp.Expr) -> Counted | None:
    case = node.this if isinstance(node, exp.Min) else None
    if not isinstance(case, exp.Case) or case.this is not None or len(case.args["ifs"]) != 1:
        return None
    condition, value = case.args["ifs"][0].this.unnest(), case.args.get("default")
    if not isinstance(condition, exp.LT) or value is None or not isinstance(condition.this, exp.Column):
        return None
    product = condition.expression.unnest()
    factors = [product.this.unnest(), product.expression.unnest()] if isinstance(product, exp.Mul) else []
    share = next((one for one in factors if _share(one)), None)
    size = next((one for one in factors if isinstance(one, exp.Column)), None)
    if share is None or size is None:
        return None
    return Counted(node, condition.this, size, str(share.this), value)


def _share(node: exp.Expr) -> bool:
    try:
        return isinstance(node, exp.Literal) and not node.is_string and 0 < Decimal(node.this) < 1
    except InvalidOperation:
        return False


def _rewritten(select: exp.Select, counted: list[Counted], gone: list[Step]) -> bool:
    """Rewrite a SELECT whose percentiles are all of one numbering; say whether it is one."""
    first = counted[0]
    if any(not same(one.number, first.number) or not same(one.size, first.size) for one in counted):
        return False
    numbered, sized = way(select, first.number), way(select, first.size)
    if not numbered or not sized:
        return False
    ordered = _order(meant(numbered[-1].item))
    if ordered is None or not all(_is_value(select, one.value, numbered, ordered) for one in counted):
        return False
    if not _is_size(numbered, sized):
        return False
    for one in counted:
        one.node.replace(_percentile(one.share, one.value))
    gone += numbered
    _drop_size(select, sized, gone)
    _window_keys(select, gone)
    return True


def _percentile(share: str, value: exp.Expr) -> exp.Expr:
    order = exp.Order(expressions=[exp.Ordered(this=value.copy(), desc=False, nulls_first=False)])
    return exp.WithinGroup(this=exp.PercentileDisc(this=exp.Literal.number(share)), expression=order)


def _order(window: exp.Expr) -> exp.Expr | None:
    """Return by what a window numbers the rows of each partition, ascending: ROW_NUMBER or a running SUM(1)."""
    if not isinstance(window, exp.Window) or window.args.get("order") is None or not _numbers(window):
        return None
    partition = window.args.get("partition_by") or []
    terms = [one for one in window.args["order"].expressions if not any(same(one.this, key) for key in partition)]
    found: exp.Expr | None = terms[0].this if len(terms) == 1 and not terms[0].args.get("desc") else None
    return found


def _numbers(window: exp.Window) -> bool:
    if isinstance(window.this, exp.RowNumber):
        return True
    spec, one = window.args.get("spec"), window.this
    running = spec is not None and spec.args.get("kind") == "ROWS" and spec.args.get("start") == "UNBOUNDED"
    ends = spec is not None and spec.args.get("end") in (None, "CURRENT ROW")
    return running and ends and isinstance(one, exp.Sum) and isinstance(one.this, exp.Literal) and one.this.this == "1"


def _is_value(select: exp.Select, value: exp.Expr, numbered: list[Step], ordered: exp.Expr) -> bool:
    """Say whether `value` is that by which the rows are numbered, as it is seen where they are taken."""
    inner = numbered[-1].select
    wanted = value
    for step in numbered:
        if not isinstance(wanted, exp.Column):
            return False
        found = below(select, wanted)
        if found is None or found.select is not step.select:
            return step.select is inner and same(wanted, ordered)
        select, wanted = step.select, meant(found.item)
        if step.select is inner:
            return same(wanted, ordered) or _named(found.item, ordered) or _days_to(wanted, ordered)
    return False


def _days_to(value: exp.Expr, ordered: exp.Expr) -> bool:
    """Say whether `value` is how many days lie before that by which rows are ordered: it rises with it."""
    later = value.this if isinstance(value, exp.DateDiff) else _minuend(value)
    return later is not None and same(_uncast(later), ordered)


def _minuend(value: exp.Expr) -> exp.Expr | None:
    """Return b of EXTRACT(EPOCH FROM b - a) / 86400, in casts or not."""
    quotient = _uncast(value)
    divided = isinstance(quotient, exp.Div) and isinstance(quotient.expression, exp.Literal)
    seconds = _uncast(quotient.this) if divided else quotient
    of = seconds.expression.unnest() if isinstance(seconds, exp.Extract) and seconds.name.lower() == "epoch" else None
    found: exp.Expr | None = of.this if isinstance(of, exp.Sub) else None
    return found


def _uncast(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.TimeStrToTime | exp.TsOrDsToDate | exp.Cast | exp.Paren):
        node = node.this
    return node


def _named(item: exp.Expr, ordered: exp.Expr) -> bool:
    return isinstance(ordered, exp.Column) and item.alias_or_name.lower() == ordered.name.lower()


def _is_size(numbered: list[Step], sized: list[Step]) -> bool:
    """Say whether a size counts rows of what the numbered ones are taken from, over the same partition."""
    inner, window = numbered[-1].select, meant(numbered[-1].item)
    counting, computed = sized[-1].select, meant(sized[-1].item)
    partition = [one for one in window.args.get("partition_by") or [] if not isinstance(one, exp.Literal)]
    if isinstance(computed, exp.Window):
        keys = computed.args.get("partition_by") or []
        return isinstance(computed.this, exp.Count) and computed.args.get("order") is None and _alike(keys, partition)
    if isinstance(computed, exp.Subquery | exp.Select):
        scalar = computed.unnest()
        if not isinstance(scalar, exp.Select) or partition:
            return False
        return isinstance(meant(scalar.expressions[0]), exp.Count) and tables(scalar) <= tables(inner)
    group = counting.args.get("group")
    keys = list(group.expressions) if group is not None else []
    joined = counting is not inner and not any(step.select is counting for step in numbered)
    return joined and isinstance(computed, exp.Count) and _alike(keys, partition) and tables(counting) <= tables(inner)


def _alike(keys: list[exp.Expr], others: list[exp.Expr]) -> bool:
    real = [[one for one in some if not isinstance(one, exp.Literal)] for some in (keys, others)]
    return all(any(same(one, other) for other in real[1]) for one in real[0]) and len(real[0]) == len(real[1])


# --- SELECT DISTINCT aggregate OVER () … GROUP BY number --------------------------------------------------


def _of_all_rows(select: exp.Select) -> None:
    """One row of windows over all rows, groups of one row each below it, is one row of aggregates."""
    group, distinct = select.args.get("group"), select.args.get("distinct")
    if group is None or distinct is None or distinct.args.get("on"):
        return
    windows = [[one for one in item.walk() if isinstance(one, exp.Window)] for item in select.expressions]
    parts = ("partition_by", "order", "spec", "alias")
    if not all(windows) or any(one.args.get(part) for own in windows for one in own for part in parts):
        return
    traced = [(key, _traced(select, key)) for key in group.expressions]
    if not any(isinstance(one, exp.Window) and isinstance(one.this, exp.RowNumber) for _, one in traced):
        return
    for one in (window for own in windows for window in own):
        one.replace(one.this)
    select.set("distinct", None)
    constant = [key for key, one in traced if isinstance(one, exp.Window) and not any(one.args.get(p) for p in parts)]
    group.set("expressions", constant)
    if not constant:
        select.set("group", None)


# --- what is no longer needed -----------------------------------------------------------------------------


def _drop_size(select: exp.Select, sized: list[Step], gone: list[Step]) -> None:
    """Drop the count, and a derived table that was joined for its sake."""
    holder = select if len(sized) == 1 else sized[-2].select
    source = next((one for _, one in sources(holder) if select_of(one) is sized[-1].select), None)
    join = None if source is None else source.parent
    if source is None or not isinstance(join, exp.Join) or not isinstance(meant(sized[-1].item), exp.Count):
        gone += sized
        return
    gone += sized[:-1]
    _renamed(holder, join, named(source))
    holder.set("joins", [one for one in holder.args["joins"] if one is not join])


def _renamed(select: exp.Select, join: exp.Expr, gone: str) -> None:
    """Let the names of a derived table that goes mean what it was joined on."""
    pairs = {}
    for one in join.args["on"].find_all(exp.EQ) if join.args.get("on") else ():
        sides = [one.this, one.expression]
        for own, other in (sides, sides[::-1]):
            if isinstance(own, exp.Column) and own.table.lower() == gone and isinstance(other, exp.Column):
                pairs[own.name.lower()] = other
    for column in list(select.find_all(exp.Column)):
        if column.table.lower() == gone and column.name.lower() in pairs and column.find_ancestor(exp.Join) is not join:
            column.replace(pairs[column.name.lower()].copy())


def _window_keys(select: exp.Select, gone: list[Step]) -> None:
    """An aggregate over the partition that is also grouped by is the aggregate of the group."""
    group = select.args.get("group")
    if group is None:
        return
    for key in list(group.expressions):
        step = below(select, key) if isinstance(key, exp.Column) else None
        window = None if step is None else meant(step.item)
        if step is None or not isinstance(window, exp.Window) or window.args.get("order") is not None:
            continue
        argument = window.this.this if isinstance(window.this, exp.AggFunc) else None
        shown = next(
            (one for one in step.select.expressions if argument is not None and same(meant(one), argument)), None
        )
        rest = [one for one in group.expressions if one is not key and not _is_window(select, one)]
        if shown is None or not _alike(window.args.get("partition_by") or [], [_traced(select, one) for one in rest]):
            continue
        made = type(window.this)(this=exp.column(shown.alias_or_name))
        for column in [one for one in _own(select) if isinstance(one, exp.Column) and same(one, key)]:
            aliased = made.copy() if not isinstance(column.parent, exp.Select) else made.copy().as_(key.name)
            column.replace(aliased)
        group.set("expressions", [one for one in group.expressions if one is not key])
        gone.append(step)
    if not group.expressions:
        select.set("group", None)


def _traced(select: exp.Select, key: exp.Expr) -> exp.Expr:
    """Return a key of GROUP BY as the SELECT below computes it."""
    step = below(select, key) if isinstance(key, exp.Column) else None
    return key if step is None else meant(step.item)


def _is_window(select: exp.Select, key: exp.Expr) -> bool:
    step = below(select, key) if isinstance(key, exp.Column) else None
    return step is not None and isinstance(meant(step.item), exp.Window)


# --- SELECT value FROM … WHERE number = share * size ------------------------------------------------------


def _at_rank(select: exp.Select, gone: list[Step]) -> str | None:
    """Rewrite a SELECT of the row that has the rank of one share; return the share, or None where it is no such one."""
    where = select.args.get("where")
    if where is None or len(select.expressions) != 1 or select.args.get("group"):
        return None
    shares = {one.this for one in where.find_all(exp.Literal) if _share(one)}
    columns = list(where.find_all(exp.Column))
    ways = {column.name.lower(): way(select, column) for column in columns}
    if len({Decimal(one) for one in shares}) != 1 or len(ways) != 2 or not all(ways.values()):
        return None
    numbered = next((one for one in ways.values() if _order(meant(one[-1].item)) is not None), None)
    sized = next((one for one in ways.values() if one is not numbered), None)
    if numbered is None or sized is None:
        return None
    ordered = _order(meant(numbered[-1].item))
    value = next(iter(select.expressions[0].find_all(exp.Column)), None)
    if ordered is None or value is None or not _is_value(select, value, numbered, ordered):
        return None
    if not _is_size(numbered, sized):
        return None
    share = min(shares)
    whole = next(iter(select.expressions[0].find_all(exp.Avg)), value)
    argument = whole.this if isinstance(whole, exp.Avg) else whole
    name = select.expressions[0].alias_or_name
    made = _percentile(share, argument)
    if whole is select.expressions[0]:
        select.set("expressions", [exp.alias_(made, name)])
    else:
        whole.replace(made)
    select.set("where", None)
    select.set("distinct", None)
    gone += numbered
    _drop_size(select, sized, gone)
    return str(share)
