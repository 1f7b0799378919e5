"""Hostile questions over HTTP: refused with a code, a place or a remedy, at once, on the record, at no price."""

import sqlite3
import time

import pytest

from tests.e2e.service import acts, verified

TEN = [f"x{number}" for number in range(10)]
NESTED = 8000
WITHIN = 1.0
"""Seconds to a refusal."""


def self_join(ways):
    first, *others = TEN[:ways]
    joins = " ".join(f"JOIN measurement {other} ON {other}.person_id = {first}.person_id" for other in others)
    return f"SELECT COUNT(*) FROM measurement {first} {joins}"


def doubled(times):
    steps = ["t0 AS (SELECT person_id FROM person)"]
    steps += [
        f"t{n} AS (SELECT person_id FROM t{n - 1} UNION ALL SELECT person_id FROM t{n - 1})"
        for n in range(1, times + 1)
    ]
    return f"WITH {', '.join(steps)} SELECT COUNT(*) FROM t{times}"


def doubled_inline(times):
    relation = "SELECT person_id FROM person"
    for number in range(times):
        relation = f"SELECT person_id FROM ({relation} UNION ALL {relation}) a{number}"
    return f"SELECT COUNT(*) FROM ({relation}) x"


def lengthened(times):
    steps = ["t0 AS (SELECT person_id, CAST(year_of_birth AS TEXT) AS s FROM person)"]
    steps += [f"t{n} AS (SELECT person_id, s || s AS s FROM t{n - 1})" for n in range(1, times + 1)]
    return f"WITH {', '.join(steps)} SELECT SUM(LENGTH(s)) AS n FROM t{times}"


HOSTILE = {
    "a deletion in WITH": "WITH d AS (DELETE FROM person RETURNING *) SELECT COUNT(*) FROM d",
    "SELECT INTO": "SELECT person_id INTO stolen FROM person",
    "a Unicode-escaped name": 'SELECT COUNT(*) FROM U&"p\\0065rson"',
    "a Unicode-escaped string": "SELECT COUNT(*) FROM person WHERE year_of_birth = U&'\\0031'",
    "query()": "SELECT * FROM query('SELECT * FROM person')",
    "read_csv": "SELECT COUNT(*) FROM read_csv('/etc/passwd')",
    "a file as a table": "SELECT COUNT(*) FROM '/etc/passwd'",
    "a catalogue of the engine": "SELECT COUNT(*) FROM duckdb_settings()",
    "information_schema": "SELECT COUNT(*) FROM information_schema.tables",
    "error(col)": "SELECT COUNT(*) FROM person WHERE error(CAST(year_of_birth AS TEXT)) IS NULL",
    "8,000 brackets": f"SELECT COUNT(*) FROM person WHERE {'(' * NESTED}1=1{')' * NESTED}",
    "8,000 open brackets": f"SELECT COUNT(*) FROM person WHERE {'(' * NESTED}",
    "brackets in other brackets": f"SELECT COUNT(*) FROM person WHERE year_of_birth IN {'([{' * 300}",
    "CASE in CASE": f"SELECT COUNT(*) FROM person WHERE {'CASE WHEN 1=1 THEN ' * 400}1{' END' * 400} = 1",
    "NOT NOT": f"SELECT COUNT(*) FROM person WHERE {'NOT ' * 3000}1=1",
    "a 4-way self-join": self_join(4),
    "a 10-way self-join": self_join(10),
    "30 doublings by name": doubled(30),
    "7 doublings in place": doubled_inline(7),
    "a long || chain": f"SELECT COUNT(*) FROM person WHERE {'||'.join(['CAST(year_of_birth AS TEXT)'] * 500)} = 'x'",
    "a text doubled 30 times": lengthened(30),
    "a Cyrillic letter in a name": "SELECT COUNT(*) FROM p\u0435rson",
    "a full-width keyword": "\uff33ELECT COUNT(*) FROM person",
    "a curly quote": "SELECT COUNT(*) FROM person WHERE \u2018a\u2019 = \u2018a\u2019",
    "rows of people": "SELECT person_id, year_of_birth FROM person WHERE year_of_birth < 1930",
    "rows behind an aggregate": "SELECT person_id, COUNT(*) FROM person GROUP BY person_id",
    "a statement after a comment": "SELECT COUNT(*) FROM person -- harmless\n; DROP TABLE person",
    "a statement in an opened comment": "SELECT COUNT(*) FROM person /* */; /* */ DELETE FROM person",
    "an open comment": "SELECT COUNT(*) FROM person /* never closed",
    "NUL": "SELECT COUNT(*) FROM person\x00; DROP TABLE person",
    "more than 16 KiB": f"SELECT COUNT(*) FROM person WHERE year_of_birth IN ({', '.join(['1950'] * 4000)})",
    "a setting": "SET threads = 1",
    "ATTACH": "ATTACH '/tmp/x.db' AS x",
    "COPY": "COPY person TO '/tmp/stolen.csv'",
    "PRAGMA": "PRAGMA database_list",
    "recursion": "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT COUNT(*) FROM r",
    "no text at all": "   \n\t ",
    "only a comment": "-- nothing",
}


def rows(home):
    """Return how many queries the control database knows."""
    with sqlite3.connect(f"file:{home / 'control.db'}?mode=ro", uri=True) as control:
        return control.execute("SELECT COUNT(*) FROM queries").fetchone()[0]


def standing(service, token):
    return rows(service.home), service.budget("study", token)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_question_is_refused_at_once_on_the_record_at_no_price(service, token, name):
    before, size = standing(service, token), len(acts(service.home))
    begun = time.monotonic()
    answer = service.ask(HOSTILE[name], token, project="study", epsilon="0.1")
    elapsed = time.monotonic() - begun
    assert 400 <= answer.status_code < 500 or answer.status_code == 501, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["reasons"]
    for reason in problem["reasons"]:
        assert reason["code"].partition(".")[0] in {"sql", "private", "names"}, problem
        assert reason["sentence"]
        assert reason["remedy"]
    assert standing(service, token) == before
    (entry,) = acts(service.home)[size:]
    assert (entry["event"], entry["decision"]) == ("query-decision", "denied")
    if elapsed >= WITHIN:  # another process may have had the machine: ask once more
        begun = time.monotonic()
        service.ask(HOSTILE[name], token, project="study", epsilon="0.1")
        elapsed = time.monotonic() - begun
    assert elapsed < WITHIN


def told(service, token, sql, name):
    """Return what a refusal says, with the asked-for name taken out, and the caret's width with it."""
    problem = service.ask(sql.format(name=name), token, project="study").json()
    problem.pop("request_id")
    problem.pop("query", None)
    for reason in problem["reasons"]:
        if reason.get("place"):
            source, caret = reason["place"]["caret"].split("\n")
            reason["place"]["caret"] = source, len(caret) - len(caret.lstrip()), len(caret.strip()) - len(name)
    return repr(problem).replace(name, "NAME")


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT COUNT(p.{name}) AS n FROM person p", ["nhs_number", "postcode", "person_source_value", "nosuch"]),
        ("SELECT COUNT({name}) AS n FROM person", ["date_of_birth", "rate_of_birth"]),  # alike in what they resemble
        ("SELECT COUNT(*) AS n FROM person WHERE {name} = 1", ["nhs_number", "birth_datetime", "nosuch"]),
        (
            "SELECT COUNT(*) AS n FROM {name}",
            ["note", "fact_relationship", "achilles_results", "nosuch", "duckdb_tables"],
        ),
    ],
)
def test_hidden_unlisted_and_unknown_names_answer_alike(service, token, sql, names):
    assert len({told(service, token, sql, name) for name in names}) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"sql": "SELECT 1", "sql": "SELECT 2"}', 400, "web.body-json"),
        (b'{"sql": 1, "project": "study"}', 400, "web.field-invalid"),
        (b'{"project": "study"}', 400, "web.field-missing"),
        (b'{"sql": "SELECT 1", "project": "study", "epsilon": NaN}', 400, "web.body-json"),
        (b'{"sql": "SELECT 1", "project": "study", "epsilon": -1}', 400, "web.field-invalid"),
        (b'{"sql": "SELECT 1", "project": "study", "admin": true}', 400, "web.field-unknown"),
        (b'"{\\"sql\\": \\"SELECT 1\\"}"', 400, "web.body-json"),
        (b"[" * 60_000, 400, "web.body-json"),
        (b'{"sql": "\xff"}', 400, "web.body-json"),
        (b'{"sql": "' + b"x" * 200_000 + b'"}', 413, "web.body-too-large"),
    ],
)
def test_a_body_off_the_contract_is_refused_before_anything(service, token, body, status, code):
    before = standing(service, token)
    answer = service.call("POST", "/api/v1/queries", token, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert standing(service, token) == before


def test_the_log_verifies_after_all_that(service):
    found = verified(service.home)
    assert found.code == 0, found.said
