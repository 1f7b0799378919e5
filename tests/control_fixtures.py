"""Fixtures over `tests.control`; a folder's conftest imports those that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control import log_at, make_home, url_of
from tests.postgresql import drop_database, fresh_database
from tre.base.clock import SystemClock
from tre.journal import Journal
from tre.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def control(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where the control database is: every test that asks for it runs on both; None is SQLite in the home."""
    if request.param == "sqlite":
        yield None
        return
    address = fresh_database()
    yield address
    drop_database(address)


@pytest.fixture
def home(tmp_path: Path, control: str | None) -> Path:
    return make_home(tmp_path, control)


@pytest.fixture
def file_home(tmp_path: Path) -> Path:
    """A home for what is true of SQLite's file alone."""
    return make_home(tmp_path)


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = Store(url_of(home), patience=5)
    yield store
    store.close()


@pytest.fixture
def second_store(home: Path) -> Iterator[Store]:
    """The same database, as another server opens it."""
    store = Store(url_of(home), patience=5)
    yield store
    store.close()


@pytest.fixture
def file_store(file_home: Path) -> Iterator[Store]:
    store = Store(url_of(file_home), patience=5)
    yield store
    store.close()


@pytest.fixture
def journal(home: Path, store: Store) -> Iterator[Journal]:
    journal = Journal(store, log_at(home), SystemClock())
    yield journal
    journal.close()
