"""Whoever delivers a source chooses its rows, and never which other file of the machine is read or written."""

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.onboarding.small import POLICY, left_behind, make, read, rows, write_csv, write_duckdb, write_parquet
from tre.onboarding import VersionRefused
from tre.onboarding.source import Relation, find_source, open_relation, readable
from tre.onboarding.stage import close_file_system

STOLEN = "concept_id,concept_name\n1,stolen\n"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with files of others, in every form that a source may have."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "concept.csv").write_text(STOLEN)
    pq.write_table(pa.table({"concept_id": [1], "concept_name": ["stolen"]}), folder / "concept.parquet")
    with duckdb.connect(folder / "concept.duckdb") as connection:
        connection.execute("CREATE TABLE concept AS SELECT 1 AS concept_id, 'stolen' AS concept_name")
    return folder


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("way", ["link", "link to a link", "link through the folder", "dangling", "folder"])
def test_a_link_out_of_the_folder_is_refused(kind: str, way: str, outside: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "source", {**rows(), "concept": [{"concept_id": 1}]})
    (source / "CONCEPT.csv").unlink()
    entry, target = source / f"concept.{kind}", outside / f"concept.{kind}"
    if way == "link to a link":
        (source / "step").symlink_to(target)
        target = Path("step")
    elif way == "link through the folder":
        target = Path("..") / "outside" / target.name
    elif way == "dangling":
        target = Path("nowhere")
    if way == "folder":
        entry.mkdir()
    else:
        entry.symlink_to(target)
    with pytest.raises(VersionRefused, match=r"^onboarding\.outside$"):
        make(source, tmp_path)
    assert left_behind(tmp_path) == []


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", rows())
    (source / "concept.parquet").unlink()
    os.mkfifo(source / "concept.csv")
    with pytest.raises(VersionRefused, match=r"^onboarding\.outside$"):
        make(source, tmp_path)


def test_links_within_the_folder_and_to_the_folder_are_followed(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "delivered", rows())
    (source / "concept.parquet").rename(source / "part-0")
    (source / "concept.parquet").symlink_to("part-0")
    (tmp_path / "latest").symlink_to(source)
    assert read(make(tmp_path / "latest", tmp_path), "SELECT count(*) FROM concept") == [(2,)]


def statements(outside: Path) -> dict[str, str]:
    return {
        "csv": f"SELECT * FROM read_csv('{outside}/concept.csv')",
        "text": f"SELECT * FROM read_text('{outside}/concept.csv')",
        "parquet": f"SELECT * FROM '{outside}/concept.parquet'",
        "listing": f"SELECT * FROM glob('{outside}/*')",
        "attach": f"ATTACH '{outside}/concept.duckdb' AS other",
        "copy out": f"COPY (SELECT 1) TO '{outside}/new.csv'",
        "export": f"EXPORT DATABASE '{outside}/new'",
        "extension": "INSTALL httpfs",
        "unlock": "SET lock_configuration = false",
        "open": "SET enable_external_access = true",
        "allow": f"SET allowed_directories = ['{outside}']",
        "secrets": "CREATE SECRET s (TYPE s3)",
    }


@pytest.mark.parametrize("kind", sorted(statements(Path())))
def test_the_engine_opens_nothing_but_the_sources_files_and_its_folders(
    kind: str, outside: Path, tmp_path: Path
) -> None:
    source = write_parquet(tmp_path / "source", rows())
    work = tmp_path / "work"
    work.mkdir()
    with duckdb.connect(str(work / "stage.duckdb")) as connection:
        close_file_system(connection, (work,), readable(find_source(source, set(POLICY.tables))))
        assert connection.execute(f"SELECT count(*) FROM '{source / 'concept.parquet'}'").fetchall() == [(2,)]
        with pytest.raises(duckdb.Error):
            connection.execute(statements(outside)[kind]).fetchall()
    assert sorted(path.name for path in outside.iterdir()) == ["concept.csv", "concept.duckdb", "concept.parquet"]


def test_the_engine_is_closed_before_it_reads_the_first_row(
    outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that was led astray, by whatever a source holds, meets a closed file system."""
    stolen = Relation(
        f"read_csv('{outside / 'concept.csv'}')",
        {"concept_id": ("concept_id", "BIGINT"), "concept_name": ("concept_name", "VARCHAR")},
    )

    def astray(connection: duckdb.DuckDBPyConnection, table: str, path: Path, alias: Path) -> Relation | None:
        return stolen if table == "concept" else open_relation(connection, table, path, alias)

    monkeypatch.setattr("tre.onboarding.stage.open_relation", astray)
    source = write_parquet(tmp_path / "source", rows())
    with pytest.raises(VersionRefused, match=r"^onboarding\.unreadable$") as refused:
        make(source, tmp_path)
    assert "disabled by configuration" in refused.value.detail


MACROS = ("sha256(x) AS 'same'", "count() AS 0", "typeof(x) AS 'none'", "strlen(x) AS 0", "concat(x, y, z) AS 'same'")


def test_views_and_macros_of_a_duckdb_file_are_neither_read_nor_called(outside: Path, tmp_path: Path) -> None:
    honest = write_duckdb(tmp_path / "honest", rows())
    source = write_duckdb(tmp_path / "source", rows())
    with duckdb.connect(source) as connection:
        for macro in MACROS:
            connection.execute(f"CREATE MACRO {macro}")
        connection.execute(f"CREATE MACRO person() AS TABLE SELECT * FROM read_csv('{outside / 'concept.csv'}')")
        connection.execute(f"CREATE VIEW everything AS SELECT * FROM read_csv('{outside / 'concept.csv'}')")
    assert make(source, tmp_path).commitment == make(honest, tmp_path).commitment


def test_a_generated_column_that_calls_the_files_own_macro_is_refused(tmp_path: Path) -> None:
    source = write_duckdb(tmp_path / "source", rows())
    with duckdb.connect(source) as connection:
        connection.execute("CREATE MACRO peek() AS 'x'; DROP TABLE concept")
        connection.execute(
            "CREATE TABLE concept (concept_id BIGINT, concept_name VARCHAR GENERATED ALWAYS AS (peek()))"
        )
    with pytest.raises(VersionRefused, match=r"^onboarding\.unreadable$"):
        make(source, tmp_path)


def test_what_a_duckdb_file_attaches_is_not_its_own(outside: Path, tmp_path: Path) -> None:
    source = write_duckdb(tmp_path / "source", rows())
    with duckdb.connect(source) as connection:
        connection.execute(f"ATTACH '{outside / 'concept.duckdb'}' AS other")
        connection.execute("DROP TABLE concept; CREATE VIEW concept AS SELECT * FROM other.concept")
    with pytest.raises(VersionRefused, match=r"^onboarding\.missing-table$"):
        make(source, tmp_path)
