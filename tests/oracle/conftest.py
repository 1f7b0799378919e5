"""The parser raises the interpreter's recursion limit once; Hypothesis objects when that happens inside a test."""

import pytest

from tre.sql import parse


@pytest.fixture(scope="session", autouse=True)
def _parsed_once() -> None:
    parse("SELECT COUNT(*) FROM person")
