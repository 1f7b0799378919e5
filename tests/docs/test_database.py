"""The manual's way to data in a PostgreSQL database is taken as it stands, with a password that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.docs.manual import DOCS, blocks, typed
from tests.docs.test_tutorials import refused, run
from tests.engines.servers import roles
from tests.house import POLICY
from tests.onboarding.filled import fill_from
from tests.postgresql import asking_for_passwords, drop_database, fresh_database
from tre.app import open_admin
from tre.demo import generate

PASSWORD = "correct-horse-9"


PAGE = DOCS / "howto" / "operate.md"


def section() -> tuple[str, list[str]]:
    """The SQL and the commands of the page's section."""
    _, own = PAGE.read_text(encoding="utf-8").split("### Data that are in a PostgreSQL database\n")
    found = {language: block for language, block in blocks(PAGE) if block in own.partition("\n### ")[0]}
    return found["sql"], list(typed(found["console"]))


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[str]:
    """A database whose schema `cdm` holds the synthetic population, and the role that the manual makes."""
    generate(100, 7, tmp_path / "delivery")
    address = fresh_database()
    fill_from(tmp_path / "delivery", address, "cdm")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(section()[0].replace("…", PASSWORD).encode())
        with asking_for_passwords("tre_source"):
            yield address
        connection.execute("DROP OWNED BY tre_source")
        connection.execute("DROP ROLE tre_source")
    drop_database(address)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    open_admin(tmp_path / "home").init(tmp_path / "home", "northfield.example/tre", None)
    return tmp_path / "home"


def commands(clinic: str, passfile: Path) -> list[str]:
    """The commands of the manual, with this machine's files and server."""
    here = f"@/{clinic.partition('@/')[2]}&"
    places = {"/etc/tre/source.pgpass": str(passfile), "@db.example/clinic?": here}
    places["/etc/tre/northfield.yaml"] = str(POLICY)
    lines = section()[1]
    for said, real in places.items():
        assert said in "\n".join(lines), said
        lines = [line.replace(said, real) for line in lines]
    return lines


def test_a_database_becomes_a_version_by_the_commands_of_the_manual(clinic: str, home: Path, tmp_path: Path) -> None:
    """Its password is asked for, and stands nowhere afterwards but in its file."""
    passfile = tmp_path / "source.pgpass"
    passfile.write_text(f"*:*:*:tre_source:{PASSWORD}\n")
    passfile.chmod(0o600)
    lines = commands(clinic, passfile)
    with roles() as (owner, reader, _role):
        for more in ("", f'\n[engine.postgresql]\nowner = "{owner}"\nreader = "{reader}"\n'):
            with (home / "config.toml").open("a") as config:
                config.write(more)
            said = run(lines, tmp_path, TRE_HOME=str(home))
            assert not refused(said), said
            assert "northfield is at version v_" in "".join(said.values())
            assert PASSWORD not in "".join(said.values())
    assert not [one for one in home.rglob("*") if one.is_file() and PASSWORD.encode() in one.read_bytes()]


def test_without_its_password_or_with_it_in_the_address_nothing_is_read(
    clinic: str, home: Path, tmp_path: Path
) -> None:
    nowhere = commands(clinic, tmp_path / "nowhere")
    (text,) = refused(run(nowhere, tmp_path, TRE_HOME=str(home))).values()
    assert "onboarding.source" in text
    for part in (
        f"tre_source:{PASSWORD}@",
        f"tre_source@/x?password={PASSWORD}&",
        f"tre_source@/x?sslpassword={PASSWORD}&",
    ):
        shown = [line.replace("tre_source@", part) for line in nowhere]
        (text,) = refused(run(shown, tmp_path, TRE_HOME=str(home))).values()
        assert "app.source" in text
        assert PASSWORD not in text
    assert not [one for one in home.rglob("*") if one.is_file() and PASSWORD.encode() in one.read_bytes()]
