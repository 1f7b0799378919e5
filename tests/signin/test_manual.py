"""What the manual says to write into the settings is taken as it stands."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest

from tests.docs.manual import DOCS, blocks
from tests.signin.conftest import Town

EXAMPLES = [text for language, text in blocks(DOCS / "howto" / "sign-in.md") if language == "toml"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: tomllib.loads(text)["issuers"][0]["name"])
def test_the_manuals_settings_of_an_issuer_are_taken(build: Callable[..., Town], example: str) -> None:
    town = build(more=example)
    (provider,) = town.house.providers
    assert provider.label in town.browser().get("/sign-in").text


def test_the_manual_shows_two_kinds_of_provider() -> None:
    assert len(EXAMPLES) == 2
