"""Versions that stay in a PostgreSQL server: asked through the whole road, and what happens when the server fails."""

import shutil

import psycopg
import pytest

from tests.engines.servers import roles
from tests.faults.houses import asked, ended, entries, serving, short_of_patience, spent, whole
from tests.house import DATASET, POLICY, furnish, question
from tre.app.admin import open_admin
from tre.base.reasons import Refused
from tre.broker.standing import version_at
from tre.demo import generate
from tre.jobs import State

QUESTIONS = (
    "SELECT COUNT(*) AS n FROM person",
    "SELECT gender_concept_id, COUNT(*) AS n, AVG(year_of_birth) AS m FROM person GROUP BY 1",
    "SELECT condition_concept_id, COUNT(DISTINCT person_id) AS n FROM condition_occurrence GROUP BY 1",
    "SELECT MEDIAN(year_of_birth) AS m FROM person",
    "SELECT n, COUNT(*) AS people FROM (SELECT person_id, COUNT(*) AS n FROM visit_occurrence GROUP BY 1) v GROUP BY 1",
    "SELECT concept_name, n FROM (SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1) q "
    "JOIN concept ON concept_id = g ORDER BY n DESC",
)


@pytest.fixture(scope="module")
def server():
    with roles() as found:
        yield found


@pytest.fixture(scope="module")
def furnished(server, tmp_path_factory):
    owner, reader, _role = server
    root = tmp_path_factory.mktemp("house") / "home"
    furnish(root, engine=(owner, reader), epsilon="50")
    short_of_patience(root)
    return root


@pytest.fixture
def home(furnished, tmp_path):
    version_at.cache_clear()
    copy = tmp_path / "home"
    shutil.copytree(furnished, copy, copy_function=shutil.copy2)
    return copy


def execute(address, sql):
    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute(sql)
        return found.fetchall() if found.description else []


def test_a_version_in_a_server_leaves_no_rows_in_the_home(home, server):
    """Its folder names the schema, beside the tokens; the tables are in the server, and its reader may only read."""
    (folder,) = (home / "versions").iterdir()
    assert sorted(one.name for one in folder.iterdir() if one.suffix != ".arrow") == ["data.postgresql", "version.json"]
    assert not list((home / "spill").iterdir())
    schema = (folder / "data.postgresql").read_text().strip()
    ((people,),) = execute(server[0], f"SELECT count(*) FROM {schema}.person")
    assert people == 400
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(server[1], f"DELETE FROM {schema}.person")


def test_questions_of_every_kind_are_answered_by_the_server_that_holds_the_data(home):
    with serving(home) as running:
        for sql in QUESTIONS:
            found = ended(running, asked(running, question(sql, "1", groups=2, rows=3)))
            assert found.state is State.COMMITTED, (sql, found.job.error)
        whole(home, running)


def test_a_server_that_ends_a_statement_burns_the_price_and_the_next_question_has_a_new_connection(home, server):
    owner, _reader, role = server

    def end(step):
        if step == "running" and not ended_by:
            ended_by.extend(
                execute(owner, f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{role}'")
            )

    ended_by = []
    with serving(home, step=end) as running:
        found = ended(running, asked(running, question()))
        assert ended_by, "there was a connection to end"
        assert (found.state, found.job.error) == (State.BURNED, "fault.engine")
        assert spent(running) > [0, 0]
        assert [one["event"] for one in entries(home)][-2:] == ["query-outcome", "incident"]
        again = ended(running, asked(running, question()))
        assert again.state is State.COMMITTED, again.job.error
        whole(home, running)


def test_a_server_that_is_not_there_gives_the_request_back(home, server):
    owner, _reader, role = server

    with serving(home) as running:
        for worker in list(running.broker.parts.engine._workers):
            worker.cancel()
        execute(owner, f"ALTER ROLE {role} NOLOGIN")
        try:
            assert ended(running, asked(running, question())).state is State.VOIDED
            assert spent(running) == [0, 0]
        finally:
            execute(owner, f"ALTER ROLE {role} LOGIN")
        again = ended(running, asked(running, question()))
        assert again.state is State.COMMITTED, again.job.error
        whole(home, running)


def schemas(address):
    return execute(address, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tre\\_%' ORDER BY 1")


def test_a_version_that_the_reader_could_change_does_not_come_into_force_and_leaves_nothing(home, server):
    owner, _reader, role = server
    before = schemas(owner), sorted((home / "versions").iterdir())
    source = home.parent / "source"
    generate(20, 7, source)
    execute(owner, f"ALTER ROLE {role} CREATEDB")
    try:
        with pytest.raises(Refused) as refused:
            open_admin(home).dataset_add(DATASET, source, POLICY, lambda _step, _part: None)
    finally:
        execute(owner, f"ALTER ROLE {role} NOCREATEDB")
    assert [one.reason.code for one in refused.value.refusals] == ["app.reader"]
    assert (schemas(owner), sorted((home / "versions").iterdir())) == before


def test_a_server_that_starts_drops_the_schema_of_a_version_that_never_was(home, server):
    dead = home / "versions" / ".onboarding-dead"
    dead.mkdir()
    (dead / "data.postgresql").write_text("tre_dead\n")
    execute(server[0], "CREATE SCHEMA tre_dead CREATE TABLE person (person_id bigint)")
    with serving(home) as running:
        assert not dead.exists()
        assert execute(server[0], "SELECT to_regnamespace('tre_dead')::text") == [(None,)]
        whole(home, running)


def test_no_password_stands_in_the_settings(home):
    config = home / "config.toml"
    config.write_text(config.read_text().replace("postgresql://", "postgresql://x:secret@", 1))
    with pytest.raises(Refused) as refused:
        _ = open_admin(home).house.settings
    assert "secret" not in str(refused.value.refusals[0].sentence)
