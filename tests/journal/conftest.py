"""A home with a control database, a log of its own and a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit.keys import Ed25519Signer
from audit.log import Log, create_log
from tre.base.clock import SystemClock
from tre.journal import Journal
from tre.store import Store

SIGNER = Ed25519Signer("log.test", bytes(range(32)))


def log_at(home: Path) -> Callable[[], Log]:
    """Return what opens the writer of the log in `home`."""
    return lambda: Log(home / "log", home / "head", SIGNER)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_log(tmp_path / "log", tmp_path / "head", SIGNER)
    Store.create(f"sqlite:///{tmp_path}/control.db").close()
    return tmp_path


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{home}/control.db", patience=5)
    yield store
    store.close()


@pytest.fixture
def journal(home: Path, store: Store) -> Iterator[Journal]:
    journal = Journal(store, log_at(home), SystemClock())
    yield journal
    journal.close()
