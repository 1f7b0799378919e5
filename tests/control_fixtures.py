"""Fixtures over `tests.control`; a folder's conftest imports those that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control import log_at, make_home, url_of
from tre.base.clock import SystemClock
from tre.journal import Journal
from tre.store import Store


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path)


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = Store(url_of(home), patience=5)
    yield store
    store.close()


@pytest.fixture
def journal(home: Path, store: Store) -> Iterator[Journal]:
    journal = Journal(store, log_at(home), SystemClock())
    yield journal
    journal.close()
