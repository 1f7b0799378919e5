"""A home is copied while it is served, verifies where it lies, and comes back in each case of the manual's table."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import token_for
from tests.e2e.service import audit, entries, ledgers, served, tre, verified
from tre.app.compose import House
from tre.base.home import Home
from tre.base.reasons import Refused

COUNT = "SELECT COUNT(*) AS n FROM person WHERE year_of_birth > {year}"


@pytest.fixture(scope="module")
def copies(spare, tmp_path_factory):
    """Two back-ups of one home, made while it answers: `old`, and `new` after one more answer."""
    folder = tmp_path_factory.mktemp("copies")
    bearer = token_for(spare, "okafor")
    with served(spare) as service:
        for number, name in enumerate(("old", "new")):
            answer = service.ask(COUNT.format(year=1940 + number), bearer, project="study", epsilon="0.5")
            assert answer.status_code == 200, answer.text
            made = tre("backup", folder / name, "--keys", folder / f"{name}-keys", home=spare)
            assert made.code == 0, made.said
    return folder


def restored(copies: Path, to: Path, parts: dict[str, str] | None = None) -> Path:
    """Restore `new`, with the parts named taken from `old`."""
    mixed = to.with_name(f"{to.name}-copy")
    shutil.copytree(copies / "new", mixed)
    for part in parts or {}:
        kept = copies / parts[part] / part
        if kept.is_dir():
            shutil.rmtree(mixed / part)
            shutil.copytree(kept, mixed / part)
        else:
            shutil.copyfile(kept, mixed / part)
    found = tre("restore", mixed, to, "--keys", copies / "new-keys")
    assert found.code == 0, found.said
    return to


def spent(home: Path) -> dict[str, Any]:
    return {name: one["spent"] for name, one in ledgers(home).items()}


def sound(home: Path) -> None:
    found = verified(home)
    assert found.code == 0, found.said


def started(home: Path) -> str:
    """Start what writes the log of `home`; return the code of what refuses it, or nothing."""
    house = House(Home(home))
    try:
        house.journal.recover()
    except Refused as refused:
        return refused.refusals[0].reason.code
    finally:
        house.close()
    return ""


def test_a_copy_verifies_where_it_lies_and_is_its_owners_alone(copies, spare):
    for name in ("old", "new"):
        found = audit("verify", "--log", copies / name / "log", "--key", copies / name / "log.vkey")
        assert found.code == 0, found.said
    assert not (copies / "new" / "keys").exists()
    assert not (copies / "new" / "spill").exists()
    assert sorted(file.name for file in (copies / "new-keys").iterdir()) == sorted(
        file.name for file in (spare / "keys").iterdir()
    )
    modes = {file: file.stat().st_mode & 0o777 for file in copies.rglob("*") if file.suffix != ".vkey"}
    assert [file for file, mode in modes.items() if mode & 0o077] == []
    told = [entry for entry in entries(spare) if entry["event"] == "export"]
    assert [entry["subject"] for entry in told] == ["backup", "backup"]


def test_everything_from_one_back_up_starts_answers_and_verifies(copies, tmp_path, spare):
    home = restored(copies, tmp_path / "home")
    sound(home)
    with served(home) as service:
        bearer = token_for(home, "okafor")
        again = service.ask(COUNT.format(year=1940), bearer, project="study", epsilon="0.5")
        assert again.status_code == 200, again.text
    sound(home)


def test_an_older_database_with_the_newest_log_grants_no_budget_again(copies, tmp_path):
    whole = restored(copies, tmp_path / "whole")
    older = restored(copies, tmp_path / "older", {"control.db": "old"})
    assert spent(older) != spent(whole), "the older database knows of one answer less"
    assert started(older) == ""
    assert spent(older) == spent(whole)
    sound(older)


def test_an_older_log_than_its_head_is_refused(copies, tmp_path):
    home = restored(copies, tmp_path / "home", {"log": "old"})
    assert started(home) == "fault.log-unavailable"


def test_an_older_log_and_head_than_the_database_are_refused(copies, tmp_path):
    home = restored(copies, tmp_path / "home", {"log": "old", "head": "old"})
    assert started(home) == "journal.state-ahead"


def test_a_back_up_replaces_nothing_and_a_half_one_is_none(copies, tmp_path, spare):
    full = tre("backup", copies / "new", home=spare)
    inside = tre("backup", spare / "versions" / "copy", home=spare)
    assert ("app.backup-folder" in full.err, "app.backup-folder" in inside.err) == (True, True)
    for missing in ("config.toml", "control.db"):
        shutil.copytree(copies / "new", tmp_path / missing)
        (tmp_path / missing / missing).unlink()
        half = tre("restore", tmp_path / missing, tmp_path / "home", "--keys", copies / "new-keys")
        assert "app.no-backup" in half.err, half.said
    taken = tre("restore", copies / "new", spare, "--keys", copies / "new-keys")
    assert "app.home-exists" in taken.err, taken.said
