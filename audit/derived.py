"""Derived data: the flat tile files and the index, all of it rebuilt from the record file at start.

`tile/<L>` holds tile level L as one file: tile N is bytes 8192·N…. `index` has one row for each entry: where its
record starts, where in the record the entry starts, how long it is. The index is written last: an entry is
published to readers by its row.
"""

import struct
from collections.abc import Sequence
from itertools import accumulate, repeat
from pathlib import Path
from typing import NamedTuple

from audit.files import File, Files
from audit.merkle import HASH_SIZE, TILE_HEIGHT, fold
from audit.records import HEADER

_ROW = struct.Struct(">QII")


class Row(NamedTuple):
    """Where an entry lies in the record file: bytes `record` + `offset`, for `length`."""

    record: int
    offset: int
    length: int


class DerivedError(Exception):
    """Derived data that does not fit the records: rebuilt by the next start of the log."""


def index_rows(position: int, entries: Sequence[bytes]) -> bytes:
    """The index rows of the entries of a record that starts at `position`, as they lie in the file."""
    lengths = list(map(len, entries))
    starts = accumulate([length + 2 for length in lengths], initial=HEADER.size + 2)
    return b"".join(map(_ROW.pack, repeat(position), starts, lengths))


class Derived:
    """The derived files of a log folder, read by anyone, written by the log's writer alone."""

    def __init__(self, files: Files, folder: Path, *, writing: bool) -> None:
        self._files = files
        self._folder = folder
        self._writing = writing
        self._opened: dict[str, File] = {}
        if writing:
            files.make_folder(folder / "tile")

    def _file(self, name: str) -> File | None:
        """Open a derived file once; None where a reader finds none."""
        if name not in self._opened:
            try:
                self._opened[name] = self._files.open(self._folder / name, "create" if self._writing else "read")
            except FileNotFoundError:
                return None
        return self._opened[name]

    def _write_to(self, name: str) -> File:
        file = self._file(name)
        if file is None:
            raise DerivedError(f"{name} cannot be created")
        return file

    def count(self) -> int:
        """The number of entries published in the index."""
        index = self._file("index")
        return index.size() // _ROW.size if index else 0

    def row(self, index: int) -> Row:
        """The index row of an entry. Raises DerivedError when it is missing."""
        return self.rows(index, 1)[0]

    def rows(self, first: int, count: int) -> list[Row]:
        """The index rows of `count` entries. Raises DerivedError when one is missing."""
        data = self.row_bytes(first, count)
        if len(data) != count * _ROW.size:
            raise DerivedError(f"the index ends before entry {first + count - 1}")
        return [Row(*fields) for fields in _ROW.iter_unpack(data)]

    def row_bytes(self, first: int, count: int) -> bytes:
        """The bytes of `count` index rows, fewer at the end of the file."""
        index = self._file("index")
        return index.read(count * _ROW.size, first * _ROW.size) if index else b""

    def hashes(self, level: int, first: int, count: int) -> bytes:
        """`count` hashes of a tile level, joined, fewer at the end of the file."""
        file = self._file(f"tile/{level}")
        return file.read(count * HASH_SIZE, first * HASH_SIZE) if file else b""

    def node(self, height: int, index: int) -> bytes:
        """The hash of a perfect node (a `merkle.NodeReader`). Raises DerivedError when a tile is too short."""
        level, rest = divmod(height, TILE_HEIGHT)
        count = 1 << rest
        data = self.hashes(level, index * count, count)
        if len(data) != count * HASH_SIZE:
            raise DerivedError(f"tile level {level} is too short")
        return fold([data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)])

    def write(self, first: int, tiles: Sequence[Sequence[bytes]], rows: bytes) -> None:
        """Write what entries from `first` on added: each level's completed nodes, then the index rows."""
        for level, nodes in enumerate(tiles):
            if nodes:
                self._write_to(f"tile/{level}").write(b"".join(nodes), (first >> (TILE_HEIGHT * level)) * HASH_SIZE)
        self._write_to("index").write(rows, first * _ROW.size)

    def rebuild(self, levels: Sequence[bytes | bytearray], rows: bytes | bytearray) -> None:
        """Make the files exactly this: in place, so that readers meanwhile see the same bytes as before."""
        index = self._write_to("index")
        index.truncate(min(len(rows), index.size()))
        for level, hashes in enumerate(levels):
            self._write_to(f"tile/{level}").write(bytes(hashes), 0)
            self._write_to(f"tile/{level}").truncate(len(hashes))
        for path in (self._folder / "tile").iterdir():
            if not path.name.isdecimal() or int(path.name) >= len(levels):
                path.unlink()
        self._write_to("index").write(bytes(rows), 0)

    def close(self) -> None:
        """Close the files."""
        for file in self._opened.values():
            file.close()
