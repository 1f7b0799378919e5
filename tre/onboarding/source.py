"""Rows that come in files: a folder of Parquet or CSV files, or a DuckDB file. Nothing about types is guessed."""
# ruff: noqa: S608 - identifiers and texts enter SQL through tre.onboarding.sql alone

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tre.base.reasons import onboarding as reasons
from tre.onboarding.refusal import Fault, VersionRefused, refuse_if
from tre.onboarding.sql import literal, name

if TYPE_CHECKING:
    import duckdb

_LONGEST_HEADER = 1 << 16  # bytes of a CSV header line


@dataclass(frozen=True, slots=True)
class Relation:
    """A table of the source: an expression for FROM, and its columns' own names and types by lower-case name."""

    sql: str
    columns: Mapping[str, tuple[str, str]]

    def scan(self, _engine: duckdb.DuckDBPyConnection, _asked: Sequence[str]) -> AbstractContextManager[str]:
        """Return, for as long as they are read, what stands in FROM for the rows of the columns asked for."""
        return nullcontext(self.sql)


def find_source(source: Path, wanted: set[str]) -> dict[str, Path]:
    """Return the file of each `wanted` table that `source` has: one for all where it is a DuckDB file.

    Files are matched by name without regard to case; whatever else lies in the folder is not touched. Refuses a
    source of another kind, a table that stands there twice, and a name that leads to something else than a file of
    the folder: who delivers a folder does not thereby choose what else of this machine becomes data.
    """
    if source.is_file() and source.suffix.lower() in (".duckdb", ".db"):
        return _duckdb_file(source, wanted)
    if not source.is_dir():
        raise VersionRefused([Fault(reasons.NO_SOURCE, f"{source} is no folder and no DuckDB file")])
    found: dict[str, list[Path]] = {}
    for path in sorted(source.iterdir()):
        table = path.stem.lower()
        if path.suffix.lower() in (".parquet", ".csv") and table in wanted:
            found.setdefault(table, []).append(path)
    refuse_if([Fault(reasons.OUTSIDE, path.name) for paths in found.values() for path in paths if _leads_out(path)])
    refuse_if(
        [
            Fault(reasons.AMBIGUOUS, f"{table}: {', '.join(path.name for path in paths)}")
            for table, paths in found.items()
            if len(paths) > 1
        ]
    )
    return {table: source.resolve() / paths[0].name for table, paths in found.items()}


def _leads_out(path: Path) -> bool:
    """Whether `path` leads out of its folder, or is a pipe or device that would never end."""
    try:
        target = path.resolve(strict=True)
    except OSError:
        return True
    return not target.is_relative_to(path.parent.resolve()) or not target.is_file()


def _duckdb_file(source: Path, wanted: set[str]) -> dict[str, Path]:
    log = _write_ahead_log(source)
    if log.exists() and log.stat().st_size:
        raise VersionRefused([Fault(reasons.UNREADABLE, f"{log.name} holds changes: CHECKPOINT and close it")])
    return dict.fromkeys(wanted, source.resolve())


def readable(files: Mapping[str, Path]) -> set[Path]:
    """Return the paths that the engine looks at to read `files`: of a DuckDB file also where its log would be."""
    real = {path.resolve() for path in files.values()}
    return real | {_write_ahead_log(path) for path in real}


def _write_ahead_log(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def open_relation(connection: duckdb.DuckDBPyConnection, table: str, path: Path, alias: Path) -> Relation | None:
    """Return `table` as found in the file `path`, or None where a DuckDB file has no such table.

    `alias` is a path of our own making that becomes a link to `path`: names that others chose, which may hold
    wildcards or `key=value` parts, never reach the reader. Raises duckdb.Error, OSError or UnicodeError for a
    damaged file, VersionRefused for columns of one name.
    """
    if path.suffix.lower() not in (".parquet", ".csv"):
        return _attached(connection, table, path)
    alias.symlink_to(path.resolve())
    if path.suffix.lower() == ".csv":
        return _csv(table, alias)
    return _described(connection, table, f"read_parquet({literal(str(alias))}, hive_partitioning = false)")


def _csv(table: str, path: Path) -> Relation:
    header = _header(path)
    refuse_twice(table, header)
    columns = {column.lower(): (f"c{i}", "VARCHAR") for i, column in enumerate(header)}
    types = ", ".join(f"c{i}: 'VARCHAR'" for i in range(len(header)))
    options = (
        f"columns = {{{types}}}, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
        "nullstr = '', strict_mode = true"
    )
    return Relation(f"read_csv({literal(str(path))}, {options})", columns)


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        line = lines.readline(_LONGEST_HEADER)
    return [column.strip() for column in next(csv.reader([line]), [])]


def _attached(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> Relation | None:
    """Tables of a DuckDB file; its views are not read, since a view can name any file, nor taken for absent."""
    connection.execute(f"ATTACH IF NOT EXISTS {literal(str(path))} AS source (READ_ONLY)")
    found = connection.execute(
        "SELECT table_name, table_type FROM information_schema.tables "
        "WHERE table_catalog = 'source' AND table_schema = 'main' AND lower(table_name) = ?",
        [table],
    ).fetchall()
    refuse_if([Fault(reasons.MISSING_TABLE, f"{table} is a view") for _, kind in found if kind != "BASE TABLE"])
    return _described(connection, table, name("source", "main", found[0][0])) if found else None


def _described(connection: duckdb.DuckDBPyConnection, table: str, sql: str) -> Relation:
    rows = connection.execute(f"DESCRIBE SELECT * FROM {sql}").fetchall()
    refuse_twice(table, [row[0] for row in rows])
    return Relation(sql, {row[0].lower(): (row[0], row[1]) for row in rows})


def refuse_twice(table: str, columns: list[str]) -> None:
    """Raise VersionRefused where two columns of `table` differ in case alone, or not at all."""
    lower = [column.lower() for column in columns]
    twice = sorted({column for column in lower if lower.count(column) > 1})
    refuse_if([Fault(reasons.MISSING_COLUMN, f"{table}.{column} stands there twice") for column in twice])
