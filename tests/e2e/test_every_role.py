"""A generator of requests, as everybody that there is, against a real house: what is described is what is done."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.conftest import token_for
from tests.e2e.service import Ran, Service, served, surroundings
from tests.house import DATASET, PROJECT, furnish
from tests.support import require
from tre.app.admin import open_admin
from tre.cli.admin import NewPerson

PEOPLE = {"researcher": "okafor", "lead": "lead", "stranger": "stranger"}
MORE = (
    NewPerson("mensah", "Ms E. Mensah", ("controller",), controls=(DATASET,)),
    NewPerson("auditor", "Mr F. Auditor", ("auditor",)),
    NewPerson("operative", "Ms G. Operator", ("operator",)),
    NewPerson("lindqvist", "Prof H. Lindqvist", ("board",)),  # last: nobody is added once a board exists
)
ROLES = (*PEOPLE, *(person.roles[0] for person in MORE), "nobody")
UNANSWERED = {
    "getTile",  # the generator makes no path parameters with slashes
    "getCosignedCheckpoint",  # there is no witness
    "unlockProject",  # nothing is locked
}
BY_CHANCE = {
    "cancelQuery",  # what is asked here mostly has its answer before it could be taken back
    "refineQuery",  # the generator mostly knows no query that has an answer (tests/broker refines one)
}
AT_ONCE = 2
SETTINGS = """
base-url = {url}
headers = {headers}
seed = 1

[generation]
deterministic = true
database = "none"
max-examples = 4

[warnings]
enabled = false

[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "501"]

[[operations]]  # what fits its schema may still be no SQL or no policy, or go beyond the release
include-operation-id = ["check", "submitQuery", "refineQuery", "lintPolicy"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422", "501"]

[parameters]
"path.id" = {{dictionary = "ids", probability = 0.7}}
"path.name" = {{dictionary = "names", probability = 0.7}}
"path.number" = {{dictionary = "numbers", probability = 0.7}}
"path.other" = {{dictionary = "numbers", probability = 0.7}}
"path.index" = {{dictionary = "numbers", probability = 0.7}}

[dictionaries]
ids.values = {ids}
names.values = {names}
numbers.values = ["0", "1"]
"""
"""Of Schemathesis: all its checks and phases, the same requests each time, and often ids that exist."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with somebody of every role, whose limits nobody here meets."""
    home = tmp_path_factory.mktemp("roles") / "home"
    furnish(home, 300, epsilon="80")
    admin = open_admin(home)
    for person in MORE:
        admin.person_add(person)
    admin.house.close()
    config = home / "config.toml"
    lines = config.read_text().splitlines()
    for name in ("questions", "failures", "anonymous"):
        (line,) = (one for one in lines if one.startswith(f"{name} = "))
        lines[lines.index(line)] = f"{name} = 1_000_000"
    config.write_text("\n".join(lines) + "\n")
    return home


@pytest.fixture(scope="module")
def tokens(town: Path) -> dict[str, str | None]:
    """A token for everybody, and none for nobody."""
    ids = PEOPLE | {person.roles[0]: person.id for person in MORE}
    return {role: token_for(town, ids[role]) if role in ids else None for role in ROLES}


@pytest.fixture(scope="module")
def tried(town: Path, tokens: dict[str, str | None]) -> tuple[dict[str, Ran], dict[str, set[int]], set[str]]:
    """What the generator said for each role; the statuses of each operation; the operations that are described."""
    require(find_spec("schemathesis"), "schemathesis: pip install schemathesis")
    with served(town) as service:
        asked = service.ask("SELECT COUNT(*) AS n FROM person", str(tokens["researcher"]), project=PROJECT)
        assert asked.status_code == 200, asked.text
        ids = [PROJECT, asked.json()["id"]]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            runs = pool.map(lambda role: generate(service, role, tokens[role], ids), ROLES)
            said = dict(zip(ROLES, runs, strict=True))
        document = service.call("GET", "/api/v1/openapi.json", None).json()
        described = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
        return said, statuses(service, str(tokens["operator"])), described


def generate(service: Service, role: str, token: str | None, ids: list[str]) -> Ran:
    """Run the generator as one role, with the settings in a file: a token stands on no command line."""
    headers = f'{{Authorization = "Bearer {token}"}}' if token else "{}"
    values = {"url": service.url, "ids": ids, "names": [DATASET]}
    config = service.home.parent / f"{role}.toml"
    config.write_text(SETTINGS.format(headers=headers, **{name: json.dumps(one) for name, one in values.items()}))
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    told = ["--config-file", str(config), "run", f"{service.url}/api/v1/openapi.json", "--no-color"]
    done = subprocess.run(
        [*command, *told], cwd=config.parent, env=surroundings(None), capture_output=True, text=True, timeout=280
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def statuses(service: Service, operator: str) -> dict[str, set[int]]:
    """Return the statuses that each operation answered with, as the house itself counted them."""
    found: dict[str, set[int]] = {}
    for line in service.call("GET", "/metrics", operator).text.splitlines():
        if line.startswith("tre_requests_total{"):
            _, operation, _, status, _ = line.split('"')
            found.setdefault(operation, set()).add(int(status))
    return found


@pytest.mark.parametrize("role", ROLES)
def test_a_generator_of_requests_finds_nothing_as(role, tried):
    said, _, described = tried
    assert said[role].code == 0, said[role].said
    assert f"Tested: {len(described) - 1}\n" in said[role].out, "all but the description itself"


def test_every_operation_answered_somebody_and_none_failed(tried):
    _, found, described = tried
    assert {name for name in described if 200 not in found[name]} - BY_CHANCE == UNANSWERED
    assert not {name for name, codes in found.items() if codes & {500, 503}}
