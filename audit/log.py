"""The writer: entries become durable, in two places, under a signed head, before `append` returns.

The order of one commit is `Log._write`, readable from top to bottom:

1. hash the entries, sign the new head (nothing has left the process);
2. write one record (entries and head) and flush it;
3. swap the head in the second place, and flush it;
4. write the derived files, publish, wake the callers.

A crash before 2 is complete leaves a torn tail, which the next start clears: nobody was told of it. A crash after
it leaves a whole record, which the next start keeps. After any failure the writer stops for good: what a failed
flush left on disk is known only by reading it again at the next start.
"""

import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from audit.derived import Derived, index_rows
from audit.files import Files, OsFiles
from audit.group import Call, Group, checked
from audit.head import Head, HeadError
from audit.keys import Ed25519Signer
from audit.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hashes
from audit.notes import Checkpoint, Signer, sign_note
from audit.reader import LogError, Published, Reader
from audit.records import START, RecordWriter, encode_record, scan
from audit.recovery import open_head, open_records, recover, take_lock


class LogStoppedError(LogError):
    """The writer has stopped. Entries of this call may or may not be in the log: the next start knows."""


def create_log(
    folder: Path, head_folder: Path, signer: Ed25519Signer, *, others: Sequence[Signer] = (), files: Files | None = None
) -> None:
    """Make an empty log: its record file with the head of the empty tree, and the second place.

    `others` sign every head beside the log's own key. Raises LogError when one of the two exists already with
    something in it, OSError.
    """
    disk = files or OsFiles()
    checkpoint = _signed(signer, others, 0, EMPTY_ROOT)
    disk.make_folder(folder)
    records = disk.open(folder / "records", "create")
    try:
        if _has_head(disk, head_folder) or any(record.size for record in scan(records)):
            raise LogError(f"there is a log already in {folder} or its head in {head_folder}")
        records.truncate(0)
        records.write(encode_record(START, 0, [], checkpoint), 0)
        records.flush()
        disk.flush_folder(folder)
        disk.flush_folder(folder.parent)
    finally:
        records.close()
    Head.create(disk, head_folder, checkpoint).close()


def _has_head(disk: Files, folder: Path) -> bool:
    try:
        head = Head.open(disk, folder, writing=False)
    except HeadError:
        return False
    try:
        head.read()
    except HeadError:
        return False
    finally:
        head.close()
    return True


def _signed(signer: Signer, others: Sequence[Signer], size: int, root: bytes) -> bytes:
    return str(sign_note(Checkpoint(signer.name, size, root).text, [signer, *others])).encode()


class Log(Reader):
    """The one writer of a log folder, and a reader of it. Its methods may be called from many threads."""

    def __init__(
        self,
        folder: Path,
        head_folder: Path,
        signer: Ed25519Signer,
        *,
        others: Sequence[Signer] = (),
        files: Files | None = None,
    ) -> None:
        """Open the log, repair its tail and rebuild what is derived.

        Raises LogError when another writer has it, when it is shorter than or differs from the head in the
        second place, or when that head is lost or signed by another key; OSError.
        """
        self._signer, self._others = signer, others
        disk = files or OsFiles()
        with ExitStack() as opened:
            opened.callback(take_lock(disk, folder).close)
            records = open_records(disk, folder / "records")
            opened.callback(records.close)
            self._head = open_head(disk, head_folder)
            opened.callback(self._head.close)
            found = recover(records, self._head, signer.verifier)
            derived = Derived(disk, folder, writing=True)
            opened.callback(derived.close)
            derived.rebuild(found.levels, found.rows)
            self._close_files = opened.pop_all().close
        super().__init__(folder, records, derived)
        self._committing = threading.Lock()
        self._group = Group(self.commit)
        self._stopped: BaseException | None = None
        self._tree = found.tree
        self._writer = RecordWriter(records, found.last.end, found.last.checksum)
        self._published = Published(found.last.size, found.last.checkpoint)
        self._process = os.getpid()

    def published(self) -> Published:
        """Return the newest head that is durable in both places."""
        return self._published

    def append(self, entries: Sequence[bytes], since: int | None = None) -> list[int]:
        """Append entries in this order; return their indexes once they are durable under a signed head.

        The entries of one call stand together, in one commit. With `since`, those that stand at this index or
        later are not appended again: their index is returned, so that a caller may ask twice. Raises ValueError
        for an entry of more than 65,535 bytes or a call of more than 16 MiB, LogStoppedError when the writer
        failed, now or before.
        """
        call = Call(entries, since, checked(entries))
        if not entries:
            return []
        # A copy has the group's lock as it was at the fork, and would wait for ever where that was taken.
        self._stay_alone()
        self._group.submit(call)
        if call.indexes is None:
            raise LogStoppedError("the log's writer has stopped; see its first error") from self._stopped
        return list(call.indexes)

    def commit(self, calls: Sequence[Call]) -> None:
        """Commit the calls together: give each its indexes. After any failure nothing is ever written again."""
        with self._committing:
            if self._stopped is not None:
                raise LogStoppedError("the log's writer has stopped; see its first error") from self._stopped
            try:
                self._commit(calls)
            except BaseException as error:
                self._stopped = error
                raise

    def close(self) -> None:
        """Stop writing, and close the files. Callers that still wait get LogStoppedError."""
        with self._committing:
            self._stopped = self._stopped or LogError("the log was closed")
            self._close_files()

    def _stay_alone(self) -> None:
        if self._process != os.getpid():
            raise LogStoppedError("a forked copy of the log's writer must not write")

    def _commit(self, calls: Sequence[Call]) -> None:
        first = self._tree.size
        entries = [entry for call in calls for entry in call.entries]
        leaves = leaf_hashes(entries)
        places: Sequence[int] = range(first, first + len(entries))
        if any(call.since is not None for call in calls):
            places = self._places(calls, leaves)
            entries, leaves = _new(first, places, entries), _new(first, places, leaves)
        if entries:
            self._write(first, entries, leaves)
        at = 0
        for call in calls:
            call.indexes = places[at : at + len(call.entries)]
            at += len(call.entries)

    def _places(self, calls: Sequence[Call], leaves: Sequence[bytes]) -> list[int]:
        """The index of every entry: the one at which it stands already, or the next."""
        standing, index = self._standing(calls), self._tree.size
        places: list[int] = []
        for call in calls:
            for leaf in leaves[len(places) : len(places) + len(call.entries)]:
                place = None if call.since is None else standing.get(leaf)
                if place is None:
                    place, index = index, index + 1
                standing[leaf] = place
                places.append(place)
        return places

    def _standing(self, calls: Sequence[Call]) -> dict[bytes, int]:
        """Where entries stand that a call may have sent before, by leaf hash: an entry's event id makes it unique."""
        size = self._tree.size
        since = min((call.since for call in calls if call.since is not None), default=size)
        leaves = self._derived.hashes(0, since, size - since) if since < size else b""
        return {leaves[at : at + HASH_SIZE]: since + at // HASH_SIZE for at in range(0, len(leaves), HASH_SIZE)}

    def _write(self, first: int, entries: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        tiles = self._tree.extend(leaves)
        size = self._tree.size
        checkpoint = _signed(self._signer, self._others, size, self._tree.root())
        position = self._writer.append(first, entries, checkpoint)
        self._head.swap(self._published.checkpoint, checkpoint)
        self._derived.write(first, tiles, index_rows(position, entries))
        self._published = Published(size, checkpoint)


def _new(first: int, places: Sequence[int], those: Sequence[bytes]) -> list[bytes]:
    """Those that got the next index, from `first` on, and not one at which they stood already."""
    found: list[bytes] = []
    for place, one in zip(places, those, strict=True):
        if place == first + len(found):
            found.append(one)
    return found
