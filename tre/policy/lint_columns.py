"""What columns and kinds of columns may say, by class and type."""

from __future__ import annotations

from collections.abc import Iterator

from tre.base.reasons import policy as reasons
from tre.catalogue import Interval, Kind, Type
from tre.policy.findings import Fault
from tre.policy.model import Column, Policy
from tre.policy.text import Path
from tre.policy.words import interval, line_position, literal

_MEASURED = (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE, Kind.DATE, Kind.TIMESTAMP)
_HAS = {
    "bounds": _MEASURED,
    "granularity": (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE),
    "calendar": (Kind.DATE, Kind.TIMESTAMP),
    "domain": (Kind.BOOLEAN, Kind.INTEGER, Kind.DECIMAL, Kind.TEXT, Kind.DATE),
}
_COPIED_ONLY = {"bounds": "bounds", "granularity": "granularity", "calendar": "calendar", "domain": "domain"}


def check_kinds(policy: Policy) -> Iterator[Fault]:
    """Every kind that is named is declared, no kind rests on another, and unused ones are pointed out."""
    used = {column.kind for table in policy.tables.values() for column in table.columns.values()}
    for name, kind in policy.kinds.items():
        if kind.kind is not None:
            yield _no_kind(policy, ("kinds", name), kind.kind)
        if name not in used:
            yield Fault(("kinds", name), reasons.UNUSED_KIND, {"kind": name}, warning=True)


def check_column(policy: Policy, table: str, name: str) -> Iterator[Fault]:
    """Yield what is wrong with a column of a table that is not hidden."""
    said = policy.tables[table].columns[name]
    column, where = policy.column(said), f"{table}.{name}"
    path: Path = ("tables", table, "columns", name)
    if said.kind is not None and said.kind not in policy.kinds:
        yield _no_kind(policy, path, said.kind)
        return
    if column.klass is None:
        yield Fault(path, reasons.UNCLASSED, {"column": where})
    if column.klass == "direct identifier":
        yield from _identifier(column, where, path)
        yield from _tokenised(policy, table, name)
        return
    if column.klass == "unit key":
        yield from _unit_key(policy, table, name)
    if column.type is None:
        yield Fault(path, reasons.UNTYPED, {"column": where})
        return
    kind, length, identifier = column.type
    if identifier is not None:
        yield Fault((*path, "type"), reasons.NOT_AN_IDENTIFIER, {"column": where, "type": identifier})
        return
    if kind.kind is Kind.TEXT and length is None and column.klass != "unit key":
        yield Fault(path, reasons.TEXT_LENGTH, {"column": where})
    if column.bounds == "automatic" and policy.tables[table].access != "private":
        values = {"key": "bounds: automatic", "table": table, "access": policy.tables[table].access}
        yield Fault(path, reasons.UNIT_NOT_HERE, values)
    yield from _fits_type(column, kind, where, path)
    yield from _rows(policy, table, name, kind, where)
    if column.domain and len(column.domain) > policy.answers.known_keys:
        values = {"column": where, "size": str(len(column.domain)), "limit": str(policy.answers.known_keys)}
        yield Fault((*path, "domain"), reasons.WIDE_DOMAIN, values, warning=True)


def _no_kind(policy: Policy, path: Path, kind: str) -> Fault:
    values = {"kind": kind, "known": ", ".join(policy.kinds) or "none"}
    return Fault(path, reasons.NO_KIND, values, of_key=False)


def _identifier(column: Column, where: str, path: Path) -> Iterator[Fault]:
    for key, field in _COPIED_ONLY.items():
        if getattr(column, field) is not None:
            yield Fault((*path, key), reasons.IDENTIFIER, {"column": where, "key": key})


def _tokenised(policy: Policy, table: str, name: str) -> Iterator[Fault]:
    """In a side table each person has one token of a type, so that what it is made of stands once and with them."""
    said = policy.column(policy.tables[table].columns[name]).type
    if said is None or said.identifier is None:
        return
    values = {"column": f"{table}.{name}", "type": said.identifier, "table": policy.unit.table}
    columns = {one: policy.column(declared).type for one, declared in policy.tables[table].columns.items()}
    same = [one for one, type_ in columns.items() if type_ and type_.identifier == said.identifier]
    if table != policy.unit.table:
        yield Fault(("tables", table, "columns", name), reasons.IDENTIFIER_PLACE, values)
    elif name != same[0]:
        yield Fault(("tables", table, "columns", name), reasons.IDENTIFIER_TWICE, {**values, "other": same[0]})


def _unit_key(policy: Policy, table: str, name: str) -> Iterator[Fault]:
    """A second person in a row links two people; only the table's own unit may be a unit key (PRIVACY §2)."""
    unit = policy.tables[table].unit
    if unit is None or unit.column != name:
        values = {"column": f"{table}.{name}", "table": table}
        yield Fault(("tables", table, "columns", name), reasons.SECOND_UNIT, values)


def _fits_type(column: Column, kind: Type, where: str, path: Path) -> Iterator[Fault]:
    unfit = [key for key, kinds in _HAS.items() if getattr(column, key) is not None and kind.kind not in kinds]
    for key in unfit:
        yield Fault((*path, key), reasons.NOT_FOR_TYPE, {"key": key, "column": where, "type": str(kind)})
    if unfit:
        return
    if kind.kind is Kind.DOUBLE and isinstance(column.bounds, list) and column.granularity is None:
        yield Fault(path, reasons.GRANULARITY, {"column": where})
    bounds, faults = _bounds(column, kind, where, path)
    yield from faults
    yield from _calendar(column, bounds, kind, where, path)
    yield from _domain(column, bounds, kind, where, path)


def _bounds(column: Column, kind: Type, where: str, path: Path) -> tuple[Interval | None, list[Fault]]:
    if not isinstance(column.bounds, list):
        return None, []
    faults = []
    for value in column.bounds:
        try:
            line_position(value, kind.kind)
        except ValueError:
            values = {"value": str(value), "type": str(kind), "column": where}
            faults.append(Fault((*path, "bounds"), reasons.LITERAL, values, of_key=False))
    if faults:
        return None, faults
    try:
        return interval((column.bounds[0], column.bounds[1]), kind.kind), []
    except ValueError:
        return None, [Fault((*path, "bounds"), reasons.BOUNDS, {"what": "bounds", "column": where}, of_key=False)]


def _calendar(column: Column, bounds: Interval | None, kind: Type, where: str, path: Path) -> Iterator[Fault]:
    if column.calendar is None:
        return
    here = (*path, "calendar")
    first, last = column.calendar
    if first > last:
        yield Fault(here, reasons.BOUNDS, {"what": "calendar", "column": where}, of_key=False)
        return
    days = interval((first.isoformat(), last.isoformat()), kind.kind)
    if bounds and not (bounds.low <= days.low and days.high <= bounds.high):
        yield Fault(here, reasons.CALENDAR, {"column": where}, of_key=False)


def _domain(column: Column, bounds: Interval | None, kind: Type, where: str, path: Path) -> Iterator[Fault]:
    here: Path = (*path, "domain")
    seen: set[object] = set()
    for position, value in enumerate(column.domain or ()):
        at: Path = (*here, position)
        try:
            found = literal(value, kind.kind)
        except ValueError:
            yield Fault(at, reasons.LITERAL, {"value": str(value), "type": str(kind), "column": where}, of_key=False)
            continue
        if found in seen:
            yield Fault(at, reasons.DOMAIN_TWICE, {"value": str(value), "column": where}, of_key=False)
        seen.add(found)
        if bounds and not bounds.low <= line_position(value, kind.kind) <= bounds.high:
            yield Fault(at, reasons.DOMAIN, {"value": str(value), "column": where}, of_key=False)


def _rows(policy: Policy, table: str, name: str, kind: Type, where: str) -> Iterator[Fault]:
    for position, value in enumerate(policy.tables[table].only_rows.get(name, ())):
        try:
            literal(value, kind.kind)
        except ValueError:
            path: Path = ("tables", table, "only rows where", name, position)
            yield Fault(path, reasons.LITERAL, {"value": str(value), "type": str(kind), "column": where}, of_key=False)
