"""What stands inside OVER (…): partition, order and frame, those of a named window included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Kind
from tre.sql import functions
from tre.sql.binding.scope import folded
from tre.sql.binding.session import Session
from tre.sql.plan import WHOLE, Expression, Frame, FrameUnit, Window, WindowFunction

MOST_DISTANCE = 10**9
_DAYS = {"DAY": 1, "DAYS": 1, "WEEK": 7, "WEEKS": 7}
OF_ENDS = (WindowFunction.FIRST_VALUE, WindowFunction.LAST_VALUE, WindowFunction.NTH_VALUE)
"""Functions whose value is that of one row of the frame."""


@dataclass(frozen=True, slots=True)
class Over:
    """The parts of OVER (…) as they were typed."""

    partition: tuple[exp.Expr, ...]
    order: tuple[exp.Ordered, ...]
    spec: exp.WindowSpec | None


def direction(one: exp.Ordered) -> tuple[bool, bool]:
    """Return whether a term of ORDER BY descends, and whether NULLs come first: as in PostgreSQL unless it says."""
    descending, first = bool(one.args.get("desc")), one.args.get("nulls_first")
    return descending, descending if first is None else bool(first)


def over_of(node: exp.Window, named: Mapping[str, exp.Window], session: Session) -> Over:
    """Return the parts of a window, those of the named window on which it rests included."""
    if node.args.get("over") not in (None, "OVER"):
        raise session.refused(reasons.WINDOW, node, form=str(node.args["over"]))
    partition, order = node.args.get("partition_by") or (), node.args.get("order")
    own = Over(tuple(partition), tuple(order.expressions if order else ()), node.args.get("spec"))
    alias = node.args.get("alias")
    if alias is None:
        return own
    base = named.get(folded(alias.name))
    if base is None or base is node:
        raise session.refused(reasons.WINDOW_UNKNOWN, alias, name=alias.name)
    below = over_of(base, {name: one for name, one in named.items() if one is not base}, session)
    if own.partition or (own.order and below.order):
        raise session.refused(reasons.WINDOW, node, form="A named window whose PARTITION BY or ORDER BY is replaced")
    return Over(below.partition, own.order or below.order, own.spec or below.spec)


def frame_of(window: Window, over: Over, node: Any, session: Session) -> Window:
    """Return `window` with its frame. The frame of an order without one ends at the row's last peer, as in SQL."""
    frame = _typed(window, over.spec, node, session) if over.spec is not None else None
    if frame is None:
        frame = Frame(FrameUnit.RANGE, None, 0) if window.order else WHOLE
    if frame.unit is not FrameUnit.ROWS and not window.order and (frame.start, frame.end) == (None, 0):
        frame = WHOLE  # without an order every row is a peer
    if window.function in OF_ENDS:
        return _of_value(window, frame, node, session)
    if frame.whole:
        return replace(window, frame=WHOLE, order=())
    if frame.unit is FrameUnit.RANGE and (frame.start or frame.end):
        return replace(window, frame=frame, order=(_on_a_line(window, over.spec, node, session),))
    if frame.unit is not FrameUnit.ROWS and not window.order:
        raise _no_frame(window, over.spec, node, session)
    return replace(window, frame=frame)


def _of_value(window: Window, frame: Frame, node: Any, session: Session) -> Window:
    """A frame of rows, or one of which the first or last row is that of the partition: peers are told apart then."""
    begins, ends = frame.start is None, frame.end is None
    first = window.function is WindowFunction.FIRST_VALUE and begins and (ends or (frame.end or 0) >= 0)
    last = window.function is WindowFunction.LAST_VALUE and ends and (begins or (frame.start or 0) <= 0)
    if first or last or frame.whole:
        return replace(window, frame=WHOLE)
    if frame.unit is FrameUnit.ROWS:
        return replace(window, frame=frame)
    shown = "A frame of values that ends at the row" if frame.end == 0 else f"A frame by {frame.unit.value.upper()}"
    raise session.refused(reasons.WINDOW_FRAME, node, frame=shown, function=called(window.function))


def called(function: WindowFunction) -> str:
    """Return the name by which people call a function."""
    return "COUNT" if function is WindowFunction.COUNT_ROWS else function.value.upper()


# --- ends -------------------------------------------------------------------------------------------------


def _typed(window: Window, spec: exp.WindowSpec, node: Any, session: Session) -> Frame:
    given = {name: spec.args.get(name) for name in ("start", "start_side", "end", "end_side")}
    start = _distance(given["start"], given["start_side"], "PRECEDING")
    end = 0 if given["end"] is None else _distance(given["end"], given["end_side"], "FOLLOWING")
    wrong = start is _WRONG or end is _WRONG or str(spec.args.get("kind")).lower() not in list(FrameUnit)
    if wrong or (start is not None and end is not None and start > end):
        raise _no_frame(window, spec, node, session)
    return Frame(FrameUnit(str(spec.args["kind"]).lower()), start, end)


_WRONG = MOST_DISTANCE + 1


def _distance(given: Any, side: Any, unbounded: str) -> int | None:
    """Return an end of a frame as its distance from the row; None is the end of the partition."""
    if given == "CURRENT ROW":
        return 0
    if given == "UNBOUNDED":
        return None if side == unbounded else _WRONG
    steps = 1
    if isinstance(given, exp.Interval):
        steps, given = _DAYS.get(str(given.args.get("unit")).upper(), 0), given.this
    if not steps or not isinstance(given, exp.Literal) or not given.this.isdigit():
        return _WRONG
    count = int(given.this) * steps
    return _WRONG if count > MOST_DISTANCE else count if side == "FOLLOWING" else -count


def _on_a_line(
    window: Window, spec: exp.WindowSpec | None, node: Any, session: Session
) -> tuple[Expression, bool, bool]:
    """Return the one term of the order of a RANGE with distances, as a whole number."""
    intervals = [isinstance(one, exp.Interval) for one in _typed_ends(spec) if isinstance(one, exp.Expr)]
    if len(window.order) == 1:
        value, down, first = window.order[0]
        if value.type.kind is Kind.INTEGER and not any(intervals):
            return value, down, first
        if value.type.kind is Kind.DATE and all(intervals):
            day = functions.literal("day")
            return functions.call("date_diff", day, functions.literal(date(1970, 1, 1)), value), down, first
    raise _no_frame(window, spec, node, session)


def _typed_ends(spec: exp.WindowSpec | None) -> tuple[Any, ...]:
    return () if spec is None else (spec.args.get("start"), spec.args.get("end"))


def _no_frame(window: Window, spec: exp.WindowSpec | None, node: Any, session: Session) -> Exception:
    shown = "This" if spec is None else f"This {str(spec.args.get('kind')).upper()}"
    return session.refused(reasons.WINDOW_FRAME, node, frame=shown, function=called(window.function))
