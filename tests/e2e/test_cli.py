"""The `tre` command against a real server and a real home: exit codes, and messages that say what, why, what next."""

import csv
import io
import json
import re
import shutil

import pytest

from tests.e2e.conftest import token_for
from tests.e2e.service import acts, audit, tre
from tests.house import POLICY

COUNT = "SELECT COUNT(*) AS n FROM person"


@pytest.fixture(scope="session")
def asking(service, token):
    """The environment of somebody who asks."""
    return {"TRE_URL": service.url, "TRE_TOKEN": token, "TRE_PROJECT": "study"}


def refused(ran, code, reason):
    """Hold a refusal to its form: exit code, code, sentence, remedy; nothing on standard output."""
    assert ran.code == code, ran.said
    assert f"refused: {reason}\n" in ran.err, ran.said
    first, *_ = ran.err.split("refused: ")[1:]
    lines = first.splitlines()
    assert len(lines[1].strip()) > 10
    assert any(line.startswith("  → ") and len(line) > 12 for line in lines)
    assert ran.out == ""


def test_an_answer_comes_as_table_csv_or_json_with_its_receipt(asking, town, tmp_path):
    table = tre("query", COUNT, **asking)
    assert table.code == 0, table.said
    assert table.out.splitlines()[0].split() == ["n", "n_low", "n_high"]
    assert "cost: epsilon" in table.err
    receipt = tmp_path / "receipt"
    as_csv = tre("query", "--format", "csv", "--receipt", receipt, COUNT, **asking)
    (row,) = csv.DictReader(io.StringIO(as_csv.out))
    assert int(row["n_low"]) <= int(row["n"]) <= int(row["n_high"])
    assert audit("receipt", receipt, "--key", town / "log.vkey").code == 0
    document = json.loads(tre("query", "--format", "json", COUNT, **asking).out)
    assert document["rows"] == [{name: int(value) for name, value in row.items()}]


def test_a_check_prints_price_and_error_and_costs_nothing(asking, service, token):
    before = service.budget("study", token)
    found = tre("check", "--epsilon", "0.3", "SELECT COUNT(*) AS n FROM death", **asking)
    assert found.code == 0, found.said
    assert "±" in found.out
    assert service.budget("study", token) == before


def test_refused_sql_exits_3_with_the_place(asking):
    found = tre("query", "SELECT COUNT(*) FROM person WHERE nosuch = 1", **asking)
    refused(found, 3, "names.unknown-column")
    assert "^^^^^^" in found.err


def test_an_exhausted_budget_exits_4(asking):
    poor = asking | {"TRE_PROJECT": "poor"}
    for month in range(1, 4):
        found = tre("query", "--epsilon", "0.4", f"{COUNT} WHERE month_of_birth = {month}", **poor)
        if found.code:
            break
    refused(found, 4, "budget.exhausted")


def test_a_home_alone_does_not_answer_questions(town):
    found = tre("query", COUNT, home=town)
    refused(found, 2, "cli.server-missing")
    assert "tre serve" in found.err


@pytest.mark.parametrize(
    ("more", "code", "reason"),
    [
        ({"TRE_TOKEN": "nonsense"}, 3, "identity.token-malformed"),
        ({"TRE_PROJECT": "nosuch"}, 3, "web.unknown-project"),
        ({"TRE_URL": "http://127.0.0.1:9"}, 1, "cli.unreachable"),
    ],
)
def test_a_wrong_environment_is_told(asking, more, code, reason):
    refused(tre("query", COUNT, **(asking | more)), code, reason)


def test_an_accuracy_that_no_allowed_price_brings_is_refused_by_the_budget(asking):
    refused(tre("query", "--accuracy", "±0.01@95", COUNT, **asking), 4, "privacy.accuracy-too-fine")


def test_one_flipped_byte_is_seen_by_the_verifier(town, tmp_path):
    for folder in ("log", "head"):
        shutil.copytree(town / folder, tmp_path / folder)
    verify = ("audit", "verify", "--log", tmp_path / "log", "--key", town / "log.vkey")
    assert tre(*verify).code == 0
    records = tmp_path / "log" / "records"
    content = bytearray(records.read_bytes())
    content[content.index(b'"event"') + 12] ^= 1
    records.write_bytes(content)
    found = tre(*verify)
    assert found.code == 5, found.said


def broken_policy(tmp_path):
    file = tmp_path / "broken.yaml"
    text = POLICY.read_text()
    assert text.count("minimum group: 10") == 1
    file.write_text(text.replace("minimum group: 10", "minimum group: ten"))
    line = 1 + text[: text.index("minimum group: 10")].count("\n")
    return file, line


def test_a_policy_with_an_error_is_told_with_file_and_line(tmp_path):
    file, line = broken_policy(tmp_path)
    found = tre("policy", "lint", file)
    assert found.code == 3, found.said
    assert f"{file}:{line}" in found.err, found.err
    assert "Correct the value" in found.err
    good = tre("policy", "lint", POLICY)
    assert good.code == 0, good.said


def test_a_version_is_not_made_of_what_is_wrong(town, tmp_path):
    size = len(acts(town))
    versions = set((town / "versions").iterdir())
    whole = town.parent / "whole"
    damaged = tmp_path / "damaged"
    shutil.copytree(whole, damaged)
    content = (damaged / "person.parquet").read_bytes()
    (damaged / "person.parquet").write_bytes(content[: len(content) // 2])
    policy, line = broken_policy(tmp_path)
    wrong = tre("dataset", "add", "fresh", "--source", whole, "--policy", policy, home=town)
    assert wrong.code == 3
    assert f"{policy}:{line}" in wrong.err
    refused(
        tre("dataset", "add", "fresh", "--source", damaged, "--policy", POLICY, home=town), 3, "onboarding.unreadable"
    )
    for address, code in (("postgresql://u:secret@h/d", (2, "app.source")), ("sc://u:secret@h", (3, "cli.source-url"))):
        url = tre("dataset", "add", "fresh", "--source", address, "--policy", POLICY, home=town)
        refused(url, *code)
        assert "secret" not in url.said
    missing = tre("dataset", "add", "fresh", "--source", tmp_path / "nosuch", "--policy", POLICY, home=town)
    assert missing.code in (2, 3), missing.said
    assert set((town / "versions").iterdir()) == versions
    assert len(acts(town)) == size


def test_people_projects_and_tokens_are_made_while_the_server_runs(service, town):
    size = len(acts(town))
    added = tre("person", "add", "jones", "--name", "Dr D. Jones", "--role", "researcher", home=town)
    assert added.code == 0, added.said
    (entry, *_) = acts(town)[size:]  # the server wrote it: it holds the writer's lock
    assert entry["actor"] == "operator"
    assert "Jones" not in json.dumps(acts(town)[size:])
    size = len(acts(town))
    refused(
        tre("person", "add", "jones", "--name", "Other", "--role", "lead", home=town), 3, "governance.person-exists"
    )
    assert len(acts(town)) == size
    made = tre(
        *("project", "add", "asthma", "--dataset", "small", "--person", "jones", "--purpose", "DUO:0000006"),
        *("--epsilon", "1", "--delta", "1e-6"),
        home=town,
    )
    assert made.code == 0, made.said
    listed = tre("project", "list", home=town)
    assert re.search(r"^asthma\s", listed.out, re.MULTILINE)
    issued = tre("token", "--person", "jones", "--project", "asthma", home=town)
    bearer = issued.out.strip().splitlines()[-1]
    asked = tre("query", COUNT, TRE_URL=service.url, TRE_TOKEN=bearer)
    assert asked.code == 0, asked.said


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("token", "--person", "nobody"), 3, "governance.unknown-person"),
        (("token", "--person", "okafor", "--minutes", "99999"), 2, "identity.token-minutes"),
        (("project", "unlock", "study", "--by", "okafor", "--reason", "mine"), 3, "governance.own-project"),
        (("policy", "diff", "a", "b"), 3, "cli.policy-diff-not-yet"),
    ],
)
def test_what_the_operator_may_not_do_is_told(service, town, arguments, code, reason):
    refused(tre(*arguments, home=town), code, reason)


def test_a_home_is_served_once(service, town):
    refused(tre("serve", "--port", "18321", home=town), 3, "app.server-runs")


def test_a_demonstration_asks_shows_a_refusal_and_verifies(tmp_path):
    found = tre("demo", "--home", tmp_path / "demo", "--people", "2000")
    assert found.code == 0, found.said
    assert "VERIFIED" in found.out
    assert "private.row-level-output" in found.out
    again = tre("demo", "--home", tmp_path, "--people", "2000")
    refused(again, 3, "app.demo-exists")
    assert token_for(tmp_path / "demo", "okafor")
