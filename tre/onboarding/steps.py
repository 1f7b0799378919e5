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
from tre.onboarding.check import check_stage
from tre.onboarding.cluster import write_version
from tre.onboarding.content import commitment, cut_to_caps
from tre.onboarding.folders import sweep, working_folder
from tre.onboarding.refusal import Fault, VersionRefused
from tre.onboarding.stage import Limits, fill_stage
from tre.onboarding.version import DATA_FILE, Version, seal

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str, float], None]


def onboard(
    source: Path,
    catalogue: Catalogue,
    home_versions: Path,
    *,
    commitment_key: bytes,
    randomness: Randomness,
    clock: Clock,
    limits: Limits,
    progress: Progress,
) -> Version:
    """Make an immutable version of `source` under what `catalogue` declares, below `home_versions`.

    `source` is a folder of TABLE.parquet or TABLE.csv files or a DuckDB file. `commitment_key` (32 bytes of the
    home's keys) makes commitments comparable within one home; `randomness` names the version and numbers its units.
    `progress` is told each step ("read", "check", "commit", "cluster") and its fraction done. Raises VersionRefused;
    then, as after any other exception, nothing is left behind; what a killed
    process left is swept first.
    """
    import duckdb  # here and below: a server makes no versions, and holds no engine in its own process

    sweep(home_versions, limits.spill)
    with working_folder(limits.spill) as work, working_folder(home_versions) as new:
        detail = ""
        try:
            with _engine(work, limits) as engine:
                facts = _make(engine, source, catalogue, work, new, commitment_key, randomness, progress)
        except duckdb.Error as error:
            detail = str(error)
        # Raised out here, so that the engine's words, which may quote a row, are no context of the refusal.
        if detail:
            raise VersionRefused([Fault(reasons.UNFINISHED, detail)])
        name = new_id("v", randomness)
        path = home_versions / name / DATA_FILE
        version = Version(name, path, *facts, catalogue.digest, clock.now())
        seal(new, version)
        return version


def _make(
    engine: duckdb.DuckDBPyConnection,
    source: Path,
    catalogue: Catalogue,
    work: Path,
    new: Path,
    commitment_key: bytes,
    randomness: Randomness,
    progress: Progress,
) -> tuple[str, Mapping[str, int], Mapping[str, int], tuple[str, ...]]:
    """Write the version's file into the folder `new`; return its commitment, row caps, public sizes and absences."""
    tables, absent = fill_stage(engine, source, catalogue, (work, new), lambda part: progress("read", part))
    check_stage(engine, catalogue, tables, lambda part: progress("check", part))
    caps = cut_to_caps(engine, tables, commitment_key)
    committed = commitment(engine, tables, commitment_key, lambda part: progress("commit", part))
    sizes = write_version(
        engine, catalogue, tables, new / DATA_FILE, randomness, lambda part: progress("cluster", part)
    )
    return committed, MappingProxyType(caps), MappingProxyType(sizes), absent


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
