"""The frozen catalogue of a data set: what its policy declares, compiled for the planner."""

from tre.catalogue.tables import (
    SIDE_SCHEMA,
    Access,
    Catalogue,
    Column,
    ColumnClass,
    IdentifierType,
    Interval,
    Kind,
    Link,
    Size,
    Table,
    Type,
    Usual,
    Value,
)

__all__ = [
    "SIDE_SCHEMA",
    "Access",
    "Catalogue",
    "Column",
    "ColumnClass",
    "IdentifierType",
    "Interval",
    "Kind",
    "Link",
    "Size",
    "Table",
    "Type",
    "Usual",
    "Value",
]
