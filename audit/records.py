"""The record file: the one truth of the log on disk.

One commit is one record: header, entries as a tlog-tiles bundle, the signed checkpoint over everything up to
them, and a SHA-256 over all of it. The header carries the checksum of the record before, so that bytes left over
from a torn write, or planted inside an entry, are never taken for the next record. The file is longer than its
records: the rest is zero, written ahead so that a flush need not change the file's size.

The first record has no entries: its checkpoint is that of the empty log.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.files import File
from audit.tiles import TileError, decode_bundle, encode_bundle

MAGIC = b"TLR1"
# magic, bytes of the bundle, bytes of the checkpoint, number of entries, index of the first, previous checksum
HEADER = struct.Struct(">4sIIIQ32s")
CHECKSUM_SIZE = 32
START = bytes(CHECKSUM_SIZE)
"""What the first record carries for the checksum of the record before."""
MAX_RECORD = 1 << 28
PREALLOCATE = 1 << 20
_READ_FIRST, _READ_AHEAD = 1 << 13, 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One commit as it lies on disk: bytes `position` to `end` of the record file."""

    position: int
    end: int
    first: int
    entries: list[bytes]
    checkpoint: bytes
    checksum: bytes

    @property
    def size(self) -> int:
        """The number of entries in the log with this record."""
        return self.first + len(self.entries)


def encode_record(previous: bytes, first: int, entries: Sequence[bytes], checkpoint: bytes) -> bytes:
    """Lay out a record; its last 32 bytes are its checksum. Raises TileError for an entry that is too long."""
    bundle = encode_bundle(entries)
    header = HEADER.pack(MAGIC, len(bundle), len(checkpoint), len(entries), first, previous)
    body = header + bundle + checkpoint
    return body + hashlib.sha256(body).digest()


def scan_from(file: File, position: int) -> Iterator[Record]:
    """Read the valid records from the one at `position` on, whatever came before it."""
    header = file.read(HEADER.size, position)
    if len(header) == HEADER.size:
        yield from scan(file, position, HEADER.unpack(header)[4], None)


class _Window:
    """Reads a file forward through one buffer, which grows while there is more to read."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._start = 0
        self._data = b""
        self._ahead = _READ_FIRST

    def read(self, count: int, position: int) -> bytes:
        offset = position - self._start
        if offset < 0 or offset + count > len(self._data):
            self._start, offset = position, 0
            self._data = self._file.read(max(count, self._ahead), position)
            self._ahead = min(2 * self._ahead, _READ_AHEAD)
        return self._data[offset : offset + count]


def scan(file: File, position: int = 0, first: int = 0, previous: bytes | None = START) -> Iterator[Record]:
    """Read the valid records from `position` on, until bytes that are no valid next record.

    `first` is the index that the next entry has, `previous` the checksum of the record before (None: unknown).
    """
    window = _Window(file)
    while (record := _read(window, position, first, previous)) is not None:
        yield record
        position, first, previous = record.end, record.size, record.checksum


def _read(window: _Window, position: int, first: int, previous: bytes | None) -> Record | None:
    header = window.read(HEADER.size, position)
    if header[:4] != MAGIC or len(header) < HEADER.size:
        return None
    _, bundle_size, note_size, count, index, before = HEADER.unpack(header)
    body_size = HEADER.size + bundle_size + note_size
    if index != first or (previous is not None and before != previous) or body_size > MAX_RECORD:
        return None
    data = window.read(body_size + CHECKSUM_SIZE, position)
    checksum = data[body_size:]
    if hashlib.sha256(data[:body_size]).digest() != checksum:
        return None
    note_at = HEADER.size + bundle_size
    try:
        entries = decode_bundle(data[HEADER.size : note_at], count)
    except TileError:
        return None
    end = position + len(data)
    return Record(position, end, first, entries, data[note_at:body_size], checksum)


def tail_is_clean(file: File, position: int) -> bool:
    """Tell whether nothing but zeros follows `position`."""
    while data := file.read(_READ_AHEAD, position):
        if data.strip(b"\x00"):
            return False
        position += len(data)
    return True


def clear_tail(file: File, position: int) -> None:
    """Overwrite with zeros what follows `position`. The caller flushes."""
    end = file.size()
    while position < end:
        count = min(end - position, _READ_AHEAD)
        file.write(bytes(count), position)
        position += count


class RecordWriter:
    """Appends records to an open record file, durably."""

    def __init__(self, file: File, position: int, previous: bytes) -> None:
        """`position` and `previous` are the end and the checksum of the last valid record."""
        self._file = file
        self._allocated = file.size()
        self.position = position
        self.previous = previous

    def append(self, first: int, entries: Sequence[bytes], checkpoint: bytes) -> int:
        """Write one record and flush it; return its position. After an OSError it must not be used again."""
        record = encode_record(self.previous, first, entries, checkpoint)
        if len(record) > MAX_RECORD:
            raise ValueError("a batch of entries that is too large")
        position, end = self.position, self.position + len(record)
        if end > self._allocated:
            self._allocate(end)
        self._file.write(record, position)
        self._file.flush()
        self.position, self.previous = end, record[-CHECKSUM_SIZE:]
        return position

    def _allocate(self, end: int) -> None:
        target = (end + PREALLOCATE - 1) // PREALLOCATE * PREALLOCATE
        self._file.write(bytes(target - self._allocated), self._allocated)
        self._allocated = target
