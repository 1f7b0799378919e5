"""Tokens over HTTP: whoever is not who they say, not here, not now or not for this project, is refused by a code."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from tests.e2e.conftest import token_for
from tests.e2e.service import entries, tre
from tre import governance
from tre.app.compose import House
from tre.base.home import Home
from tre.identity import EmbeddedIssuer, load_key, verify
from tre.identity.keys import SigningKey

ORIGIN = "test.example/log"
COUNT = "SELECT COUNT(*) AS n FROM person"


class Then:
    """A clock that stands."""

    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


def issued(home, *, key=None, audience="tre", origin=ORIGIN, ago=timedelta(0), **more):
    signer = key or load_key(home / "keys")
    clock = Then(datetime.now(UTC) - ago)
    return EmbeddedIssuer(origin, audience, signer, clock).issue("okafor", None, 30, **more)


def expired(home):
    return issued(home, ago=timedelta(hours=1))


def early(home):
    return issued(home, ago=-timedelta(hours=1))


def forged(home):
    return issued(home, key=SigningKey(generate_private_key(SECP256R1()), load_key(home / "keys").kid))


def from_another_key(home):
    return issued(home, key=SigningKey(generate_private_key(SECP256R1()), "k_another"))


def for_another_service(home):
    return issued(home, audience="elsewhere")


def from_another_issuer(home):
    return issued(home, origin="evil.example")


def unsigned(home):
    _, payload, _ = issued(home).split(".")
    header = {"alg": "none", "typ": "at+jwt", "kid": load_key(home / "keys").kid}
    return f"{encoded(header)}.{payload}."


def edited(home):
    header, payload, signature = issued(home).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{encoded(claims | {'sub': 'stranger'})}.{signature}"


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def of_nobody(home):
    return token_for(home, "nobody")


def no_token(home):
    return "not.a.token"


BAD = {
    expired: "identity.token-expired",
    early: "identity.token-early",
    forged: "identity.token-signature",
    from_another_key: "identity.token-signature",
    for_another_service: "identity.token-audience",
    from_another_issuer: "identity.token-signature",
    unsigned: "identity.token-malformed",
    edited: "identity.token-signature",
    of_nobody: "identity.person-unknown",
    no_token: "identity.token-malformed",
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
@pytest.mark.parametrize("path", ["/api/v1/projects", "/api/v1/queries"])
def test_a_bad_token_opens_nothing(service, make, path):
    method, body = ("POST", {"json": {"sql": COUNT, "project": "study"}}) if path.endswith("queries") else ("GET", {})
    answer = service.call(method, path, make(service.home), **body)
    assert (answer.status_code, answer.json()["code"]) == (401, BAD[make]), answer.text
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["remedy"]


def test_no_token_is_a_refusal_of_its_own(service):
    answer = service.call("GET", "/api/v1/projects", None)
    assert (answer.status_code, answer.json()["code"]) == (401, "identity.token-missing")


def test_a_token_for_one_project_serves_no_other(service, token):
    scoped = token_for(service.home, "okafor", "other")
    other = service.ask(COUNT, scoped, project="study")
    assert (other.status_code, other.json()["code"]) == (403, "identity.token-project")
    budget = service.call("GET", "/api/v1/projects/study/budget", scoped)
    assert (budget.status_code, budget.json()["code"]) == (403, "identity.token-project")
    query = service.ask(COUNT, token, project="study").json()["id"]
    for part in ("", "/result", "/receipt"):
        foreign = service.call("GET", f"/api/v1/queries/{query}{part}", scoped)
        unknown = service.call("GET", f"/api/v1/queries/q_nothing{part}", scoped)
        assert foreign.status_code == unknown.status_code == 404
        assert {**foreign.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    listed = service.call("GET", "/api/v1/projects", scoped).json()["projects"]
    assert [project["id"] for project in listed] == ["other"]
    assert service.ask(COUNT, scoped).json()["project"] == "other"


def test_a_project_of_others_and_an_unknown_one_answer_alike(service):
    stranger = token_for(service.home, "stranger")
    found = [service.ask(COUNT, stranger, project=project) for project in ("study", "nosuch")]
    assert [one.status_code for one in found] == [404, 404]
    assert {**found[0].json(), "request_id": ""} == {**found[1].json(), "request_id": ""}


def test_a_person_without_the_credentials_is_refused_with_what_is_missing(service):
    answer = service.ask(COUNT, token_for(service.home, "lapsed"), project="study")
    assert answer.status_code == 403, answer.text
    (reason,) = answer.json()["reasons"]
    assert reason["gate"] == "people"
    assert "ig-training" in reason["sentence"] + reason["remedy"]


def test_a_revoked_token_is_refused_from_the_next_request_on(service):
    made = tre("token", "--person", "okafor", home=service.home)
    assert made.code == 0, made.said
    bearer = made.out.strip().splitlines()[-1]
    assert service.call("GET", "/api/v1/projects", bearer).status_code == 200
    house = House(Home(service.home))
    jti = verify(bearer, [house.issuer.trusted()], house.clock).token
    house.act("operator", lambda tx, trail: governance.revoke_token(tx, trail, jti))
    house.close()
    answer = service.call("GET", "/api/v1/projects", bearer)
    assert (answer.status_code, answer.json()["code"]) == (401, "identity.token-expired")
    assert [one.get("evidence") for one in entries(service.home) if one.get("change") == "token-revoked"] == [jti]
