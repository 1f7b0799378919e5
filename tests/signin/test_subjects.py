"""Subjects of outside issuers become people by being linked, and by nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.service import entries, served, tre
from tests.identity.outside import NAME, claims, public, signed
from tests.signin.conftest import Town
from tre.app.admin import open_admin
from tre.app.settings import read_settings
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.cli.admin import NewPerson
from tre.identity import SignedIn, begin_session, link_subject, person_of, unlink_subject
from tre.journal import OnRecord

ISSUER = f"""
[[issuers]]
name = "{NAME}"
audience = "tre"
jwks = "issuer.json"
algorithms = ["ES256"]
longest = 3600
refresh = 60
acr = {{ gold = "mfa" }}
"""


def link(town: Town, person: str = "ada", subject: str = "s-1") -> None:
    town.house.act("operator", lambda tx, trail: link_subject(tx, trail, person, NAME, subject))


def who(town: Town, subject: str = "s-1", issuer: str = NAME) -> str:
    with town.house.store.reading() as tx:
        return person_of(tx, issuer, subject)


def test_a_linked_subject_is_its_person_at_that_issuer_alone(town: Town) -> None:
    link(town)
    assert who(town) == "ada"
    for subject, issuer in (("s-1", "https://other.example"), ("s-1 ", NAME), ("S-1", NAME), ("ada", NAME)):
        with pytest.raises(Refused, match=r"identity\.person-unknown"):
            who(town, subject, issuer)


def test_a_subject_is_one_person_and_stays_so(town: Town) -> None:
    link(town)
    for person in ("ada", "bob"):
        with pytest.raises(Refused, match=r"identity\.subject-taken"):
            link(town, person)
    assert who(town) == "ada"


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\nb", "a\x00"])
def test_what_is_no_subject_is_not_linked(town: Town, subject: str) -> None:
    with pytest.raises(Refused, match=r"identity\.subject-unfit"):
        link(town, subject=subject)


def test_nobody_who_is_not_here_is_linked_or_recognised(town: Town) -> None:
    with pytest.raises(Refused, match=r"governance\.unknown-person"):
        link(town, "nobody")
    link(town)
    town.leave("ada")
    with pytest.raises(Refused, match=r"identity\.person-unknown"):
        who(town)
    with pytest.raises(Refused, match=r"governance\.unknown-person"):
        link(town, "ada", "s-2")


def test_unlinking_ends_the_sessions_that_began_at_the_issuer(town: Town) -> None:
    link(town)
    local, outside = town.signed_in("ada"), town.browser()
    with town.house.store.transaction() as tx:
        outside.secret = begin_session(tx, town.house.trail("ada"), SignedIn("ada", NAME, "mfa"), town.desk._longest)
    assert outside.who() == "ada"
    town.house.act("operator", lambda tx, trail: done(unlink_subject(tx, trail, NAME, "s-1")))
    assert outside.get("/api/whoami").status_code == 401
    assert local.who() == "ada"
    with pytest.raises(Refused, match=r"identity\.subject-unknown"):
        town.house.act("operator", lambda tx, trail: done(unlink_subject(tx, trail, NAME, "s-1")))


def done(_: object) -> None:
    return None


def test_links_are_entries_that_show_neither_subject_nor_name(town: Town) -> None:
    link(town, subject="ada.lovelace@hospital.example")
    town.house.act("operator", lambda tx, trail: done(unlink_subject(tx, trail, NAME, "ada.lovelace@hospital.example")))
    changes = town.entries("person-changed")
    assert [(one["subject"], one["change"], one["actor"]) for one in changes] == [
        ("ada", "identity-linked", "operator"),
        ("ada", "identity-unlinked", "operator"),
    ]
    assert "hospital" not in repr(town.entries())
    with town.house.store.reading() as tx:
        text = town.house.sidecar.read(tx, str(changes[0]["event_id"]), "identity", OnRecord("0" * 32))
    assert text == f"{NAME} ada.lovelace@hospital.example"


# --- settings


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"ES256"', '"HS256"', "algorithms"),
        ('"ES256"', '"none"', "algorithms"),
        ('["ES256"]', "[]", "algorithms"),
        ('gold = "mfa"', 'gold = "local"', "acr"),
        ('gold = "mfa"', 'gold = "M F A"', "acr"),
        ('"issuer.json"', '"http://id.example.org/certs"', "jwks"),
        (f'"{NAME}"', '"http://id.example.org"', "name"),
        (f'"{NAME}"', '"test.example/log"', "name"),
        ("longest = 3600", "longest = 86401", "longest"),
        ("refresh = 60", "refresh = 0", "refresh"),
        ("refresh = 60", 'refresh = "60"', "refresh"),
        ("refresh = 60", "refresh = 60\nleeway = 9", "leeway"),
        ('audience = "tre"\n', "", "audience"),
    ],
)
def test_an_issuer_is_described_whole_and_in_words_that_are_known(
    build: Callable[..., Town], old: str, new: str, field: str
) -> None:
    assert old in ISSUER
    with pytest.raises(Refused, match=r"app\.settings") as refused:
        build(more=ISSUER.replace(old, new))
    assert field in refused.value.refusals[0].sentence


def test_an_issuer_is_named_once(build: Callable[..., Town]) -> None:
    with pytest.raises(Refused, match=r"app\.settings"):
        build(more=ISSUER + ISSUER)


def test_without_issuers_only_the_environments_own_tokens_are_taken(town: Town) -> None:
    assert [one.name for one in town.house.trusted] == ["test.example/log"]
    assert read_settings(town.house.home).issuers == []


# --- over HTTP, with the commands


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    admin = open_admin(home)
    admin.init(home, "test.example/log")
    config = Home(home).config
    config.write_text(config.read_text() + ISSUER)
    (home / "issuer.json").write_text(json.dumps({"keys": [public("ES256")]}))
    admin.person_add(NewPerson("ada", "Ada Lovelace", ("researcher",), (("accreditation", None),)))
    admin.house.close()
    return home


def now(**changes: Any) -> dict[str, Any]:
    import time

    issued = int(time.time())
    return claims(**({"iat": issued, "exp": issued + 600} | changes))


def test_a_linked_token_asks_over_rest_until_it_is_unlinked(home: Path) -> None:
    with served(home) as service:

        def answer(**changes: Any) -> tuple[int, str | None]:
            found = service.call("GET", "/api/v1/projects", signed(now(**changes)))
            return found.status_code, found.json().get("code")

        assert answer() == (401, "identity.person-unknown")
        assert answer(sub="ada") == (401, "identity.person-unknown")
        assert tre("person", "link", "ada", "--issuer", NAME, "--subject", "s-1", home=home).code == 0
        assert answer() == (200, None)
        assert answer(sub="ada") == (401, "identity.person-unknown")
        again = tre("person", "link", "ada", "--issuer", NAME, "--subject", "s-1", home=home)
        assert (again.code, "identity.subject-taken" in again.err) == (3, True)
        unknown = tre("person", "link", "ada", "--issuer", "https://other.example", "--subject", "s-1", home=home)
        assert (unknown.code, "identity.issuer-unknown" in unknown.err) == (3, True)
        assert tre("person", "unlink", "--issuer", NAME, "--subject", "s-1", home=home).out == "unlinked ada\n"
        assert answer() == (401, "identity.person-unknown")
    assert [one["change"] for one in entries(home) if one["event"] == "person-changed"] == [
        "identity-linked",
        "identity-unlinked",
    ]


def test_the_operator_signs_somebody_out_everywhere_while_the_house_is_served(home: Path) -> None:
    code = tre("sign-in-code", "--person", "ada", home=home)
    assert re.fullmatch(r"[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}", code.out.strip())
    token = tre("token", "--person", "ada", home=home).out.strip()
    with served(home) as service:
        own = {"Origin": service.url, "Sec-Fetch-Site": "same-origin"}
        signed_in = service.call(
            "POST", "/sign-in", None, data={"code": code.out.strip()}, headers=own, allow_redirects=False
        )
        assert (signed_in.status_code, signed_in.headers["Location"]) == (303, "/")
        cookie = {"Cookie": signed_in.headers["Set-Cookie"].partition(";")[0]}
        assert "You are signed in as" in service.call("GET", "/sign-in", None, headers=cookie).text
        assert service.call("GET", "/api/v1/projects", token).status_code == 200
        assert tre("person", "sign-out", "ada", home=home).code == 0
        assert "One-time code" in service.call("GET", "/sign-in", None, headers=cookie).text
        assert service.call("GET", "/api/v1/projects", token).json()["code"] == "identity.token-expired"
    log = (home / "serve.log").read_text()
    assert code.out.strip() not in log
    assert cookie["Cookie"].partition("=")[2] not in log
