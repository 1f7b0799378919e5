"""The command line: arguments, exit codes and texts; questions go to the real application over a socket."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest

from tests.cli.fake import FakeAdmin
from tests.web.fake import FakeService
from tests.web.live import serving
from tre.base.reasons import every_reason
from tre.cli import main
from tre.cli.admin import NewPerson, NewProject
from tre.cli.asking import width_for_eyes
from tre.cli.codes import exit_code

COUNT = "SELECT COUNT(*) AS n FROM person"


@pytest.fixture(scope="module")
def service() -> FakeService:
    return FakeService()


@pytest.fixture(scope="module")
def url(service: FakeService) -> Iterator[str]:
    with serving(service) as address:
        yield address


@pytest.fixture
def asking(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRE_URL", url)
    monkeypatch.setenv("TRE_TOKEN", "ada")
    monkeypatch.setenv("TRE_PROJECT", "p1")


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeAdmin:
    """Stand in for the composition root, on a home that exists."""
    fake = FakeAdmin()
    root = ModuleType("tre.app")
    root.open_admin = lambda home: fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tre.app", root)
    monkeypatch.setenv("TRE_HOME", str(tmp_path))
    for name in ("TRE_URL", "TRE_TOKEN", "TRE_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    return fake


@pytest.mark.usefixtures("asking")
class TestAsking:
    def test_an_answer_is_a_table_with_numbers_flush_right_and_its_price_beside(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["query", "--epsilon", "0.5", COUNT]) == 0
        told = capsys.readouterr()
        assert told.out.splitlines() == [
            "sex           n       n_low      n_high  mean_cost  day",
            "---  ----------  ----------  ----------  ---------  ----------",
            "F          5021        5008        5034      12.50  2026-01-01",
            "M    suppressed  suppressed  suppressed       NULL  NULL",
        ]
        assert "epsilon 0.5, 10.00% of the project's budget" in told.err

    def test_an_answer_is_csv_or_json_for_other_programs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["query", "--format", "csv", COUNT]) == 0
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert (rows[0]["n"], rows[0]["n_low"], rows[1]["n"]) == ("5021", "5008", "suppressed")
        assert main(["query", "--format", "json", COUNT]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["rows"][0]["n"] == 5021
        assert document["receipt"].startswith("c2sp.org/tlog-proof@v1")

    def test_a_receipt_goes_to_a_file(self, tmp_path: Path) -> None:
        assert main(["query", "--receipt", str(tmp_path / "r"), COUNT]) == 0
        assert (tmp_path / "r").read_text().startswith("c2sp.org/tlog-proof@v1")

    def test_sql_comes_from_standard_input_and_numbers_arrive_exactly(
        self, service: FakeService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 1\n"))
        arguments = ["query", "--project", "p1", "--epsilon", "0.1", "--groups", "2", "--rows", "3", "-"]
        assert main(arguments) == 0
        asked = service.asked[-1]
        assert (asked.sql, asked.epsilon, asked.groups, asked.rows) == ("SELECT 1\n", Fraction(1, 10), 2, 3)

    def test_a_check_tells_price_error_and_bounds(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", COUNT]) == 0
        told = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
        said = {line[0]: line[-1].strip() for line in told}
        assert (said["error of n (95 %)"], said["share of the project's budget"]) == ("±12.5", "10.00%")
        assert (said["bound on rows"], said["bound on a person's s"]) == ("1", "0 to 9.5")
        assert main(["check", "--format", "json", COUNT]) == 0
        assert json.loads(capsys.readouterr().out)["price"]["rho"] == "0.012"

    def test_a_check_shows_the_plan_indented_where_that_is_asked_for(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", COUNT]) == 0
        assert "Result 1" not in capsys.readouterr().out
        assert main(["check", "--explain", COUNT]) == 0
        told = capsys.readouterr().out.splitlines()
        assert "Result 1: count_rows(*)" in told
        assert "    table person — unit-keyed: its key is person_id" in told
        assert '    FROM "person" AS t1' in told
        assert main(["check", "--explain", "--format", "json", COUNT]) == 0
        assert json.loads(capsys.readouterr().out)["explain"]["document"]["steps"]

    def test_a_refused_check_shows_no_price_because_zeros_would_read_as_one(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["check", "SELECT nhs_number FROM person"]) == 2
        shown = capsys.readouterr().out
        assert [word in shown for word in ("allowed", "epsilon", "share", "answer after")] == [
            True,
            False,
            False,
            False,
        ]

    def test_a_large_error_is_written_out(self) -> None:
        assert [width_for_eyes(width) for width in (12.5, 4315840.22)] == ["12.5", "4315840"]

    @pytest.mark.parametrize("command", ["check", "query"])
    def test_a_refusal_prints_code_sentence_caret_and_remedy_to_standard_error(
        self, capsys: pytest.CaptureFixture[str], command: str
    ) -> None:
        assert main([command, "SELECT nhs_number FROM person"]) == 2
        assert capsys.readouterr().err.splitlines()[:5] == [
            "refused: web.field-invalid",
            "  The column nhs_number is not known.",
            "    SELECT nhs_number FROM person",
            "           ^^^^^^^^^^",
            "  → Leave it out.",
        ]

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["query", "--project", "p2", COUNT], 3),
            (["query", "boom"], 1),
            (["query", "--accuracy", "±20@95", COUNT], 0),
            (["query", "--epsilon", "1", "--accuracy", "±20@95 all", COUNT], 0),
            (["query", "--accuracy", "twenty", COUNT], 2),
            (["check", "  "], 2),
        ],
    )
    def test_the_exit_code_says_how_it_went(self, arguments: list[str], code: int) -> None:
        assert main(arguments) == code

    def test_a_forged_token_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TRE_TOKEN", "forged")
        assert main(["query", COUNT]) == 3

    def test_a_server_that_is_not_there_is_a_fault(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("TRE_URL", "http://127.0.0.1:9")
        assert main(["query", COUNT]) == 1
        assert "cli.unreachable" in capsys.readouterr().err


def test_a_question_on_a_home_alone_names_the_server(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", COUNT]) == 2
    assert "tre serve" in capsys.readouterr().err


def test_a_home_is_made_and_its_public_key_shown(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "/x/home", "--origin", "tre.example", "--control", "postgresql:///tre"]) == 0
    assert admin.calls == [("init", Path("/x/home"), "tre.example", "postgresql:///tre")]
    assert "tre.example+00000000+AAAA" in capsys.readouterr().out


def test_a_data_set_is_made_from_files_that_exist(
    admin: FakeAdmin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.yaml"
    arguments = ["dataset", "add", "northfield", "--source", str(tmp_path), "--policy", str(policy)]
    assert main(arguments) == 2
    policy.touch()
    assert main(arguments) == 0
    assert admin.calls == [("dataset_add", "northfield", tmp_path, policy)]
    said = capsys.readouterr().out
    assert "paid for bounds, once for all versions: 1.600% of the data set's budget, 8.000% of a project's" in said
    assert "paid for sizes, by this version, and by each that follows: 0.060% of" in said


def test_a_data_set_is_made_from_a_database_by_its_address(admin: FakeAdmin, tmp_path: Path) -> None:
    arguments = ["dataset", "add", "n", "--source", "postgresql://reader@host/db", "--policy", str(tmp_path)]
    assert main(arguments) == 0
    assert admin.calls == [("dataset_add", "n", "postgresql://reader@host/db", tmp_path)]


@pytest.mark.parametrize("source", ["mysql://host/db", "sc://host", "HTTPS://host/x.parquet"])
def test_a_source_by_url_is_refused(
    admin: FakeAdmin, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    assert main(["dataset", "add", "n", "--source", source, "--policy", str(tmp_path)]) == 3
    assert "cli.source-url" in capsys.readouterr().err
    assert admin.calls == []


def test_people_and_projects_are_added_as_they_were_named(admin: FakeAdmin) -> None:
    person = ["person", "add", "ada", "--name", "Ada L", "--role", "researcher", "lead"]
    assert main([*person, "--credential", "accreditation=2027-03-31", "--credential", "ig-training"]) == 0
    project = ["project", "add", "p1", "--dataset", "a", "b", "--person", "ada", "--person", "bob"]
    limits = ["--purpose", "DUO:0000006", "--epsilon", "5", "--delta", "1e-6", "--expires", "2027-01-01"]
    assert main([*project, *limits]) == 0
    credentials = (("accreditation", date(2027, 3, 31)), ("ig-training", None))
    assert admin.calls == [
        ("person_add", NewPerson("ada", "Ada L", ("researcher", "lead"), credentials)),
        (
            "project_add",
            NewProject(
                "p1", ("a", "b"), ("ada", "bob"), ("DUO:0000006",), Decimal(5), Decimal("1e-6"), date(2027, 1, 1)
            ),
        ),
    ]


def test_lists_print_the_id_first_and_move_no_cursor(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["person", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[2] == "ada  Ada �[31mL"
    assert main(["project", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("p1")


def test_the_code_for_signing_in_stands_on_the_last_line(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign-in-code", "--person", "ada", "--minutes", "5"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "code-ada-5"


def test_the_token_stands_on_the_last_line(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--person", "ada", "--project", "p1", "--minutes", "5"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "token.ada.p1.5"


def test_what_people_hold_is_changed_as_it_was_named(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    credential = ["--kind", "ig-training", "--by", "bea"]
    assert main(["credential", "attest", "ada", "--until", "2027-03-31", *credential]) == 0
    assert main(["credential", "revoke", "ada", *credential]) == 0
    assert main(["person", "end", "ada", "--by", "bea"]) == 0
    assert main(["sidecar", "erase", "--project", "p1", "--by", "bea", "--and", "carl"]) == 0
    assert main(["sidecar", "erase", "--person", "ada", "--by", "bea", "--and", "carl"]) == 0
    assert main(["tokens", "revoke", "t_1"]) == 0
    assert main(["tokens", "revoke", "--person", "ada"]) == 0
    assert admin.calls == [
        ("credential_attest", "ada", "ig-training", date(2027, 3, 31), "bea"),
        ("credential_revoke", "ada", "ig-training", "bea"),
        ("person_end", "ada", "bea"),
        ("sidecar_erase", "project", "p1", "bea", "carl"),
        ("sidecar_erase", "person", "ada", "bea", "carl"),
        ("token_revoke", "t_1"),
        ("tokens_revoke", "ada"),
    ]
    capsys.readouterr()
    assert main(["tokens", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("t_1")


def test_keys_and_pseudonyms_are_kept_by_command(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "rotate", "issuer"]) == 0
    assert main(["key", "rotate", "issuer", "--distrust-older"]) == 0
    assert main(["key", "rotate", "master"]) == 0
    assert main(["pseudonym", "check", "--dataset", "n", "--project", "p1", "--epoch", "1"]) == 0
    assert admin.calls == [
        ("key_rotate_issuer", False),
        ("key_rotate_issuer", True),
        ("key_rotate_master",),
        ("pseudonym_check", "n", "p1", 1),
    ]
    assert main(["pseudonym", "new-epoch"]) == 0
    assert "epoch 2" in capsys.readouterr().out


def test_a_home_is_copied_and_restored(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "/b/1"]) == 0
    assert main(["backup", "/b/2", "--keys", "/k/2"]) == 0
    assert "/k/2" in capsys.readouterr().out
    assert main(["restore", "/b/2", "/srv/tre", "--keys", "/k/2"]) == 0
    assert admin.calls == [
        ("backup", Path("/b/1"), None),
        ("backup", Path("/b/2"), Path("/k/2")),
        ("restore", Path("/b/2"), Path("/k/2"), Path("/srv/tre")),
    ]


def test_the_remaining_commands_reach_the_home(
    admin: FakeAdmin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--port", "9000"]) == 0
    assert main(["project", "unlock", "p1", "--by", "bob", "--reason", "looked"]) == 0
    assert main(["audit", "serve"]) == 0
    assert main(["audit", "reindex"]) == 0
    assert main(["audit", "export", str(tmp_path)]) == 0
    assert admin.calls == [
        ("serve", "127.0.0.1", 9000, 1),
        ("unlock", "p1", "bob", "looked"),
        ("audit_serve",),
        ("audit_reindex",),
        ("audit_export", tmp_path),
    ]
    assert main(["project", "unlock", "gone", "--by", "bob", "--reason", "x"]) == 3
    capsys.readouterr()
    assert main(["ledger", "export"]) == 0
    assert capsys.readouterr().out == '{"ledgers": []}\n'
    assert main(["policy", "lint", str(tmp_path)]) == 0
    assert main(["version"]) == 0


def test_entries_are_searched_and_exported_as_they_were_asked_for(
    admin: FakeAdmin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--by", "aud", "--project", "p1", "--from", "2026-03-01", "--to", "2026-03-02T09:00:00Z"]
    wanted = {
        "project": "p1",
        "since": datetime(2026, 3, 1, tzinfo=UTC),
        "until": datetime(2026, 3, 2, 9, tzinfo=UTC),
    }
    assert main(["audit", "search", *asked, "--limit", "7"]) == 0
    assert "incident" in capsys.readouterr().out
    assert main(["audit", "search", "--by", "aud", "--event", "incident", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("7,2026,incident")
    for form in ("jsonl", "csv", "fhir", "ro-crate"):
        assert main(["audit", "export-events", *asked, "--format", form, str(tmp_path / form)]) == 0
    assert admin.calls == [
        ("audit_search", "aud", wanted, 7),
        ("audit_search", "aud", {"event": "incident"}, 50),
        *(
            ("audit_export_events", "aud", wanted, form, tmp_path / form)
            for form in ("jsonl", "csv", "fhir", "ro-crate")
        ),
    ]
    assert main(["audit", "export-events", "--by", "aud", "--format", "ro-crate", str(tmp_path / "x")]) == 2
    for bad in (["--limit", "201"], ["--from", "yesterday"]):
        with pytest.raises(SystemExit):
            main(["audit", "search", "--by", "aud", *bad])


def test_the_demonstration_is_told_in_its_home(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tre.app.story.tell", lambda home, people, say, _progress: say(f"demo of {people} in {home}"))
    assert main(["demo", "--people", "5"]) == 0
    assert "demo of 5 in .demo" in capsys.readouterr().out


def test_what_is_not_offered_yet_says_so(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "diff", "a", "b"]) == 3
    assert "cli.policy-diff-not-yet" in capsys.readouterr().err


def test_a_home_that_is_none_is_usage(admin: FakeAdmin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRE_HOME", str(tmp_path / "none"))
    assert main(["person", "list"]) == 2
    monkeypatch.delenv("TRE_HOME")
    assert main(["person", "list"]) == 2


def test_an_unplanned_failure_says_where_and_not_what(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["person", "add", "broken", "--name", "x", "--role", "lead"]) == 1
    told = capsys.readouterr().err
    assert "RuntimeError in person_add" in told
    assert "9434765919" not in told


def test_a_part_that_is_not_installed_is_named(
    admin: FakeAdmin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tre.app", None)
    assert main(["person", "list"]) == 1
    assert "the part `server`" in capsys.readouterr().err


def test_the_verifier_answers_with_its_own_exit_codes(tmp_path: Path) -> None:
    assert main(["audit", "verify", "--log", str(tmp_path), "--key", str(tmp_path / "none")]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["query"],
        ["query", "--epsilon", "x", "SELECT 1"],
        ["query", "--epsilon", "-1", "SELECT 1"],
        ["query", "--epsilon", "NaN", "SELECT 1"],
        ["query", "--groups", "0", "SELECT 1"],
        ["query", "SELECT 1", "SELECT 2"],
        ["query", "--format", "xml", "SELECT 1"],
        ["person", "add", "x", "--name", "X", "--role", "king"],
        ["project", "add", "x"],
        ["tokens", "revoke"],
        ["tokens", "revoke", "t_1", "--person", "ada"],
        ["person", "end", "ada"],
    ],
)
def test_wrong_arguments_are_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_budget_is_the_exit_code_only_where_budget_is_all_that_is_missing() -> None:
    codes = {reason.kind.name: reason.code for reason in every_reason()}
    assert exit_code(["identity.token-expired"], 401) == 3
    assert exit_code(["no.such"], 403) == 3
    assert exit_code(["no.such"], 400) == 2
    assert exit_code(["no.such"], 503) == 1
    if "BUDGET" in codes:
        assert exit_code([codes["BUDGET"]], 403) == 4
        assert exit_code([codes["BUDGET"], "identity.token-project"], 403) == 3


def test_questions_need_no_more_than_the_client_installed() -> None:
    script = (
        "import sys, os\n"
        "for name in ('flask', 'pydantic', 'jwt', 'sqlalchemy', 'duckdb', 'numpy', 'pandas', 'structlog', 'yaml'):\n"
        "    sys.modules[name] = None\n"
        "os.environ |= {'TRE_URL': 'http://127.0.0.1:9', 'TRE_TOKEN': 't', 'TRE_PROJECT': 'p1'}\n"
        "from tre.cli import main\n"
        "sys.exit(main(['query', 'SELECT 1']))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, "cli.unreachable" in ended.stderr) == (1, True), ended.stderr


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, contextlib, io\n"
        "from tre.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main(['--help'])\n"
        "heavy = {'requests', 'flask', 'pydantic', 'sqlalchemy', 'duckdb', 'opendp', 'pandas', 'numpy', 'tre.client'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
