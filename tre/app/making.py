"""Making a home: folders, keys, an empty log, an empty control database; the settings last, so that a half is none."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from audit import create_key, create_log
from tre.app.compose import COMMITMENT_KEY, MASTER_KEY, MIX_KEY, QUESTION_KEY
from tre.app.publishing import SECOND_KEY, create_second_key
from tre.app.settings import control_url, settings_text
from tre.app.writing import LOG_KEY
from tre.base.clock import SystemClock
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.base.reasons import app as reasons
from tre.identity import create_key as create_issuer_key
from tre.journal import create_master
from tre.store import Store

_ORIGIN = re.compile(r"[a-z0-9][a-z0-9./-]{0,126}")


def make_home(root: Path, origin: str, control: str | None = None) -> str:
    """Make a home and return the log's public key.

    :param control: the address of an empty PostgreSQL database; SQLite in the home if None.
    Raises Refused (app.home-exists, app.origin, app.control, store.taken, store.unavailable).
    """
    from tre.pseudonyms import create_keyring

    if not _ORIGIN.fullmatch(origin):
        raise Refused.because(reasons.ORIGIN, origin=ascii(origin)[:80])
    home = Home(root)
    if root.exists() and any(root.iterdir()):
        raise Refused.because(reasons.HOME_EXISTS, home=str(root))
    if control is not None:  # first: where it cannot be had, no half of a home is left
        Store.create(control_url(control, home)).close()
    home.create()
    signer = create_key(origin, secrets.token_bytes(32), home.keys / LOG_KEY, home.vkey)
    create_log(home.log, home.head, signer)
    create_second_key(origin, secrets.token_bytes(32), home.keys / SECOND_KEY, home.second_vkey)
    create_issuer_key(home.keys)
    create_master(home.keys / MASTER_KEY)
    create_keyring(home.keys, SystemClock())
    for name in (QUESTION_KEY, MIX_KEY, COMMITMENT_KEY):
        _write(home.keys / name, secrets.token_bytes(32))
    if control is None:
        Store.create(control_url(None, home)).close()
    _write(home.config, settings_text(origin, control).encode())
    return home.vkey.read_text(encoding="ascii")


def _write(path: Path, content: bytes) -> None:
    """Write a new file, durably, readable by its owner alone."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
