"""Make a version of a data set: read, check, cut, commit, cluster, seal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tre.base.clock import Clock
from tre.base.ids import Randomness, new_id
from tre.base.reasons import onboarding as reasons
from tre.catalogue import Catalogue
from tre.engines import VERSION_FILE
from tre.onboarding.check import check_stage
from tre.onboarding.cluster import write_version
from tre.onboarding.content import commitment, cut_to_caps
from tre.onboarding.database import Database, opened
from tre.onboarding.folders import PREFIX, sweep, working_folder
from tre.onboarding.refusal import Fault, VersionRefused
from tre.onboarding.server import Server, forgetting, lay_out
from tre.onboarding.stage import Limits, fill_stage, tokenised, wanted
from tre.onboarding.tokens import write_tokens
from tre.onboarding.version import DATA_FILE, Version, seal, write_durably
from tre.policy import with_version

if TYPE_CHECKING:
    import duckdb

    from tre.pseudonyms import Tokeniser

Progress = Callable[[str, float], None]


def onboard(
    source: Path | str,
    catalogue: Catalogue,
    home_versions: Path,
    *,
    commitment_key: bytes,
    keys: Path,
    randomness: Randomness,
    clock: Clock,
    limits: Limits,
    progress: Progress,
    server: Server | None = None,
) -> Version:
    """Make an immutable version of `source` under what `catalogue` declares, below `home_versions`.

    `source` is a folder of TABLE.parquet or TABLE.csv files, a DuckDB file, or the address of a PostgreSQL database.
    `commitment_key` (32 bytes of the
    home's keys) makes commitments comparable within one home; `keys` is the folder of the keyring of pseudonyms,
    opened where the catalogue has identifiers to make tokens of; `randomness` names the version and numbers its units;
    with a `server` the version's tables stay there, and its folder holds the name of their schema.
    `progress` is told each step ("read", "check", "commit", "cluster", "tokens") and its fraction done. Raises
    VersionRefused, Refused (pseudonyms.*); then, as after any other exception, nothing is left behind; what a killed
    process left is swept first.
    """
    import duckdb  # here and below: a server makes no versions, and holds no engine in its own process

    sweep(home_versions, limits.spill, forget=forgetting(server))
    with working_folder(limits.spill) as work, working_folder(home_versions, forgetting(server)) as new:
        detail = ""
        try:
            with _engine(work, limits) as engine, _tokeniser(catalogue, keys) as tokeniser, opened(source) as rows:
                facts = _make(engine, rows, catalogue, work, new, commitment_key, tokeniser, randomness, progress)
        except duckdb.Error as error:
            detail = str(error)
        # Raised out here, so that the engine's words, which may quote a row, are no context of the refusal.
        if detail:
            raise VersionRefused([Fault(reasons.UNFINISHED, detail)])
        name = new_id("v", randomness)
        path = home_versions / name / (DATA_FILE if server is None else VERSION_FILE)
        counted = tuple(one for one, table in catalogue.tables.items() if table.unit and one not in facts[-1])
        version = Version(name, path, *facts, catalogue.digest, clock.now(), counted)
        if server is None:
            seal(new, version)
        else:
            _seal_there(new, version, catalogue, server)
        return version


def discard(version: Version, server: Server | None) -> None:
    """Take back a version that never came into force: without its name it is what a killed process left."""
    folder = version.path.parent
    folder.rename(folder.with_name(f"{PREFIX}{folder.name}"))
    sweep(folder.parent, forget=forgetting(server))


def _seal_there(new: Path, version: Version, catalogue: Catalogue, server: Server) -> None:
    """Put the schema of its name in the place of the version's data, and seal the rest.

    The name is on disk before the schema is asked for, so that a sweep knows it wherever this process ends.
    """
    schema, data = f"tre_{version.name}", new / DATA_FILE
    write_durably(new / VERSION_FILE, f"{schema}\n")
    lay_out(data, wanted(with_version(catalogue, "", {}, {}, version.absent)), server, schema)
    data.unlink()
    seal(new, version)


def _make(
    engine: duckdb.DuckDBPyConnection,
    source: Path | Database,
    catalogue: Catalogue,
    work: Path,
    new: Path,
    commitment_key: bytes,
    tokeniser: Tokeniser | None,
    randomness: Randomness,
    progress: Progress,
) -> tuple[str, Mapping[str, int], Mapping[str, int], tuple[str, ...]]:
    """Write the version's files into the folder `new`; return its commitment, row caps, public sizes and absences."""
    stage = fill_stage(engine, source, catalogue, (work, new), lambda part: progress("read", part))
    tables = stage.tables
    check_stage(engine, catalogue, tables, lambda part: progress("check", part))
    caps = cut_to_caps(engine, tables, commitment_key)
    committed = commitment(engine, tables, commitment_key, lambda part: progress("commit", part))
    sizes = write_version(
        engine, catalogue, tables, new / DATA_FILE, randomness, lambda part: progress("cluster", part)
    )
    if tokeniser is not None:
        write_tokens(engine, stage, catalogue, tokeniser, new)
        progress("tokens", 1)
    return committed, MappingProxyType(caps), MappingProxyType(sizes), stage.absent


@contextmanager
def _tokeniser(catalogue: Catalogue, keys: Path) -> Iterator[Tokeniser | None]:
    """Yield the process that makes tokens, where any are to be made: a keyring that does not open is known at once."""
    if not tokenised(catalogue.tables[catalogue.unit_table]):
        yield None
        return
    from tre.pseudonyms import Tokeniser

    with Tokeniser(keys) as found:
        yield found


@contextmanager
def _engine(work: Path, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to a new stage, in UTC whatever the machine's zone."""
    import duckdb

    with duckdb.connect(str(work / "stage.duckdb"), config=_settings(work, limits)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def _settings(work: Path, limits: Limits) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": f"{limits.memory}B",
        "threads": limits.threads,
        "temp_directory": str(work / "spill"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
