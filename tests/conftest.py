"""What every test shares: Hypothesis is derandomised in CI so that a red run can be repeated; one Chromium for all."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "local"))

LONGEST = (
    "e2e/test_every_role.py",
    "fuzz/test_fuzz.py",
    "oracle/test_broken_rules.py",
    "e2e/test_witnesses.py",
    "web/test_openapi.py",
    "docs/test_tutorials.py",
)
"""The files that take minutes: they begin first, so that no process ends the run with one of them alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; all others keep their order, by which a room's tests share what was furnished."""
    place = {f"tests/{name}": at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over the thousands of tests and modules, which stay until the end."""
    gc.freeze()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser; one for the whole run, because playwright keeps a loop open and bears no second one."""
    from tests.browser import chromium

    with chromium() as opened:
        yield opened
