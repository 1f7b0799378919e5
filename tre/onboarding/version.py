"""A version: an immutable file under a random name, and what may be said of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tre.base.clock import parse_stamp, stamp
from tre.engines import VERSION_FILE

DATA_FILE = "data.duckdb"
FACTS_FILE = "version.json"


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A data-set version. `path` is its DuckDB file, or the file that names its schema in a PostgreSQL server; nothing
    here tells a private count.

    `commitment` is an HMAC of the logical content, `enforced` the row caps already cut, `public_sizes` the exact
    rows of public tables, `absent` the optional tables (`table`) and columns (`table.column`) that the source lacked,
    `catalogue_digest` that of the policy under which it was made; `counted` names the tables of which it keeps the rows
    of each unit (`tre.catalogue.SIDE_SCHEMA`).
    """

    name: str
    path: Path
    commitment: str
    enforced: Mapping[str, int]
    public_sizes: Mapping[str, int]
    absent: tuple[str, ...]
    catalogue_digest: str
    created: datetime
    counted: tuple[str, ...] = ()


def seal(work: Path, version: Version) -> None:
    """Make the folder `work`, which holds the data and side tables, the version's own: read-only, durable, visible.

    The rename is the commit: before it there is no version, after it a whole one.
    """
    facts = work / FACTS_FILE
    facts.write_text(_facts(version), encoding="utf-8")
    for file in work.iterdir():
        file.chmod(0o400)
        _flush(file)
    _flush(work)
    work.rename(version.path.parent)
    _flush(version.path.parent.parent)


def write_durably(file: Path, text: str) -> None:
    """Write a file that is there after a loss of power."""
    file.write_text(text, encoding="ascii")
    _flush(file)
    _flush(file.parent)


def load_version(folder: Path) -> Version:
    """Return the version that stands in `folder`."""
    facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    return Version(
        facts["name"],
        folder / (VERSION_FILE if (folder / VERSION_FILE).is_file() else DATA_FILE),
        facts["commitment"],
        facts["enforced"],
        facts["public_sizes"],
        tuple(facts["absent"]),
        facts["catalogue_digest"],
        parse_stamp(facts["created"]),
        tuple(facts.get("counted", ())),
    )


def _facts(version: Version) -> str:
    facts = {
        "name": version.name,
        "commitment": version.commitment,
        "enforced": dict(version.enforced),
        "public_sizes": dict(version.public_sizes),
        "absent": list(version.absent),
        "catalogue_digest": version.catalogue_digest,
        "created": stamp(version.created),
        "counted": list(version.counted),
    }
    return json.dumps(facts, indent=2, sort_keys=True) + "\n"


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
