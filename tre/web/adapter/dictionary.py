"""The data dictionary as a view: only what a query may name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tre.broker import Standing
from tre.catalogue import Access, Catalogue, Table
from tre.web import views


def dictionary(at: Standing, catalogue: Catalogue) -> views.DatasetView:
    """Return the data dictionary: what a query may name."""
    tables = (_table(table) for table in catalogue.tables.values() if table.access is not Access.HIDDEN)
    return views.DatasetView(
        name=at.dataset,
        version=at.version.name,
        policy=at.policy.digest,
        unit_table=catalogue.unit_table,
        unit_key=catalogue.unit_key,
        tables=tuple(sorted(tables, key=lambda table: table.name)),
    )


def _table(table: Table) -> views.DictionaryTable:
    access: Any = table.access.value
    return views.DictionaryTable(
        name=table.name,
        access=access,
        unit=table.unit,
        rows_per_person=table.rows_per_unit,
        usual_rows=table.typical_rows,
        found=table.rows_found,
        size=None if table.size is None else views.SizeView(**asdict(table.size)),
        columns=tuple(_dictionary_column(column) for column in table.columns.values() if column.visible),
        links=tuple(
            views.DictionaryLink(columns=link.columns, target=link.target, target_columns=link.target_columns)
            for link in table.links
        ),
    )


def _dictionary_column(column: Any) -> views.DictionaryColumn:
    bounds, calendar = column.bounds, column.calendar
    return views.DictionaryColumn(
        name=column.name,
        type=str(column.type),
        klass=column.klass.value,
        nullable=column.nullable,
        bounds=None if bounds is None else (float(bounds.low), float(bounds.high)),
        found=column.found and bounds is not None,
        domain=None if column.domain is None else tuple(_scalar(value) for value in column.domain),
        calendar=None if calendar is None else (calendar[0].isoformat(), calendar[1].isoformat()),
    )


def _scalar(value: Any) -> Any:
    return value if isinstance(value, (bool, int, str)) else str(value)
