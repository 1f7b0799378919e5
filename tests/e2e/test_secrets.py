"""Canary values: what identifies people in the source, the SQL and the token stand in no file, log or answer."""

import json
from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import token_for
from tests.e2e.service import served, tre
from tests.e2e.sources import column
from tre import governance
from tre.app.compose import House
from tre.base.home import Home

LITERAL = "7654321098"
TEXT = "Llanfairpwll"
IDENTIFIERS = ("nhs_number", "postcode", "date_of_birth", "birth_datetime", "day_of_birth", "person_source_value")


@pytest.fixture(scope="module")
def people(town):
    """NHS numbers and full postcodes of the source."""
    whole = town.parent / "whole"
    found = {*column(whole, "person", "nhs_number"), *column(whole, "person", "postcode")} - {"None"}
    assert len(found) > 300
    return found


@pytest.fixture(scope="module")
def asked(spare, people):
    """A loud server that has answered, refused and turned away; the home after it stopped, and every body it sent."""
    bearer = token_for(spare, "okafor")
    number = min(people)
    bodies = []
    with served(spare, ("-m", "tests.e2e.loud", "serve")) as service:
        for sql in (
            f"SELECT COUNT(*) AS n FROM person WHERE year_of_birth > 1950 AND month_of_birth <> {LITERAL}",
            f"SELECT COUNT(*) AS n FROM concept WHERE concept_name = '{TEXT}'",
            f"SELECT COUNT(*) AS n FROM person WHERE nhs_number = '{number}' AND year_of_birth = {LITERAL}",
            f"SELECT year_of_birth FROM person WHERE year_of_birth = {LITERAL}",
            f"SELECT COUNT(*) FROM person WHERE month_of_birth = '{TEXT}' ||",
        ):
            answer = service.ask(sql, bearer, project="study", epsilon="0.5")
            bodies.append((sql, answer))
            service.ask(sql, bearer, path="checks", project="study")
        service.call("GET", "/api/v1/datasets/small", bearer)
        bodies.append(("", service.call("GET", "/api/v1/projects", bearer + "x")))
        bodies.append(("", service.call("GET", f"/api/v1/projects?token={bearer}", bearer)))
        spill = list((spare / "spill").rglob("*"))
    return spare, bearer, bodies, spill


def files(home, *parts):
    for part in parts:
        for file in home.glob(part):
            yield from (one for one in ([file] if file.is_file() else file.rglob("*")) if one.is_file())


def held(file: Path, canaries):
    content = file.read_bytes()
    return {canary for canary in canaries if canary.encode() in content}


def test_no_canary_lies_anywhere(asked, people):
    home, bearer, bodies, spill = asked
    canaries = {*people, LITERAL, TEXT, bearer, bearer.rpartition(".")[2]}
    looked = set()
    for file in files(home, "control.db*", "log", "head", "serve.log", "spill", "versions/*/*.json"):
        assert held(file, canaries) == set(), file
        looked.add(file.name)
    assert {"control.db", "records", "serve.log", "version.json"} <= looked
    assert not [one for one in spill if one.is_file()], "no spill was needed, so none is there"
    statuses = [answer.status_code for _, answer in bodies]
    assert statuses[0] == statuses[1] == 200, bodies[1][1].text
    for sql, answer in bodies:
        told = {canary for canary in canaries if canary in answer.text}
        assert told <= {canary for canary in canaries if canary in sql}, answer.text  # the caret shows the own line
        assert not told & people or sql
    loud = (home / "serve.log").read_text(errors="replace")
    assert "DEBUG" in loud
    assert "sqlalchemy" in loud


def test_a_version_holds_no_direct_identifier(town, people):
    house = House(Home(town))
    with house.store.reading() as tx:
        name = governance.current_version(tx, "small").name
    house.close()
    (file,) = (town / "versions" / name).glob("*.duckdb")
    with duckdb.connect(str(file), read_only=True) as version:
        columns = version.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        ).fetchall()
        assert columns
        assert not {column for _, _, column in columns} & set(IDENTIFIERS)
        for schema, table, named in columns:
            found = version.execute(f'SELECT DISTINCT CAST("{named}" AS VARCHAR) FROM "{schema}"."{table}"').fetchall()
            assert not {value for (value,) in found} & people, (table, named)


def test_a_version_file_is_named_at_random_and_says_no_size(town):
    for file in (town / "versions").glob("*/version.json"):
        said = json.loads(file.read_text())
        assert "person" not in said.get("public_sizes", {}), said


def test_the_home_and_its_keys_are_their_owners_alone(town):
    assert town.stat().st_mode & 0o077 == 0
    assert all(key.stat().st_mode & 0o177 == 0 for key in (town / "keys").iterdir())


def test_a_fault_on_the_command_line_shows_no_value(town, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "person.csv").write_text(f"person_id,nhs_number\n{LITERAL}x,{TEXT}\n")
    policy = Path(__file__).parents[2] / "policies" / "omop.yaml"
    found = tre("dataset", "add", "wrong", "--source", source, "--policy", policy, home=town)
    assert found.code == 3, found.said
    assert not {LITERAL, TEXT} & {word.strip("“”'\",.") for word in found.said.split()}
