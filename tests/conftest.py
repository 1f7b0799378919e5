"""What every test shares: Hypothesis is derandomised in CI so that a red run can be repeated; one Chromium for all."""

from __future__ import annotations

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser; one for the whole run, because playwright keeps a loop open and bears no second one."""
    from tests.browser import chromium

    with chromium() as opened:
        yield opened
