"""The server of these tests runs in their own process: its lines for the operator are not what a command says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog


def _dropped(_logger: object, _name: str, _event: Any) -> Any:
    raise structlog.DropEvent


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    structlog.configure(processors=[_dropped])
    yield
    structlog.reset_defaults()
