"""Reading a log: heads, entries, proofs, receipts and C2SP resources, while the writer runs.

`Reader` is what the writer's process and every other one share; they differ in how they learn the newest head.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

from audit import cosigned
from audit.derived import Derived, DerivedError
from audit.files import File, Files, OsFiles
from audit.merkle import (
    ProofError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    root_hash,
    verify_inclusion,
)
from audit.notes import NoteError, parse_checkpoint, parse_note
from audit.receipt import Receipt
from audit.records import Record, scan_from
from audit.tiles import TileError, encode_bundle, parse_path, tile_at


class LogError(Exception):
    """The log cannot be opened, read or written. The message is for the operator."""


class Published(NamedTuple):
    """A head that is durable in both places: number of entries, signed checkpoint."""

    size: int
    checkpoint: bytes


class Reader(ABC):
    """The reading side of a log folder. Raises LogError when files do not fit together, OSError."""

    def __init__(self, folder: Path, records: File, derived: Derived) -> None:
        self.folder = folder
        self._records = records
        self._derived = derived
        self._fitting: Published | None = None
        self._judge: Callable[[bytes], object] = lambda note: parse_checkpoint(parse_note(note).text)

    @abstractmethod
    def published(self) -> Published:
        """Return the newest head under which everything is readable."""

    @property
    def size(self) -> int:
        """The number of entries under the newest head."""
        return self.published().size

    def checkpoint(self) -> str:
        """Return the newest signed checkpoint."""
        return self.published().checkpoint.decode()

    def judging(self, judge: Callable[[bytes], object]) -> Self:
        """Have `judge` look at a kept cosigned head before it is used: whoever has the keys can tell its signatures.

        `judge` raises NoteError for one that must not be used. Without it, its form and its root alone are looked at.
        """
        self._judge, self._fitting = judge, None
        return self

    def cosigned(self) -> Published | None:
        """Return the newest head that witnesses cosigned; None where none is kept that is a head of this log."""
        note = cosigned.kept(self.folder / cosigned.NAME)
        if note is None or (self._fitting is not None and note == self._fitting.checkpoint):
            return self._fitting if note is not None else None
        try:
            self._judge(note)
            head = parse_checkpoint(parse_note(note).text)
            if head.size > self.size or root_hash(head.size, self._node) != head.root:
                return None
        except (NoteError, LogError):
            return None
        self._fitting = Published(head.size, note)
        return self._fitting

    def entry(self, index: int) -> bytes:
        """Return one entry. Raises IndexError where there is none."""
        if not 0 <= index < self.size:
            raise IndexError(f"no entry {index} in a log of {self.size}")
        return self._entries(index, 1)[0]

    def scan(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield (index, entry) from `start` to the newest entry at the time of the call, in order."""
        size = self.size
        if start >= size:
            return
        for record in scan_from(self._records, self._derived.row(start).record):
            for index, entry in enumerate(record.entries, record.first):
                if index >= start:
                    yield index, entry
            if record.size >= size:
                return
        raise LogError("the record file ends before its newest head")

    def inclusion(self, index: int, *, with_entry: bool = False) -> str:
        """Return the receipt (C2SP tlog-proof) of an entry under the newest cosigned head that contains it.

        Where there is none, under the newest head.
        `with_entry` puts the entry itself beside the proof, so that the receipt can be checked on its own.
        Raises ProofError where there is no such entry.
        """
        under = self.cosigned()
        size, checkpoint = under if under is not None and index < under.size else self.published()
        path = inclusion_proof(index, size, self._node)
        entry = self._entries(index, 1)[0]
        head = parse_checkpoint(parse_note(checkpoint).text)
        try:
            verify_inclusion(index, size, leaf_hash(entry), path, head.root)
        except ProofError as error:
            raise LogError(f"the tiles do not fit the head: {error}; a start of the log rebuilds them") from error
        return str(Receipt(index, tuple(path), checkpoint, entry if with_entry else None))

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """Prove that the head of `size` (None: the newest) contains that of `old`. Raises ProofError unless 1 ≤ old."""
        return consistency_proof(old, self.size if size is None else size, self._node)

    def resource(self, path: str) -> bytes:
        """Return a resource: C2SP's `checkpoint`, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.

        Raises TileError for a path that names nothing in this log. Who may read entries is the caller's to decide.
        """
        if path == "checkpoint":
            return self.published().checkpoint
        tile = parse_path(path)
        if tile.width > tile_at(tile.level, tile.number, self.size).width:
            raise TileError("no such tile in a tree of this size")
        if tile.level is None:
            return encode_bundle(self._entries(tile.first, tile.width))
        return self._derived.hashes(tile.level, tile.first, tile.width)

    def close(self) -> None:
        """Close the files."""
        self._derived.close()
        self._records.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _node(self, height: int, index: int) -> bytes:
        try:
            return self._derived.node(height, index)
        except DerivedError as error:
            raise LogError(f"{error}; a start of the log rebuilds it") from error

    def _entries(self, first: int, count: int) -> list[bytes]:
        try:
            rows = self._derived.rows(first, count)
            leaves = self._derived.hashes(0, first, count)
        except DerivedError as error:
            raise LogError(f"{error}; a start of the log rebuilds it") from error
        entries = [self._records.read(row.length, row.record + row.offset) for row in rows]
        if b"".join(leaf_hashes(entries)) != leaves:
            raise LogError(f"the entries from {first} on are not those that were hashed")
        return entries


class LogReader(Reader):
    """A log folder read by another process than the writer's; needs no lock and writes nothing."""

    def __init__(self, folder: Path, files: Files | None = None) -> None:
        """Open the log folder. Raises LogError when it is none."""
        disk = files or OsFiles()
        try:
            records = disk.open(folder / "records", "read")
        except FileNotFoundError:
            raise LogError(f"not a log folder: {folder}") from None
        super().__init__(folder, records, Derived(disk, folder, writing=False))
        self._newest = Published(-1, b"")

    def published(self) -> Published:
        """Return the newest head whose entries are all published in the index."""
        count = self._derived.count()
        while count != self._newest.size:
            record = self._record_of_last(count)
            if record.size <= count:
                self._newest = Published(record.size, record.checkpoint)
                break
            # A row or more of this record is still being written: the head before it is the newest.
            count = record.first
        return self._newest

    def _record_of_last(self, count: int) -> Record:
        position = self._derived.row(count - 1).record if count else 0
        record = next(scan_from(self._records, position), None)
        if record is None:
            raise LogError("the index does not fit the record file; a start of the log rebuilds it")
        return record
