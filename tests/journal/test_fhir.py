"""Entries as FHIR: valid by FHIR's own model, by the cardinalities of BALP's profiles, and without a patient.

The profiles' cardinalities are written out here from https://profiles.ihe.net/ITI/BALP/ (1.1.3): the pages
StructureDefinition-IHE.BasicAudit.Query.html and StructureDefinition-IHE.BasicAudit.Read.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.entries import FIELDS, Event, decode_entry, encode_entry, fields_of
from tests.journal.test_entries import EVERY
from tre.journal.fhir import KINDS, audit_event, fhir_lines
from tre.journal.search import Hit

ORIGIN = "audit.example.org/tre"
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/"
QUERY, READ = f"{BALP}IHE.BasicAudit.Query", f"{BALP}IHE.BasicAudit.Read"


def _hit(kind: str) -> Hit:
    return Hit(7, decode_entry(EVERY[kind]().data))


def _any(event: Event) -> st.SearchStrategy[dict[str, Any]]:
    """Entries of an event with whatever fields it may have."""
    must, may = fields_of(event)
    kinds = {name: st.from_regex(FIELDS[name], fullmatch=True).map(json.loads) for name in may}
    kinds["event"] = st.just(event.value)
    kinds["time"] = st.just("2026-03-01T12:00:00.123Z")
    optional = {name: kinds[name] for name in may - must}
    return st.fixed_dictionaries({name: kinds[name] for name in must}, optional=optional)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(Event).flatmap(_any))
def test_whatever_may_stand_in_the_log_is_an_audit_event(fields: dict[str, Any]) -> None:
    encode_entry(fields)
    hit = Hit(7, fields)
    line = b"".join(fhir_lines([hit], ORIGIN))
    written = json.loads(line)
    assert line.count(b"\n") == 1
    assert AuditEvent.model_validate_json(line).id == fields["event_id"]
    assert (written["resourceType"], written["action"]) == ("AuditEvent", KINDS[Event(fields["event"])].action)
    assert written["recorded"].startswith("2026-03-01T12:00:00.123")
    claimed = written.get("meta", {}).get("profile", [])
    for profile in claimed:
        PROFILES[profile](written)
    _keeps_everything(written, fields)
    _names_no_patient(written)


def _codes(coded: list[Mapping[str, Any]]) -> list[str]:
    return [one["type"]["code"] if "code" in one["type"] else one["type"]["coding"][0]["code"] for one in coded]


def _common(written: dict[str, Any]) -> None:
    """What both profiles ask for."""
    assert written["type"]["code"] == "rest"
    assert written["outcome"] == "0"
    agents = dict(zip(_codes(written["agent"]), written["agent"], strict=False))
    assert _codes(written["agent"])[:3].count("IRCP") == 1
    for code in ("110153", "110152"):
        assert _codes(written["agent"]).count(code) == 1
        assert agents[code]["who"]
        assert agents[code]["network"]
        assert "media" not in agents[code]
    assert agents["IRCP"]["requestor"] is True
    assert agents["IRCP"]["who"]
    assert not {"media", "network"} & agents["IRCP"].keys()
    assert _codes(written["entity"]).count("XrequestId") <= 1
    assert _codes(written["entity"]).count("2") == 1


def _query(written: dict[str, Any]) -> None:
    _common(written)
    assert written["subtype"][0]["code"] == "search"
    assert written["action"] == "E"
    assert written["agent"][0]["type"]["coding"][0]["code"] == "110153", "of a query the client is the source"
    found = next(one for one in written["entity"] if one["type"]["code"] == "2")
    assert found["role"]["code"] == "24"
    assert found["_query"]["extension"][0]["valueCode"] == "masked"
    assert not {"what", "lifecycle", "detail"} & found.keys()


def _read(written: dict[str, Any]) -> None:
    _common(written)
    assert written["subtype"][0]["code"] == "read"
    assert written["action"] == "R"
    assert written["agent"][0]["type"]["coding"][0]["code"] == "110152", "of a read the client is the destination"
    found = next(one for one in written["entity"] if one["type"]["code"] == "2")
    assert found["role"]["code"] in ("4", "3", "20")
    assert found["what"]


PROFILES = {QUERY: _query, READ: _read}


def _keeps_everything(written: dict[str, Any], fields: dict[str, Any]) -> None:
    text = json.dumps(written)
    for name, value in fields.items():
        if isinstance(value, str) and name != "time":
            assert value in text, name


def _names_no_patient(written: dict[str, Any]) -> None:
    for entity in written["entity"]:
        assert "reference" not in entity.get("what", {})
        assert entity.get("role", {}).get("code") != "1"
    assert "Patient" not in json.dumps(written)


@pytest.mark.parametrize(
    ("kind", "profile", "outcome"),
    [
        ("intent", QUERY, "0"),
        ("denied", None, "4"),
        ("denied unread", None, "4"),
        ("audit read", READ, "0"),
        ("outcome", None, "0"),
        ("burned", None, "8"),
        ("failed sign-ins", None, "4"),
        ("incident", None, "8"),
        ("signed in", None, "0"),
    ],
)
def test_success_follows_a_profile_and_failure_is_told_as_fhir_does(
    kind: str, profile: str | None, outcome: str
) -> None:
    found = audit_event(_hit(kind), ORIGIN)
    assert found.get("meta", {}).get("profile", [None]) == [profile]
    assert found["outcome"] == outcome


def test_every_event_of_the_log_has_its_kind() -> None:
    assert set(KINDS) == set(Event)


def test_who_did_what_to_which_data_for_which_purpose_is_found_where_fhir_has_it() -> None:
    found = audit_event(_hit("intent"), ORIGIN)
    named = {one.get("name", one["type"]["code"]): one["what"]["identifier"] for one in found["entity"][1:]}
    assert named["project"] == {"system": f"https://{ORIGIN}/project", "value": "P1"}
    assert named["dataset"]["value"] == "omop"
    assert named["XrequestId"]["value"] == "q_1"
    assert named["log entry"]["value"] == "7"
    assert found["agent"][2]["who"]["identifier"]["value"] == "ada"
    assert found["agent"][0]["who"]["identifier"]["value"] == "t_1"
