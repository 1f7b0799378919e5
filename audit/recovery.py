"""Starting the log: its lock, the replay of its records, and the comparison with the second place.

Nothing is repaired before the second place has agreed: a log that is shorter than the head there, or another
one, is refused as it is.
"""

from dataclasses import dataclass
from pathlib import Path

from audit.derived import index_rows
from audit.files import File, Files
from audit.head import Head, HeadError
from audit.merkle import Frontier, leaf_hashes
from audit.notes import Checkpoint, NoteError, Verifier, open_checkpoint
from audit.reader import LogError
from audit.records import Record, clear_tail, scan, tail_is_clean

_AT_ONCE = 1 << 14


def take_lock(disk: Files, folder: Path) -> File:
    """Take the one writer's place in a log folder. Raises LogError when it is taken, OSError."""
    try:
        lock = disk.open(folder / "lock", "create")
    except FileNotFoundError:
        raise LogError(f"not a log folder: {folder}") from None
    if not lock.lock():
        lock.close()
        raise LogError(f"another process writes the log in {folder}")
    return lock


def open_records(disk: Files, path: Path) -> File:
    """Open the record file for writing. Raises LogError when it is lost, OSError."""
    try:
        return disk.open(path, "write")
    except FileNotFoundError:
        raise LogError(f"the record file is lost: {path}") from None


def open_head(disk: Files, folder: Path) -> Head:
    """Open the second place for writing. Raises LogError when it is lost, OSError."""
    try:
        return Head.open(disk, folder, writing=True)
    except HeadError as error:
        raise LogError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the record file says: the tree, the last record, the derived files."""

    tree: Frontier
    last: Record
    levels: list[bytearray]
    rows: bytearray


def recover(records: File, head: Head, log: Verifier) -> Recovered:
    """Replay the records against the second place; clear a torn tail; bring the second place up to date.

    Raises LogError when the two do not agree or a head is not signed by `log`, OSError.
    """
    try:
        known = open_checkpoint(head.read(), log)
    except (HeadError, NoteError) as error:
        raise LogError(f"the second place holds no head of this log: {error}") from error
    replay = _replay(records, known)
    try:
        newest = open_checkpoint(replay.last.checkpoint, log)
    except NoteError as error:
        raise LogError(f"the last record's head is not this log's: {error}") from error
    if (newest.size, newest.root) != (replay.tree.size, replay.tree.root()):
        raise LogError("the last record's head is not that of the entries before it")
    if not tail_is_clean(records, replay.last.end):
        clear_tail(records, replay.last.end)
    # A record that outlived a killed process may still be in memory alone.
    records.flush()
    head.heal()
    if newest.size > known.size:
        head.swap(head.read(), replay.last.checkpoint)
    return replay


def _replay(records: File, known: Checkpoint) -> Recovered:
    grown, last, root_then = _Grown(), None, None
    for last in scan(records):
        grown.take(last)
        if grown.size == known.size:
            root_then = grown.root()
    if last is None or grown.size < known.size:
        raise LogError(
            f"the log has {grown.size} whole entries, the second place knows of {known.size}: "
            "it was shortened or damaged; restore it from a copy"
        )
    if root_then != known.root:
        raise LogError("the log is not the one whose head is in the second place: entries were changed")
    grown.grow()
    return Recovered(grown.tree, last, grown.levels, grown.rows)


class _Grown:
    """The tree and the derived files as they grow by one record after the other."""

    def __init__(self) -> None:
        self.tree = Frontier()
        self.levels: list[bytearray] = []
        self.rows = bytearray()
        self._leaves: list[bytes] = []

    @property
    def size(self) -> int:
        return self.tree.size + len(self._leaves)

    def take(self, record: Record) -> None:
        self.rows += index_rows(record.position, record.entries)
        self._leaves += leaf_hashes(record.entries)
        # The tree grows by many records at once: each time has a price of its own, whatever a record holds.
        if len(self._leaves) >= _AT_ONCE:
            self.grow()

    def root(self) -> bytes:
        self.grow()
        return self.tree.root()

    def grow(self) -> None:
        for level, nodes in enumerate(self.tree.extend(self._leaves)):
            if level == len(self.levels):
                self.levels.append(bytearray())
            self.levels[level] += b"".join(nodes)
        self._leaves = []
