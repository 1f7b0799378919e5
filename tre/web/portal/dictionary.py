"""The data dictionary, narrowed to what somebody looks for."""

from __future__ import annotations

from tre.web.views import DatasetView, DictionaryTable


def found(dataset: DatasetView, text: str) -> tuple[DictionaryTable, ...]:
    """Return the tables whose name holds `text`, and of the others the columns whose name does."""
    wanted = text.strip().lower()
    narrowed = (_narrowed(table, wanted) for table in dataset.tables)
    return tuple(table for table in narrowed if table.columns or wanted in table.name.lower())


def _narrowed(table: DictionaryTable, wanted: str) -> DictionaryTable:
    if wanted in table.name.lower():
        return table
    columns = tuple(column for column in table.columns if wanted in column.name.lower())
    return table.model_copy(update={"columns": columns})
