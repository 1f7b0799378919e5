"""The writer: entries become durable, in two places, under a signed head, before `append` returns.

The order of one commit is `Log._commit`, readable from top to bottom:

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
from contextlib import ExitStack, suppress
from pathlib import Path

from audit.derived import Derived, rows_of
from audit.files import Files, OsFiles
from audit.head import Head, HeadError
from audit.keys import Ed25519Signer
from audit.merkle import EMPTY_ROOT, leaf_hash
from audit.notes import Checkpoint, Signer, sign_note
from audit.reader import LogError, Published, Reader
from audit.records import START, Record, RecordWriter, encode_record, scan
from audit.recovery import open_head, open_records, recover, take_lock
from audit.tiles import MAX_ENTRY

MAX_BATCH = 1 << 24
"""Bytes of entries after which a batch takes no further callers."""


class LogStoppedError(LogError):
    """The writer has stopped. Entries of this call may or may not be in the log: the next start knows."""


class _Waiting:
    """One caller's entries, and how it is woken: with their indexes, with an error, or to lead the next batch."""

    __slots__ = ("entries", "error", "first", "leads", "woken")

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = entries
        self.first: int | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.woken = threading.Lock()
        self.woken.acquire()


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
        super().__init__(records, derived)
        self._mutex, self._committing = threading.Lock(), threading.Lock()
        self._pending: list[_Waiting] = []
        self._leading = False
        self._stopped: BaseException | None = None
        self._tree = found.tree
        self._writer = RecordWriter(records, found.last.end, found.last.checksum)
        self._published = Published(found.last.size, found.last.checkpoint)
        self._process = os.getpid()

    def published(self) -> Published:
        """Return the newest head that is durable in both places."""
        return self._published

    def append(self, entries: Sequence[bytes]) -> list[int]:
        """Append entries in this order; return their indexes once they are durable under a signed head.

        The entries of one call stand together, in one commit. Raises ValueError for an entry of more than
        65,535 bytes or a call of more than 16 MiB, LogStoppedError when the writer failed, now or before.
        """
        _check(entries)
        if not entries:
            return []
        waiting = _Waiting(entries)
        if not self._enter(waiting):
            self._wait(waiting)
        if waiting.leads:
            self._lead()
        if waiting.first is None:
            raise LogStoppedError("the log's writer has stopped; see its first error") from waiting.error
        return list(range(waiting.first, waiting.first + len(entries)))

    def close(self) -> None:
        """Stop writing, and close the files. Callers that still wait get LogStoppedError."""
        self._stop(LogError("the log was closed"))
        with self._committing:
            self._close_files()

    def _enter(self, waiting: _Waiting) -> bool:
        """Queue up; True when this caller leads the next batch."""
        with self._mutex:
            if self._process != os.getpid():
                raise LogStoppedError("a forked copy of the log's writer must not write")
            if self._stopped is not None:
                raise LogStoppedError("the log's writer has stopped; see its first error") from self._stopped
            self._pending.append(waiting)
            waiting.leads = not self._leading
            self._leading = True
            return waiting.leads

    def _wait(self, waiting: _Waiting) -> None:
        try:
            waiting.woken.acquire()
        except BaseException:
            # Interrupted: it must not be left in the queue, where it could be asked to lead and never answer.
            with self._mutex:
                self._pending = [one for one in self._pending if one is not waiting]
                if waiting.leads:
                    self._hand_over()
            raise

    def _lead(self) -> None:
        with self._mutex:
            batch = self._take_batch()
        try:
            with self._committing:
                self._commit(batch)
        except BaseException as error:
            self._stop(error, batch)
            if not isinstance(error, Exception):
                raise
        else:
            with self._mutex:
                self._hand_over()
            for one in batch:
                one.woken.release()

    def _take_batch(self) -> list[_Waiting]:
        total, count = 0, 0
        for one in self._pending:
            total += sum(map(len, one.entries))
            if count and total > MAX_BATCH:
                break
            count += 1
        batch, self._pending = self._pending[:count], self._pending[count:]
        return batch

    def _hand_over(self) -> None:
        """Let the first of those who came meanwhile lead. Called under the mutex."""
        self._leading = bool(self._pending)
        if self._pending:
            self._pending[0].leads = True
            self._pending[0].woken.release()

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        if self._stopped is not None:
            raise self._stopped
        entries = [entry for one in batch for entry in one.entries]
        first = self._tree.size
        tiles = self._tree.extend(map(leaf_hash, entries))
        size = self._tree.size
        checkpoint = _signed(self._signer, self._others, size, self._tree.root())
        position = self._writer.append(first, entries, checkpoint)
        self._head.swap(self._published.checkpoint, checkpoint)
        record = Record(position, self._writer.position, first, entries, checkpoint, self._writer.previous)
        self._derived.write(first, tiles, rows_of(record))
        self._published = Published(size, checkpoint)
        for one in batch:
            one.first, first = first, first + len(one.entries)

    def _stop(self, error: BaseException, batch: Sequence[_Waiting] = ()) -> None:
        """Stop for good: wake everybody with the error."""
        with self._mutex:
            self._stopped = self._stopped or error
            waiting, self._pending = [*batch, *self._pending], []
            for one in waiting:
                one.error = self._stopped
                # Already woken to lead: it finds out by itself.
                with suppress(RuntimeError):
                    one.woken.release()


def _check(entries: Sequence[bytes]) -> None:
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise ValueError(f"an entry has at most {MAX_ENTRY} bytes")
    if sum(map(len, entries)) > MAX_BATCH:
        raise ValueError(f"one call has at most {MAX_BATCH} bytes of entries")
