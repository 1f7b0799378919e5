"""Side tables of tokens: in the place of each person's identifier, beside a version, where no question reaches.

A side table is a file of its own in the version's folder, in Arrow's format: the engine opens the data file and
nothing else, and neither catalogue nor planner knows of it. Identifiers are read from the source a second time, for
this alone: they are in the memory of onboarding and of the process that makes tokens, in no file and no stage. Values
that are no identifier of the declared type have no token. How many that were is told to nobody, since it is a fact
about people.
"""
# ruff: noqa: S608 - identifiers and texts enter SQL through tre.onboarding.sql alone

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tre.base.reasons import onboarding as reasons
from tre.catalogue import Catalogue, Column, IdentifierType, Table
from tre.onboarding.casts import typed
from tre.onboarding.cluster import UNITS
from tre.onboarding.refusal import Fault, VersionRefused
from tre.onboarding.sql import name
from tre.onboarding.stage import Found, Stage, only_rows, tokenised

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from tre.pseudonyms import Identifiers, TokenColumn, Tokeniser

_FORMAT = b"tre side table 1"
_SAID = b"tre"


@dataclass(frozen=True, slots=True, eq=False)
class SideTable:
    """Tokens of one type by the unit's number in the version; people without an identifier have no row."""

    units: pa.Int64Array = field(repr=False)
    column: TokenColumn


def side_file(folder: Path, kind: IdentifierType) -> Path:
    """Return where the side table of a type stands in a version's folder."""
    return folder / f"tokens-{kind.value}.arrow"


def side_tables(folder: Path) -> dict[IdentifierType, SideTable]:
    """Return the side tables of the version in `folder`; none where its source had no such identifiers."""
    present = [kind for kind in IdentifierType if side_file(folder, kind).is_file()]
    return {kind: _read(side_file(folder, kind)) for kind in present}


def write_tokens(
    connection: duckdb.DuckDBPyConnection, stage: Stage, catalogue: Catalogue, tokeniser: Tokeniser, folder: Path
) -> None:
    """Write the side tables of a version, whose units have their numbers already, into its `folder`."""
    table = stage.tables[catalogue.unit_table]
    for column in tokenised(table):
        assert column.identifier, "those are asked for"
        found = _identifiers(connection, table, column, stage.found[table.name], catalogue.unit_key)
        made = tokeniser.for_data_set(catalogue.dataset, _blocks(column.identifier, found["identifier"]))
        units, places = _numbered(connection, found["source"])
        tokens = made.tokens.take(places)
        there = tokens.is_valid()
        _write(side_file(folder, column.identifier), units.filter(there), tokens.filter(there), made)


def _identifiers(
    connection: duckdb.DuckDBPyConnection, table: Table, column: Column, found: Found, key: str
) -> pa.Table:
    """Read each person's key and identifier from the source, of the rows that were staged."""
    import duckdb

    def value(one: Column) -> str:
        return typed(name(found.columns[one.name][0]), found.columns[one.name][1], one.type)[0]

    chosen = [f"{value(table.columns[one])} AS {name(one)}" for one, _ in table.only_rows]
    parts = [f"{value(table.columns[key])} AS source", f"{value(column)} AS identifier"]
    admitted, values = only_rows(table)
    asked = dict.fromkeys([key, column.name, *(one for one, _ in table.only_rows)])
    try:
        with found.scan(connection, [found.columns[one][0] for one in asked]) as rows:
            inner = f"SELECT {', '.join([*parts, *chosen])} FROM {rows}"
            query = f"SELECT source, identifier FROM ({inner}) WHERE ({admitted or 'true'}) IS TRUE"
            return connection.sql(query, params=values).to_arrow_table()
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error:
        pass  # its words may quote an identifier
    raise VersionRefused([Fault(reasons.UNREADABLE, f"{table.name}.{column.name}")])


def _numbered(connection: duckdb.DuckDBPyConnection, keys: pa.ChunkedArray) -> tuple[pa.Int64Array, pa.Int64Array]:
    """Return the units' numbers in ascending order, and for each the row of `keys` that is theirs."""
    import numpy as np
    import pyarrow as pa

    connection.register("tre keys", pa.table({"source": keys, "place": pa.array(np.arange(len(keys)))}))
    found = connection.sql(
        f"SELECT m.unit, k.place FROM {name('tre keys')} k JOIN {UNITS} m ON m.source = k.source ORDER BY m.unit"
    ).to_arrow_table()
    connection.unregister("tre keys")
    units, places = (found[one].combine_chunks() for one in ("unit", "place"))
    if len(np.unique(units)) < len(units):
        raise VersionRefused([Fault(reasons.NOT_UNIQUE, "a person's key stands there twice: the source has changed")])
    return units, places


def _write(file: Path, units: pa.Int64Array, tokens: pa.FixedSizeBinaryArray, made: TokenColumn) -> None:
    import pyarrow as pa

    scope = made.scope
    said = {"data set": scope.name, "type": scope.kind.value, "epoch": scope.epoch, "key id": made.key_id}
    schema = pa.schema([("unit", pa.int64()), ("token", tokens.type)])
    schema = schema.with_metadata({b"format": _FORMAT, _SAID: json.dumps(said).encode()})
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(pa.Table.from_arrays([units, tokens], schema=schema))


def _read(file: Path) -> SideTable:
    import pyarrow as pa

    from tre.pseudonyms import Circle, Scope, TokenColumn

    with pa.OSFile(str(file)) as source, pa.ipc.open_file(source) as reader:
        table = reader.read_all()
    said = json.loads(table.schema.metadata[_SAID])
    scope = Scope(Circle.DATA_SET, said["data set"], IdentifierType(said["type"]), said["epoch"])
    units, tokens = (table[one].combine_chunks() for one in ("unit", "token"))
    return SideTable(units, TokenColumn(scope, said["key id"], tokens))


def _blocks(kind: IdentifierType, column: pa.ChunkedArray) -> Identifiers:
    from tre.pseudonyms import local_numbers, nhs_numbers

    return {IdentifierType.NHS_NUMBER: nhs_numbers, IdentifierType.LOCAL_NUMBER: local_numbers}[kind](column)
