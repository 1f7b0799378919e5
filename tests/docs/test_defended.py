"""The manual says which test defends which promise; each of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.manual import DOCS, ROOT

TEXT = (DOCS / "defended.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", TEXT)))


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_the_manual_names_is_there(named: str) -> None:
    path, _, function = named.partition("::")
    assert (ROOT / path).is_file()
    assert not function or function in functions(path)


def test_every_promise_names_a_test() -> None:
    promises = re.split(r"^- ", TEXT, flags=re.MULTILINE)[1:]
    assert len(promises) > 25
    for promise in promises:
        assert "\n  - `tests/" in promise, promise


def test_every_attack_is_named() -> None:
    """A new attack must say what it attacks."""
    for path in sorted((ROOT / "tests" / "attacks").glob("test_*.py")):
        assert f"tests/attacks/{path.name}::" in TEXT, path.name
