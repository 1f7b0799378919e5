"""Units, caps, keys and links of tables: what makes a private table safe to plan with (PRIVACY §1 and §2)."""

from __future__ import annotations

from collections.abc import Iterator

from tre.base.reasons import Reason
from tre.base.reasons import policy as reasons
from tre.catalogue import Kind
from tre.policy.findings import Fault
from tre.policy.model import Column, Policy, Table, TableUnit
from tre.policy.text import Path

_NO_CAP = {"rows per person": "rows_per_unit", "magnitude": "magnitude"}
_PRIVATE_ONLY = {
    "unit": "unit",
    "rows per person": "rows_per_unit",
    "usual rows": "typical_rows",
    "rows of unknown people": "unknown_people",
}


def check_unit(policy: Policy) -> Iterator[Fault]:
    """The unit is a private table with a unique, typed key of class “unit key”."""
    unit, table = policy.unit, policy.tables.get(policy.unit.table)
    if table is None or table.access != "private":
        yield Fault(("unit", "table"), reasons.UNIT_TABLE, {"table": unit.table}, of_key=False)
        return
    column = declared(policy, table, unit.key)
    if column is None or column.klass != "unit key" or column.type is None or [unit.key] not in table.unique:
        values = {"column": unit.key, "table": unit.table}
        yield Fault(("unit", "key"), reasons.UNIT_KEY, values, of_key=False)
    elif column.type.type.kind not in (Kind.INTEGER, Kind.TEXT):
        values = {"column": unit.key, "type": str(column.type.type), "wanted": "integer or text"}
        yield Fault(("tables", unit.table, "columns", unit.key), reasons.UNIT_TYPE, values)
    if policy.people_magnitude is None and table.magnitude is not None:
        yield Fault(("tables", unit.table, "magnitude"), reasons.NO_CAP, {"table": unit.table, "key": "magnitude"})
    if table.optional:
        yield Fault(
            ("tables", unit.table, "optional"), reasons.OPTIONAL_KEY, {"column": unit.table, "table": "every other"}
        )


def check_table(policy: Policy, name: str) -> Iterator[Fault]:
    """Yield what is wrong with one table's own declarations."""
    table = policy.tables[name]
    if table.access == "private":
        yield from _private(policy, name, table)
    else:
        yield from _not_private(name, table)
    if table.access == "hidden":
        return
    if table.access == "attribute" and not table.unique:
        yield Fault(("tables", name), reasons.ATTRIBUTE_KEY, {"table": name})
    yield from _keys(policy, name, table)
    for column in table.links:
        yield from _link(policy, name, table, column)


def declared(policy: Policy, table: Table, column: str) -> Column | None:
    """Return a declared column with its kind filled in."""
    found = table.columns.get(column)
    return policy.column(found) if found else None


def _private(policy: Policy, name: str, table: Table) -> Iterator[Fault]:
    path: Path = ("tables", name)
    for key, field in _NO_CAP.items():
        if getattr(table, field) is None:
            yield Fault(path, reasons.NO_CAP, {"table": name, "key": key})
    most, usual = table.rows_per_unit, table.typical_rows
    if most and usual and usual > most:
        values = {"table": name, "usual": str(usual), "most": str(most)}
        yield Fault((*path, "usual rows"), reasons.USUAL, values, of_key=False)
    people, rows = policy.people_magnitude, policy.magnitude(table)
    if people and most and rows and rows > people * most:
        values = {"table": name, "rows": str(rows), "people": str(people), "most": str(most)}
        yield Fault((*path, "magnitude"), reasons.MAGNITUDE, values, warning=True)
    if table.unit is None:
        yield Fault(path, reasons.NO_UNIT, {"table": name})
    elif table.unit.column is not None:
        yield from _unit_column(policy, name, table, table.unit.column)
    else:
        yield from _through(policy, name, table, table.unit)


def _not_private(name: str, table: Table) -> Iterator[Fault]:
    for key, field in _PRIVATE_ONLY.items():
        if field in table.model_fields_set:
            values = {"key": key, "table": name, "access": table.access}
            yield Fault(("tables", name, key), reasons.UNIT_NOT_HERE, values)


def _unit_column(policy: Policy, name: str, table: Table, unit: str) -> Iterator[Fault]:
    path: Path = ("tables", name, "unit")
    column = declared(policy, table, unit)
    if column is None:
        yield Fault(path, reasons.NO_COLUMN, {"table": name, "column": unit}, of_key=False)
        return
    wanted = _unit_type(policy)
    here = str(column.type.type) if column.type else "unknown"
    if column.klass != "unit key" or (wanted and here != wanted):
        values = {"column": f"{name}.{unit}", "type": f"{here}, {column.klass}", "wanted": f"{wanted}, unit key"}
        yield Fault(("tables", name, "columns", unit), reasons.UNIT_TYPE, values)
    if column.optional:
        yield _optional(name, unit)


def _through(policy: Policy, name: str, table: Table, unit: TableUnit) -> Iterator[Fault]:
    """A unit that is found through a link needs a target whose own unit is sure (PRIVACY §1)."""
    path: Path = ("tables", name, "unit")
    assert unit.through is not None, "the form asks for both"
    assert unit.to is not None, "the form asks for both"
    if declared(policy, table, unit.through) is None:
        yield Fault(path, reasons.NO_COLUMN, {"table": name, "column": unit.through})
        return
    if policy.unit.key in table.columns:
        values = {"table": name, "target": unit.to, "problem": f"{policy.unit.key} is a column of its own"}
        yield Fault(path, reasons.THROUGH, values)
    there, _, key = unit.to.partition(".")
    target = policy.tables.get(there)
    if target is None or target.access != "private" or target.unit is None or target.unit.column is None:
        values = {"table": name, "target": unit.to, "problem": f"{there} has no unit column"}
        yield Fault(path, reasons.THROUGH, values)
    elif [key] not in target.unique:
        values = {"table": name, "target": unit.to, "problem": f"{key} is not unique"}
        yield Fault(path, reasons.THROUGH, values)
    else:
        yield from _same_type(policy, path, (name, unit.through), (there, key))


def _keys(policy: Policy, name: str, table: Table) -> Iterator[Fault]:
    """Columns that keys and admitted rows name are declared and never missing."""
    named: list[tuple[Path, str]] = [
        (("tables", name, "unique", i), column) for i, key in enumerate(table.unique) for column in key
    ]
    named += [(("tables", name, "only rows where", column), column) for column in table.only_rows]
    for path, column in named:
        found = declared(policy, table, column)
        if found is None:
            yield Fault(path, reasons.NO_COLUMN, {"table": name, "column": column}, of_key=False)
        elif found.optional:
            yield _optional(name, column)


def _optional(table: str, column: str) -> Fault:
    values = {"column": f"{table}.{column}", "table": table}
    return Fault(("tables", table, "columns", column), reasons.OPTIONAL_KEY, values)


def _link(policy: Policy, name: str, table: Table, column: str) -> Iterator[Fault]:
    path: Path = ("tables", name, "links", column)
    there, _, key = table.links[column].partition(".")
    target = policy.tables.get(there)
    if declared(policy, table, column) is None:
        yield Fault(path, reasons.NO_COLUMN, {"table": name, "column": column})
    if target is None or target.access == "hidden":
        yield Fault(path, reasons.NO_TABLE, {"table": there}, of_key=False)
        return
    if target.access == "private" and table.access != "private":
        values = {"table": name, "access": table.access, "target": there}
        yield Fault(path, reasons.LINK_INWARD, values)
    wrong: Reason | None = None
    if key not in target.columns:
        wrong = reasons.NO_COLUMN
    elif [key] not in target.unique:
        wrong = reasons.LINK_TARGET
    if wrong:
        yield Fault(path, wrong, {"table": there, "column": key, "target": f"{there}.{key}"}, of_key=False)
    yield from _same_type(policy, path, (name, column), (there, key))


def _same_type(policy: Policy, path: Path, here: tuple[str, str], there: tuple[str, str]) -> Iterator[Fault]:
    types = []
    for table, name in (here, there):
        column = declared(policy, policy.tables[table], name)
        types.append(str(column.type.type) if column and column.type else None)
    if None not in types and types[0] != types[1]:
        values = {"column": here[1], "here": str(types[0]), "target": ".".join(there), "there": str(types[1])}
        yield Fault(path, reasons.LINK_TYPE, values)


def _unit_type(policy: Policy) -> str | None:
    table = policy.tables.get(policy.unit.table)
    column = declared(policy, table, policy.unit.key) if table else None
    return str(column.type.type) if column and column.type else None
