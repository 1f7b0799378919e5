"""Types carry the safety: who may construct and open what is private (DESIGN "Types carry the safety")."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

ALLOWED = {
    "Partials": ("tre/engines/",),
    "decode_partials": ("tre/privacy/release.py",),
    "Release": ("tre/privacy/", "tre/base/passage.py"),
    "reload_release": ("tre/ledger/",),
    "OpenDPNoise": ("tre/app",),
}
"""Who may call each name; `tre/base/passage.py` itself reloads a Release for the ledger."""


def uses(root: Path, name: str) -> Iterator[str]:
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            found = (
                called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
            )
            aliased = isinstance(node, ast.ImportFrom) and any(one.name == name and one.asname for one in node.names)
            if found == name or aliased:
                yield path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_only_its_own_room_constructs_or_opens(name: str) -> None:
    assert [one for one in uses(ROOT / "tre", name) if not one.startswith(ALLOWED[name])] == []


def test_the_linter_sees_a_construction() -> None:
    assert "tests/privacy/naive.py" in set(uses(ROOT / "tests" / "privacy", "Partials"))


def test_no_other_source_of_noise_is_imported() -> None:
    """PRIVACY §3.3: no other generator than OpenDP's. NumPy's serves the simulation of intervals alone."""
    random = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tre").rglob("*.py"))
        if "/demo/" not in path.as_posix()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "default_rng"
    ]
    assert set(random) <= {"tre/privacy/estimates.py"}
