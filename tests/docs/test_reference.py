"""Nothing that people meet lacks its place in the reference."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from audit import entries as log_entries
from tests.docs.manual import DOCS, READMES, ROOT
from tre.base.reasons import every_reason
from tre.client import __all__ as client_names
from tre.policy.schema import policy_schema

import generated  # isort: skip - the path is set by tests.docs.manual

PAGES = {name: page() for name, page in generated.PAGES.items()}


@pytest.mark.parametrize("code", [reason.code for reason in every_reason()])
def test_every_refusal_has_its_place_in_the_manual(code: str) -> None:
    assert f"({code})=\n" in PAGES["refusals"]


def test_a_refusal_is_told_with_its_remedy() -> None:
    for reason in every_reason():
        assert reason.sentence
        assert reason.remedy


def test_every_command_is_in_the_reference() -> None:
    import commands

    from audit.__main__ import _parser as audit_parser
    from tre.cli.parser import parser

    names = [name for name, _ in (*commands.leaves(parser()), *commands.leaves(audit_parser(), "python -m audit"))]
    assert {"tre init", "tre query", "tre dataset add", "python -m audit receipt"} <= set(names)
    for name in names:
        assert f"## `{name}`\n" in PAGES["commands"]


def test_every_function_that_people_can_write_is_in_the_reference() -> None:
    from tre.sql.functions import SPELLED

    assert len(SPELLED) > 30
    for name in SPELLED:
        assert f"`{name}`" in PAGES["functions"], name


def test_every_operation_and_object_is_in_the_reference() -> None:
    import operations

    found = operations.description()
    assert len(found["paths"]) > 10
    for path, methods in found["paths"].items():
        for method in methods:
            assert f"### `{method.upper()} {path}`\n" in PAGES["rest"]
    for name in found["components"]["schemas"]:
        assert f"### {name}\n" in PAGES["rest"]


def test_every_key_of_a_policy_is_in_the_reference() -> None:
    schema = json.loads(policy_schema())
    parts = [schema, *schema["$defs"].values()]
    keys = {key for part in parts for one in (part, *part.get("anyOf", ())) for key in one.get("properties", ())}
    assert "usual rows" in keys
    for key in keys:
        assert f"| `{key}` |" in PAGES["policy-document"]


def test_every_event_and_field_of_the_log_is_in_the_reference() -> None:
    for event in log_entries.Event:
        assert f"| `{event.value}` |" in PAGES["log-entries"]
    for field in log_entries.FIELDS:
        assert f"`{field}`" in PAGES["log-entries"]


def test_everything_that_the_client_exports_is_in_the_reference() -> None:
    text = (DOCS / "reference" / "client.md").read_text(encoding="utf-8")
    for name in client_names:
        assert re.search(rf"tre\.client\.{name}\b", text), name


def test_generated_pages_are_not_kept_beside_their_source() -> None:
    ignored = (DOCS / "reference" / ".gitignore").read_text(encoding="utf-8").split()
    assert {f"{name}.md" for name in generated.PAGES} <= set(ignored)


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_out_of_the_folders_own_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
