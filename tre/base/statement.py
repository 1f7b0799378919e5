"""Text for an engine, with what it reads and expects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """Text made by `tre.sql.render` alone, never typed by a person.

    `parameters` are the names of the values that it expects when it runs; `tables` the names that it reads, which
    the engine's own parser must confirm first; `columns` the names of its result's columns, in order.
    """

    sql: str
    parameters: tuple[str, ...]
    dialect: str
    tables: tuple[str, ...]
    columns: tuple[str, ...]
