"""Keys are rotated and pseudonyms checked by command, beside a server where that can be, with nothing lost or shown."""

import pytest

from tests.e2e.conftest import token_for
from tests.e2e.service import entries, served, tre, verified
from tests.e2e.sources import column

COUNT = "SELECT COUNT(*) AS n FROM person"


def test_a_server_takes_tokens_of_both_keys_from_the_rotation_on(spare):
    before = token_for(spare, "okafor")
    with served(spare) as service:
        assert service.call("GET", "/api/v1/projects", before).status_code == 200
        found = tre("key", "rotate", "issuer", home=spare)
        assert found.code == 0, found.said
        after = token_for(spare, "okafor")
        for bearer in (before, after):
            assert service.call("GET", "/api/v1/projects", bearer).status_code == 200
        found = tre("key", "rotate", "issuer", "--distrust-older", home=spare)
        assert found.code == 0, found.said
        for bearer in (before, after):
            assert service.call("GET", "/api/v1/projects", bearer).status_code == 401
        assert service.call("GET", "/api/v1/projects", token_for(spare, "okafor")).status_code == 200
    told = [entry for entry in entries(spare) if entry["event"] == "key-rotated"]
    assert [entry["change"] for entry in told] == ["rotated", "distrusted"]
    assert all(entry["subject"].startswith("issuer/k_") for entry in told)


def test_the_master_key_is_replaced_while_no_server_runs_and_the_texts_are_read_after(spare):
    key = spare / "keys" / "master.key"
    before = key.read_bytes()
    with served(spare) as service:
        answer = service.ask(COUNT, token_for(spare, "okafor"), project="study", epsilon="0.1")
        assert answer.status_code == 200, answer.text
        refused = tre("key", "rotate", "master", home=spare)
        assert (refused.code, "journal.key-in-use" in refused.err) == (1, True), refused.said
    assert key.read_bytes() == before
    found = tre("key", "rotate", "master", home=spare)
    assert found.code == 0, found.said
    assert key.read_bytes() != before
    with served(spare) as service:
        answer = service.ask(COUNT, token_for(spare, "okafor"), project="study", epsilon="0.2")
        assert answer.status_code == 200, answer.text
    checked = verified(spare)
    assert checked.code == 0, checked.said


@pytest.fixture
def epochs(spare):
    found = tre("pseudonym", "new-epoch", home=spare)
    assert found.code == 0, found.said
    return spare


def test_a_projects_tokens_are_made_and_only_their_keys_are_told(epochs, town):
    numbers = {*column(town.parent / "whole", "person", "nhs_number")} - {"None"}
    said = []
    for epoch in ((), ("--epoch", "1")):
        found = tre("pseudonym", "check", "--dataset", "small", "--project", "study", *epoch, home=epochs)
        assert found.code == 0, found.said
        said.append(found.out.splitlines()[2].split())
    assert [(kind, epoch) for kind, _, epoch in said] == [("nhs-number", "2"), ("nhs-number", "1")]
    assert said[0][1] != said[1][1], "another epoch is another key"
    less = tre("pseudonym", "check", "--dataset", "less", "--project", "study", home=epochs)
    assert less.code in (0, 3)
    told = [entry for entry in entries(epochs) if entry["event"] == "pseudonyms-made"]
    assert [entry["change"] for entry in told][:2] == ["epoch-2", "epoch-1"]
    assert not any(number in str(told) for number in numbers)


def test_a_project_without_the_data_set_and_an_unknown_epoch_are_refused(spare):
    for words, reason in (
        (("--dataset", "nowhere", "--project", "study"), "governance.unknown-dataset"),
        (("--dataset", "small", "--project", "nowhere"), "governance.unknown-project"),
        (("--dataset", "small", "--project", "study", "--epoch", "99"), "pseudonyms.epoch-unknown"),
    ):
        found = tre("pseudonym", "check", *words, home=spare)
        assert found.code != 0
        assert reason in found.err, found.said
