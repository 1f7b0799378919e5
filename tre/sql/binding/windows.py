"""OVER: functions of a row and the rows of its partition, at one level of a SELECT (PRIVACY §2 "Order")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Interval, Kind, Type
from tre.sql import functions
from tre.sql.binding.frames import OF_ENDS, Over, direction, frame_of, over_of
from tre.sql.binding.outcomes import COUNTED, exact, too_wide
from tre.sql.binding.percentiles import by_hand
from tre.sql.binding.scope import folded
from tre.sql.binding.session import Session
from tre.sql.functions.form import whole_constant
from tre.sql.functions.usual import in_each_row
from tre.sql.plan import (
    SPREADS,
    WHOLE,
    Column,
    Expression,
    Facts,
    FrameUnit,
    Ref,
    Relation,
    Window,
    Windowed,
    WindowFunction,
)
from tre.sql.tracing import Status, Traits, windows
from tre.sql.walk import of_window, subqueries

if TYPE_CHECKING:
    from tre.sql.binding.expressions import Environment

INTEGER, DOUBLE = Type(Kind.INTEGER), Type(Kind.DOUBLE)
MOST_OFFSET = 10**9
_SHARE = Facts(nullable=False, interval=Interval(Fraction(0), Fraction(1)))
_NUMBERING: dict[type[exp.Expr], WindowFunction] = {
    exp.RowNumber: WindowFunction.ROW_NUMBER,
    exp.Rank: WindowFunction.RANK,
    exp.DenseRank: WindowFunction.DENSE_RANK,
    exp.PercentRank: WindowFunction.PERCENT_RANK,
    exp.CumeDist: WindowFunction.CUME_DIST,
    exp.Ntile: WindowFunction.NTILE,
}
_VALUES: dict[type[exp.Expr], WindowFunction] = {
    exp.Lag: WindowFunction.LAG,
    exp.Lead: WindowFunction.LEAD,
    exp.FirstValue: WindowFunction.FIRST_VALUE,
    exp.LastValue: WindowFunction.LAST_VALUE,
    exp.NthValue: WindowFunction.NTH_VALUE,
}
_AGGREGATES = ("count", "sum", "avg", "min", "max", *SPREADS)


@dataclass(slots=True)
class Windows:
    """The windows found so far at one level of a SELECT, whose rows have the traits `over`, each once.

    `named` are those of the WINDOW clause.
    """

    session: Session
    over: Traits
    named: Mapping[str, exp.Window]
    found: list[tuple[exp.Window, Window]] = field(default_factory=list)

    @classmethod
    def of(cls, select: exp.Select, over: Traits, session: Session) -> Windows:
        """Return the empty windows of a SELECT."""
        named = {folded(one.name): one for one in select.args.get("windows") or []}
        return cls(session, over, named)

    @property
    def rows(self) -> int:
        """The most rows of one partition."""
        return self.over.rows_per_unit if self.over.status is Status.UNIT_KEYED else self.over.rows

    def value(self, node: exp.Window, environment: Environment) -> Expression:
        """Return the value of the window `node`; it is there once `attached` has computed it."""
        over = over_of(node, self.named, self.session)
        rows = replace(environment, where="a window", windows=None, scalars=None)
        made = self._made(node, over, rows)
        if any(map(subqueries, of_window(made))):
            raise self.session.refused(reasons.WINDOW, node, form="A subquery inside a window")
        self._within_persons(node, over, made)
        for _, one in self.found:
            if replace(made, column=one.column) == one:
                return Ref(one.column)
        self.found.append((node, made))
        return Ref(made.column)

    def _within_persons(self, node: exp.Window, over: Over, made: Window) -> None:
        if self.over.status is not Status.UNIT_KEYED:
            return
        if windows.partitioned_by_unit(made.partition, self.over.unit_keys):
            return
        form = by_hand(node, over, self.session.parsed.tree)
        if form is not None:
            called = made.function.value.upper()
            raise self.session.refused(reasons.WINDOW_PERCENTILE, node, function=called, form=form)
        key = self.session.spoken[min(self.over.unit_keys)]
        raise self.session.refused(reasons.WINDOW_ACROSS, node, left=key)

    # --- one window ---------------------------------------------------------------------------------------

    def _made(self, node: exp.Window, over: Over, rows: Environment) -> Window:
        from tre.sql.binding.expressions import bind_condition, bind_expression

        inner = node.this.this if isinstance(node.this, exp.Filter) else node.this
        where = bind_condition(node.this.expression.this, rows) if isinstance(node.this, exp.Filter) else None
        partition = tuple(bind_expression(one, rows) for one in over.partition)
        order = tuple((bind_expression(one.this, rows), *direction(one)) for one in over.order)
        function, arguments, type_, facts = self._called(inner, rows)
        if where is not None and function in (*_NUMBERING.values(), *_VALUES.values()):
            raise self.session.refused(reasons.WINDOW, node, form=f"FILTER of {function.value.upper()}")
        column = self.session.column(function.value, type_, facts)
        window = Window(column, function, arguments, partition, order, None, where)
        if function in _NUMBERING.values() or function in (WindowFunction.LAG, WindowFunction.LEAD):
            return window
        return frame_of(window, over, node, self.session)

    def _called(self, node: Any, rows: Environment) -> tuple[WindowFunction, tuple[Expression, ...], Type, Facts]:
        if type(node) in _NUMBERING:
            return self._numbering(node, _NUMBERING[type(node)], rows)
        if type(node) in _VALUES:
            return self._value(node, _VALUES[type(node)], rows)
        from tre.sql.binding.aggregates import parts_of

        if not isinstance(node, exp.AggFunc) or isinstance(node, exp.Median | exp.PercentileCont | exp.PercentileDisc):
            raise self.session.refused(reasons.WINDOW, node, form=f"{node.key.upper()} OVER (…)")
        name, distinct, argument = parts_of(node, rows)
        if name not in _AGGREGATES or distinct:
            form = f"{name.upper()}({'DISTINCT ' * distinct}…) OVER (…)"
            raise self.session.refused(reasons.WINDOW, node, form=form)
        if name in SPREADS and self.over.status is Status.UNIT_KEYED:
            raise self.session.refused(reasons.SPREAD_INSIDE, node, function=name.upper())
        if too_wide(name, argument, self.rows):
            raise self.session.refused(reasons.SUM_TOO_WIDE, node, type=str(argument.type if argument else ""))
        type_, facts = exact(name, argument, self.rows)
        facts = replace(facts, usually=in_each_row(facts.usually))
        function = WindowFunction.COUNT_ROWS if argument is None else WindowFunction(name)
        return function, () if argument is None else (argument,), type_, facts

    def _numbering(
        self, node: Any, function: WindowFunction, rows: Environment
    ) -> tuple[WindowFunction, tuple[Expression, ...], Type, Facts]:
        if function in (WindowFunction.PERCENT_RANK, WindowFunction.CUME_DIST):
            return function, (), DOUBLE, _SHARE
        if function is not WindowFunction.NTILE:
            return function, (), INTEGER, _up_to(self.rows)
        tiles = self._constant(node.this, "NTILE", "number of tiles", 1, rows)
        return function, (functions.literal(tiles),), INTEGER, _up_to(tiles)

    def _value(
        self, node: Any, function: WindowFunction, rows: Environment
    ) -> tuple[WindowFunction, tuple[Expression, ...], Type, Facts]:
        from tre.sql.binding.expressions import bind_expression

        value, called = bind_expression(node.this, rows), function.value.upper()
        given = node.args.get("offset")
        if function in (WindowFunction.FIRST_VALUE, WindowFunction.LAST_VALUE):
            return function, (value,), value.type, _repeated(value)
        if function is WindowFunction.NTH_VALUE:
            place = functions.literal(self._constant(given, called, "place", 1, rows))
            return function, (value, place), value.type, _repeated(value)
        offset = functions.literal(1 if given is None else self._constant(given, called, "offset", 0, rows))
        if node.args.get("default") is None:
            return function, (value, offset), value.type, replace(value.facts, nullable=True)
        default = bind_expression(node.args["default"], rows)
        either = self.session.placed(node, lambda: functions.case(((functions.true(), value),), default))
        ((_, value),) = either.branches
        return function, (value, offset, either.otherwise), either.type, either.facts

    def _constant(self, node: Any, function: str, argument: str, least: int, rows: Environment) -> int:
        from tre.sql.binding.expressions import bind_expression

        bound = bind_expression(node, rows)
        return self.session.placed(node, lambda: whole_constant(bound, function, argument, least, MOST_OFFSET))

    # --- all of them --------------------------------------------------------------------------------------

    def attached(self, relation: Relation) -> Relation:
        """Return `relation` with a column for every window."""
        if not self.found:
            return relation
        traits = self.session.traits(relation)
        made = [(node, in_total_order(one, relation.columns, traits)) for node, one in self.found]
        for node, one in made:
            self.session.traits(Windowed(relation, (one,)), node)
        self.found.clear()
        return Windowed(relation, tuple(one for _, one in made))


def in_total_order(one: Window, columns: Iterable[Column], traits: Traits) -> Window:
    """Append the remaining columns to the order where tied rows are told apart: then only identical rows tie.

    Columns that follow from those before add nothing, and are left out.
    """
    if not tells_apart(one):
        return one
    bare = [part.column.id for part in (*one.partition, *(term for term, _, _ in one.order)) if isinstance(part, Ref)]
    known, order = set(bare), list(one.order)
    for column in columns:
        if traits.dependencies.unique_on(known):
            break
        if column.id not in known:
            order.append((Ref(column), False, False))
            known.add(column.id)
    return replace(one, order=tuple(order))


def tells_apart(one: Window) -> bool:
    """Say whether the value of a row could depend on the place that it has among rows that tie."""
    if one.function in windows.RANKS:
        return False
    if one.frame is None or one.function in OF_ENDS:
        return True
    return one.frame.unit is FrameUnit.ROWS and one.frame != WHOLE


def _up_to(most: int) -> Facts:
    return replace(COUNTED, interval=Interval(Fraction(1), Fraction(max(1, most))))


def _repeated(value: Expression) -> Facts:
    """Return the facts of a value that is taken from another row, and from one row many times."""
    return replace(value.facts, nullable=True, usually=in_each_row(value.facts.usually))
