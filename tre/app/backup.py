"""A copy of a home in the order in which its parts rest on each other, also while it is served; and back.

A control database in PostgreSQL is not this room's to copy, and no copy goes without its database: it is refused.
The database first, the log last: a copy of the log that is older than the copy of the database would be refused when
it is restored. Of the log its records are copied, from which all the rest is made again; the copy is opened once as a
start would and verified, so what comes back is known to start. The settings are written last: a half is no back-up.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from audit import Demands, Log, load_signer, load_verifier, verify_folder
from tre.app.settings import Settings
from tre.app.writing import LOG_KEY
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.base.reasons import app as reasons

_RECORDS, _TILES = "records", "tile"
_SECRET, _SEALED, _PUBLIC = 0o600, 0o400, 0o644


def check_copied(settings: Settings) -> None:
    """Refuse (app.backup-postgresql) a home of which `back_up` would copy all but the control database."""
    if settings.control is not None:
        raise Refused.because(reasons.BACKUP_POSTGRESQL)


def back_up(home: Home, to: Path, keys: Path | None) -> int:
    """Copy `home` into the new folder `to`, its keys into `keys` if that is given; return the copied log's size.

    Raises Refused (app.backup-folder, app.backup-unsound), OSError.
    """
    for folder in filter(None, (to, keys)):
        _check_new(folder, home.root)
    copy = Home(to)
    copy.create()
    copy.spill.rmdir()
    _copy_database(home.control, copy.control)
    _copy_versions(home.versions, copy.versions)
    _copy_keys(home.keys, keys or copy.keys)
    if keys is not None:
        copy.keys.rmdir()
    _copy(home.vkey, copy.vkey, _PUBLIC)
    _copy(home.second_vkey, copy.second_vkey, _PUBLIC)
    _copy_files(home.head, copy.head)
    _copy(home.log / _RECORDS, copy.log / _RECORDS, _SECRET)
    size = _proven(copy, home.keys / LOG_KEY)
    _copy(home.config, copy.config, _SECRET)
    os.sync()
    return size


def restore(copy: Home, keys: Path | None, to: Path) -> None:
    """Make a home at `to` of the back-up `copy`, with the keys that were kept apart in `keys`.

    Raises Refused (app.no-backup, app.home-exists).
    """
    kept = keys or copy.keys
    whole = copy.exists and copy.control.is_file()
    if not whole or not kept.is_dir():
        raise Refused.because(reasons.NO_BACKUP, folder=str(kept if whole else copy.root))
    if to.exists() and any(to.iterdir()):
        raise Refused.because(reasons.HOME_EXISTS, home=str(to))
    home = Home(to)
    home.create()
    _copy(copy.control, home.control, _SECRET)
    _copy_versions(copy.versions, home.versions)
    _copy_keys(kept, home.keys)
    _copy(copy.vkey, home.vkey, _PUBLIC)
    _copy(copy.second_vkey, home.second_vkey, _PUBLIC)
    _copy_files(copy.head, home.head)
    _copy_files(copy.log, home.log)
    (home.log / _TILES).mkdir(mode=0o700)
    _copy_files(copy.log / _TILES, home.log / _TILES)
    _copy(copy.config, home.config, _SECRET)
    os.sync()


def _check_new(folder: Path, home: Path) -> None:
    inside = folder.resolve().is_relative_to(home.resolve())
    if inside or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise Refused.because(reasons.BACKUP_FOLDER, folder=str(folder))


def _copy_database(source: Path, to: Path) -> None:
    """Copy by SQLite's own back-up, which sees one state of a database that is being written."""
    to.touch(mode=_SECRET)
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live, closing(sqlite3.connect(to)) as copy:
        live.backup(copy)


def _copy_versions(source: Path, to: Path) -> None:
    for version in sorted(one for one in source.iterdir() if not one.name.startswith(".")):
        (to / version.name).mkdir(mode=0o700)
        for file in version.iterdir():
            _copy(file, to / version.name / file.name, _SEALED)


def _copy_keys(source: Path, to: Path) -> None:
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    to.chmod(0o700)
    _copy_files(source, to)


def _copy_files(source: Path, to: Path) -> None:
    for file in sorted(one for one in source.iterdir() if one.is_file() and one.suffix != ".new"):
        _copy(file, to / file.name, _SECRET)


def _copy(source: Path, to: Path, mode: int) -> None:
    shutil.copyfile(source, to)
    to.chmod(mode)


def _proven(copy: Home, key: Path) -> int:
    """Open the copied log as a start would, verify it, and return its size."""
    with closing(Log(copy.log, copy.head, load_signer(key))) as log:
        size = log.size
    report = verify_folder(copy.log, load_verifier(copy.vkey), Demands(), head_folder=copy.head)
    if not report.ok:
        raise Refused.because(reasons.BACKUP_UNSOUND, folder=str(copy.root))
    return size
